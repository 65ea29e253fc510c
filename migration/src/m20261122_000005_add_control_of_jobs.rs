//! What control over jobs and many servers need: when a paused job goes on, which job a job repeats
//! or takes back, which client it belongs to, and `import_undo`, the rows as they were before and
//! after an import that can be taken back.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, json_binary_null, text, text_null,
    timestamp_with_time_zone_null,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Jobs that ended and still have their files, the oldest end first; rollbacks by what they take
/// back.
const PARTIAL_INDEXES: [(&str, &str); 2] = [
    (
        "import_log_with_files",
        "CREATE INDEX import_log_with_files ON import_log (completed_at) \
         WHERE files_removed_at IS NULL",
    ),
    (
        "import_log_rollbacks",
        "CREATE INDEX import_log_rollbacks ON import_log (rollback_of) \
         WHERE rollback_of IS NOT NULL",
    ),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in [
            timestamp_with_time_zone_null("resume_at"),
            timestamp_with_time_zone_null("claimed_at"),
            timestamp_with_time_zone_null("files_removed_at"),
            big_integer_null("retry_of"),
            big_integer_null("rollback_of"),
            json_binary_null("selection"),
            json_binary_null("destination"),
            big_integer("removed_count").default(0).take(),
        ] {
            manager.alter_table(add("import_log", column)).await?;
        }
        for column in ["removed_count", "lease_epoch"] {
            let column = big_integer(column).default(0).take();
            manager.alter_table(add("import_chunks", column)).await?;
        }
        // The client that was served last comes last.
        let clients = Index::create()
            .name("import_log_clients")
            .table("import_log")
            .col("created_by")
            .col("claimed_at")
            .to_owned();
        manager.create_index(clients).await?;
        for (_, index) in PARTIAL_INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        manager.create_table(import_undo()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("import_undo").to_owned()).await?;
        for index in PARTIAL_INDEXES.map(|(name, _)| name).into_iter().chain(["import_log_clients"])
        {
            let drop = Index::drop().name(index).table("import_log").to_owned();
            manager.drop_index(drop).await?;
        }
        for column in ["lease_epoch", "removed_count"] {
            manager.alter_table(drop("import_chunks", column)).await?;
        }
        for column in [
            "removed_count",
            "destination",
            "selection",
            "rollback_of",
            "retry_of",
            "files_removed_at",
            "claimed_at",
            "resume_at",
        ] {
            manager.alter_table(drop("import_log", column)).await?;
        }
        Ok(())
    }
}

fn add(table: &'static str, column: ColumnDef) -> TableAlterStatement {
    Table::alter().table(table).add_column(column).to_owned()
}

fn drop(table: &'static str, column: &'static str) -> TableAlterStatement {
    Table::alter().table(table).drop_column(column).to_owned()
}

/// One row for each row of the file that changed the dataset's table. The rows are JSON in the
/// spelling of the database's own writer.
fn import_undo() -> TableCreateStatement {
    Table::create()
        .table("import_undo")
        .col(big_integer("import_log_id"))
        .col(big_integer("row_number"))
        .col(boolean("created"))
        .col(text_null("before_row"))
        .col(text("after_row"))
        .primary_key(Index::create().col("import_log_id").col("row_number"))
        .foreign_key(
            ForeignKey::create()
                .from("import_undo", "import_log_id")
                .to("import_log", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}
