//! `import_events` (what happened to each job, to be told again), `import_error_groups` (all row
//! errors, counted), and what `import_log` must know of both.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, string_len, text, text_null, timestamp_with_time_zone,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in [big_integer("event_count").default(0), boolean("row_events").default(false)]
        {
            let add = Table::alter().table("import_log").add_column(column).to_owned();
            manager.alter_table(add).await?;
        }
        manager.create_table(import_events()).await?;
        manager.create_table(import_error_groups()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["import_error_groups", "import_events"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        for column in ["row_events", "event_count"] {
            let drop = Table::alter().table("import_log").drop_column(column).to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}

fn import_events() -> TableCreateStatement {
    Table::create()
        .table("import_events")
        .col(big_integer("import_log_id"))
        .col(big_integer("number"))
        .col(big_integer("first_number"))
        .col(big_integer("kept"))
        .col(string_len("kind", 16))
        .col(text("event"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("import_log_id").col("number"))
        .foreign_key(&mut of_job("import_events"))
        .to_owned()
}

fn import_error_groups() -> TableCreateStatement {
    Table::create()
        .table("import_error_groups")
        .col(big_integer("import_log_id"))
        .col(string_len("code", 64))
        .col(string_len("column_name", 255))
        .col(big_integer("error_count"))
        .col(big_integer("first_row"))
        .col(text("message"))
        .col(text_null("value"))
        .primary_key(Index::create().col("import_log_id").col("code").col("column_name"))
        .foreign_key(&mut of_job("import_error_groups"))
        .to_owned()
}

fn of_job(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "import_log_id")
        .to("import_log", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
