//! `products`, the four tables that its rows refer to by name, and the two that keep old prices and
//! stocks. The current record of a history has no `archived_at`; there is at most one a product.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean_null, decimal_len_null, json_binary_null, string_len, string_len_null,
    string_len_uniq, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
    uuid_null,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Table and the column by which a row names a record of it.
const REFERENCES: [(&str, &str, u32); 4] = [
    ("categories", "name", 255),
    ("brands", "name", 255),
    ("potencies", "code", 64),
    ("forms", "name", 255),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for (table, column, length) in REFERENCES {
            manager.create_table(reference(table, column, length)).await?;
            let unique = unique_whatever_the_case(backend, table, column);
            manager.get_connection().execute_unprepared(&unique).await?;
        }
        manager.create_table(products(backend)).await?;
        for column in ["category_id", "brand_id"] {
            let index = Index::create()
                .name(format!("products_{column}"))
                .table("products")
                .col(column)
                .to_owned();
            manager.create_index(index).await?;
        }
        for (table, columns) in [
            ("product_prices", &["cost_price", "selling_price", "mrp"][..]),
            ("product_stocks", &["current_stock"][..]),
        ] {
            manager.create_table(history(backend, table, columns)).await?;
            let current = format!(
                "CREATE UNIQUE INDEX {table}_current ON {table} (product_id) WHERE archived_at IS NULL"
            );
            manager.get_connection().execute_unprepared(&current).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = ["product_stocks", "product_prices", "products"];
        for table in tables.into_iter().chain(REFERENCES.map(|(table, _, _)| table)) {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// A numeric key. Not AUTOINCREMENT on SQLite: that writes a second table with every row.
fn row_key(backend: DbBackend) -> ColumnDef {
    let mut id = big_integer("id");
    id.primary_key();
    if backend == DbBackend::Postgres {
        id.auto_increment();
    }
    id
}

fn reference(table: &'static str, column: &'static str, length: u32) -> TableCreateStatement {
    let mut create = Table::create();
    create.table(table).col(uuid("id").primary_key()).col(string_len_uniq(column, length));
    if column != "name" {
        create.col(string_len_null("name", 255));
    }
    create.col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp())).to_owned()
}

/// Two writers that create the same name in another letter case must meet at a unique index.
fn unique_whatever_the_case(backend: DbBackend, table: &str, column: &str) -> String {
    let key = if backend == DbBackend::Postgres {
        format!("lower({column})")
    } else {
        format!("{column} COLLATE NOCASE")
    };
    format!("CREATE UNIQUE INDEX {table}_{column}_any_case ON {table} ({key})")
}

fn products(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("products")
        .col(row_key(backend))
        .col(string_len_uniq("sku", 64))
        .col(string_len("name", 255))
        .col(uuid_null("category_id"))
        .col(string_len_null("type", 64))
        .col(uuid_null("brand_id"))
        .col(uuid_null("potency_id"))
        .col(uuid_null("form_id"))
        .col(string_len_null("pack_size", 64))
        .col(string_len_null("uom", 64))
        .col(decimal_len_null("cost_price", 12, 2))
        .col(decimal_len_null("selling_price", 12, 2))
        .col(decimal_len_null("mrp", 12, 2))
        .col(decimal_len_null("tax_percent", 5, 2))
        .col(string_len_null("hsn_code", 64))
        .col(string_len_null("manufacturer", 255))
        .col(text_null("description"))
        .col(string_len_null("barcode", 64))
        .col(decimal_len_null("reorder_level", 12, 2))
        .col(decimal_len_null("min_stock", 12, 2))
        .col(decimal_len_null("max_stock", 12, 2))
        .col(decimal_len_null("current_stock", 12, 2))
        .col(boolean_null("is_active").default(true))
        .col(json_binary_null("tags"))
        .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
        .col(timestamp_with_time_zone("updated_at").default(Expr::current_timestamp()))
        .foreign_key(&mut refers("category_id", "categories"))
        .foreign_key(&mut refers("brand_id", "brands"))
        .foreign_key(&mut refers("potency_id", "potencies"))
        .foreign_key(&mut refers("form_id", "forms"))
        .to_owned()
}

fn refers(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from("products", column).to(table, "id").to_owned()
}

fn history(
    backend: DbBackend,
    table: &'static str,
    columns: &[&'static str],
) -> TableCreateStatement {
    let mut create = Table::create();
    create.table(table).col(row_key(backend)).col(big_integer("product_id"));
    for column in columns {
        create.col(decimal_len_null(*column, 12, 2));
    }
    create
        .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
        .col(timestamp_with_time_zone_null("archived_at"))
        .foreign_key(
            ForeignKey::create()
                .from(table, "product_id")
                .to("products", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}
