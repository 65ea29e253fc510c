//! The trace of the request that made a job; and of a message to a webhook the trace and the job that it
//! is about.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, string_len_null};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Characters of a `traceparent` of version 00.
const TRACEPARENT: u32 = 55;

/// The tables with the columns that they get.
fn columns() -> [(&'static str, ColumnDef); 3] {
    let deliveries = "import_webhook_deliveries";
    [
        ("import_log", string_len_null("traceparent", TRACEPARENT)),
        (deliveries, string_len_null("traceparent", TRACEPARENT)),
        (deliveries, big_integer_null("import_log_id")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            let add = Table::alter().table(table).add_column(column).to_owned();
            manager.alter_table(add).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            let name = column.get_column_name();
            let drop = Table::alter().table(table).drop_column(name).to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}
