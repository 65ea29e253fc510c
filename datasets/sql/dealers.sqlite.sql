-- The tables of the dataset `dealers` on SQLite.
CREATE TABLE dealers (
  id             integer PRIMARY KEY NOT NULL,
  code           varchar(64) NOT NULL UNIQUE,
  name           varchar(255) NOT NULL,
  contact_person varchar(255),
  email          varchar(254),
  phone          varchar(64),
  address        text,
  city           varchar(255),
  region         varchar(255),
  postcode       varchar(32),
  country        varchar(64),
  credit_limit   real(12,2),
  active         boolean DEFAULT true,
  created_at     timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at     timestamp_with_timezone_text NOT NULL DEFAULT CURRENT_TIMESTAMP
);
