-- The tables of the dataset `products` on SQLite.
CREATE TABLE categories (
  id         uuid_text NOT NULL PRIMARY KEY,
  name       varchar(255) NOT NULL UNIQUE,
  created_at timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX categories_name_any_case ON categories (name COLLATE NOCASE);
CREATE TABLE brands (
  id         uuid_text NOT NULL PRIMARY KEY,
  name       varchar(255) NOT NULL UNIQUE,
  created_at timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX brands_name_any_case ON brands (name COLLATE NOCASE);
CREATE TABLE potencies (
  id         uuid_text NOT NULL PRIMARY KEY,
  code       varchar(64) NOT NULL UNIQUE,
  name       varchar(255),
  created_at timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX potencies_code_any_case ON potencies (code COLLATE NOCASE);
CREATE TABLE forms (
  id         uuid_text NOT NULL PRIMARY KEY,
  name       varchar(255) NOT NULL UNIQUE,
  created_at timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX forms_name_any_case ON forms (name COLLATE NOCASE);
CREATE TABLE products (
  id            integer PRIMARY KEY NOT NULL,
  sku           varchar(64) NOT NULL UNIQUE,
  name          varchar(255) NOT NULL,
  category_id   uuid_text REFERENCES categories (id),
  type          varchar(64),
  brand_id      uuid_text REFERENCES brands (id),
  potency_id    uuid_text REFERENCES potencies (id),
  form_id       uuid_text REFERENCES forms (id),
  pack_size     varchar(64),
  uom           varchar(64),
  cost_price    real(12,2),
  selling_price real(12,2),
  mrp           real(12,2),
  tax_percent   real(5,2),
  hsn_code      varchar(64),
  manufacturer  varchar(255),
  description   text,
  barcode       varchar(64),
  reorder_level real(12,2),
  min_stock     real(12,2),
  max_stock     real(12,2),
  current_stock real(12,2),
  is_active     boolean DEFAULT true,
  tags          jsonb_text,
  created_at    timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at    timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX products_category_id ON products (category_id);
CREATE INDEX products_brand_id ON products (brand_id);
CREATE TABLE product_prices (
  id            integer PRIMARY KEY NOT NULL,
  product_id    integer NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  cost_price    real(12,2),
  selling_price real(12,2),
  mrp           real(12,2),
  created_at    timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP,
  archived_at   timestamp_with_timezone_text
);
CREATE UNIQUE INDEX product_prices_current ON product_prices (product_id) WHERE archived_at IS NULL;
CREATE TABLE product_stocks (
  id            integer PRIMARY KEY NOT NULL,
  product_id    integer NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  current_stock real(12,2),
  created_at    timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP,
  archived_at   timestamp_with_timezone_text
);
CREATE UNIQUE INDEX product_stocks_current ON product_stocks (product_id) WHERE archived_at IS NULL;
