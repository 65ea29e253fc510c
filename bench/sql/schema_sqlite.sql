-- The tables of the products dataset as Loadbay makes them: what the limit is measured on when no
-- server is given that makes them itself. Decimals are integers in units of their last digit.
create table categories (id blob primary key not null, name text not null unique, created_at text not null);
create table brands (id blob primary key not null, name text not null unique, created_at text not null);
create table potencies (id blob primary key not null, code text not null unique, name text, created_at text not null);
create table forms (id blob primary key not null, name text not null unique, created_at text not null);

create table products (
    id integer primary key not null,
    sku text not null unique,
    name text not null,
    category_id blob references categories (id),
    type text,
    brand_id blob references brands (id),
    potency_id blob references potencies (id),
    form_id blob references forms (id),
    pack_size text,
    uom text,
    cost_price integer,
    selling_price integer,
    mrp integer,
    tax_percent integer,
    hsn_code text,
    manufacturer text,
    description text,
    barcode text,
    reorder_level integer,
    min_stock integer,
    max_stock integer,
    current_stock integer,
    is_active boolean not null default true,
    tags text,
    created_at text not null,
    updated_at text not null
);
create index products_category_id on products (category_id);
create index products_brand_id on products (brand_id);

create table product_prices (
    id integer primary key not null,
    product_id integer not null references products (id),
    cost_price integer,
    selling_price integer,
    mrp integer,
    created_at text not null,
    archived_at text
);
create unique index product_prices_current on product_prices (product_id) where archived_at is null;

create table product_stocks (
    id integer primary key not null,
    product_id integer not null references products (id),
    current_stock integer,
    created_at text not null,
    archived_at text
);
create unique index product_stocks_current on product_stocks (product_id) where archived_at is null;
