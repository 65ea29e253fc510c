//! The tables of two more datasets: `dealers`, and `transactions` with a key of two columns. A table
//! of that name that is there already is its owner's and stays as it is.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean_null, decimal_len_null, integer_null, string_len, string_len_null,
    string_len_uniq, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        if !manager.has_table("dealers").await? {
            manager.create_table(dealers(backend)).await?;
        }
        if manager.has_table("transactions").await? {
            return Ok(());
        }
        manager.create_table(transactions(backend)).await?;
        // The sums of a shop over a month.
        let of_shop = Index::create()
            .name("transactions_of_shop")
            .table("transactions")
            .col("shop")
            .col("ordered_at")
            .to_owned();
        manager.create_index(of_shop).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["transactions", "dealers"] {
            manager.drop_table(Table::drop().table(table).if_exists().to_owned()).await?;
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

fn dealers(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("dealers")
        .col(row_key(backend))
        .col(string_len_uniq("code", 64))
        .col(string_len("name", 255))
        .col(string_len_null("contact_person", 255))
        .col(string_len_null("email", 254))
        .col(string_len_null("phone", 64))
        .col(text_null("address"))
        .col(string_len_null("city", 255))
        .col(string_len_null("region", 255))
        .col(string_len_null("postcode", 32))
        .col(string_len_null("country", 64))
        .col(decimal_len_null("credit_limit", 12, 2))
        .col(boolean_null("active").default(true))
        .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
        .col(timestamp_with_time_zone("updated_at").default(Expr::current_timestamp()))
        .to_owned()
}

fn transactions(backend: DbBackend) -> TableCreateStatement {
    let mut create = Table::create();
    create
        .table("transactions")
        .col(row_key(backend))
        .col(string_len("order_code", 64))
        .col(string_len_null("transaction_code", 64))
        .col(timestamp_with_time_zone_null("ordered_at"))
        .col(string_len_null("status", 64))
        .col(string_len("sku", 64))
        .col(text_null("product_name"))
        .col(decimal_len_null("product_price", 14, 2))
        .col(integer_null("qty"));
    for column in [
        "total_product_price",
        "other_fees",
        "partner_fee",
        "total",
        "channel_price",
        "total_channel_price",
        "potential_profit",
    ] {
        create.col(decimal_len_null(column, 14, 2));
    }
    create
        .col(string_len_null("created_by", 255))
        .col(string_len_null("channel", 64))
        .col(string_len_null("shop", 255))
        .col(string_len_null("channel_invoice", 128))
        .col(string_len_null("warehouse", 255))
        .col(string_len_null("courier", 255))
        .col(string_len_null("cashless", 32))
        .col(string_len_null("tracking_number", 128))
        .col(timestamp_with_time_zone_null("shipped_at"))
        .col(string_len_null("province", 255))
        .col(string_len_null("city", 255))
        .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
        .col(timestamp_with_time_zone("updated_at").default(Expr::current_timestamp()))
        .index(
            Index::create()
                .unique()
                .name("transactions_order_code_sku")
                .col("order_code")
                .col("sku"),
        )
        .to_owned()
}
