-- Once per chunk, after the COPY into `stage`. Tried and not faster: ANALYZE of the stage (50 ms a
-- chunk), looking up what exists first and inserting the rest without ON CONFLICT, everything in
-- one statement, random_page_cost = 1.
insert into categories (id, name, created_at)
select gen_random_uuid(), v, now()
from (select distinct category as v from stage where category is not null) s
where not exists (select from categories where name = v) on conflict do nothing;

insert into brands (id, name, created_at)
select gen_random_uuid(), v, now()
from (select distinct brand as v from stage where brand is not null) s
where not exists (select from brands where name = v) on conflict do nothing;

insert into potencies (id, code, created_at)
select gen_random_uuid(), v, now()
from (select distinct potency as v from stage where potency is not null) s
where not exists (select from potencies where code = v) on conflict do nothing;

insert into forms (id, name, created_at)
select gen_random_uuid(), v, now()
from (select distinct form as v from stage where form is not null) s
where not exists (select from forms where name = v) on conflict do nothing;

with upserted as (
    insert into products as p (
        sku, name, category_id, brand_id, potency_id, form_id, description, uom, selling_price,
        current_stock, barcode, is_active, created_at, updated_at)
    select s.sku, s.name, c.id, b.id, o.id, f.id, s.description, s.uom, s.selling_price,
        s.current_stock, s.barcode, s.is_active, now(), now()
    from stage s
    left join categories c on c.name = s.category
    left join brands b on b.name = s.brand
    left join potencies o on o.code = s.potency
    left join forms f on f.name = s.form
    order by s.sku
    on conflict (sku) do update set
        name = excluded.name, category_id = excluded.category_id, brand_id = excluded.brand_id,
        potency_id = excluded.potency_id, form_id = excluded.form_id,
        description = excluded.description, uom = excluded.uom,
        selling_price = excluded.selling_price, current_stock = excluded.current_stock,
        barcode = excluded.barcode, is_active = excluded.is_active,
        updated_at = excluded.updated_at
    where (p.name, p.category_id, p.brand_id, p.potency_id, p.form_id, p.description, p.uom,
           p.selling_price, p.current_stock, p.barcode, p.is_active)
        is distinct from
          (excluded.name, excluded.category_id, excluded.brand_id, excluded.potency_id,
           excluded.form_id, excluded.description, excluded.uom, excluded.selling_price,
           excluded.current_stock, excluded.barcode, excluded.is_active)
    returning p.id, xmax = 0 as is_new, p.selling_price, p.current_stock
)
insert into merged select * from upserted;

-- A product that was just created has no old record to look for.
insert into product_prices (product_id, selling_price, created_at)
select id, selling_price, now() from merged where is_new;
insert into product_stocks (product_id, current_stock, created_at)
select id, current_stock, now() from merged where is_new;

-- The planner knows nothing of `merged` and would read the whole history for it; with the array it
-- takes the index whatever the tables' sizes and statistics are.
with archived as (
    update product_prices h set archived_at = now()
    from merged m
    where h.product_id = any (array(select id from merged where not is_new))
        and h.archived_at is null and m.id = h.product_id
        and h.selling_price is distinct from m.selling_price
    returning h.product_id, h.cost_price, m.selling_price, h.mrp
)
insert into product_prices (product_id, cost_price, selling_price, mrp, created_at)
select product_id, cost_price, selling_price, mrp, now() from archived;
with archived as (
    update product_stocks h set archived_at = now()
    from merged m
    where h.product_id = any (array(select id from merged where not is_new))
        and h.archived_at is null and m.id = h.product_id
        and h.current_stock is distinct from m.current_stock
    returning h.product_id, m.current_stock
)
insert into product_stocks (product_id, current_stock, created_at)
select product_id, current_stock, now() from archived;
