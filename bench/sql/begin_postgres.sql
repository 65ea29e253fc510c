-- Once per connection.
set client_min_messages = warning;
set jit = off;
set temp_buffers = '64MB';
set work_mem = '64MB';
set statement_timeout = '120s';
create temp table stage (
    sku text, name text, category text, brand text, potency text, form text, description text,
    uom text, selling_price numeric(12,2), current_stock numeric(12,2), barcode text,
    is_active boolean
) on commit delete rows;
create temp table merged (
    id bigint, is_new boolean, selling_price numeric(12,2), current_stock numeric(12,2)
) on commit delete rows;
