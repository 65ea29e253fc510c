//! Files that are downloaded: from where, how far, and whether the file is still awaited.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, json_binary_null, text_null};
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The last import from an address.
const INDEX: &str = "import_log_source_url";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        manager.alter_table(add(text_null("source_url"))).await?;
        manager.alter_table(add(json_binary_null("download"))).await?;
        manager.alter_table(add(boolean("awaits_file").default(false).take())).await?;
        let create = format!(
            "CREATE INDEX {INDEX} ON import_log (source_url, id) WHERE source_url IS NOT NULL"
        );
        manager.get_connection().execute_unprepared(&create).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(INDEX).table("import_log").to_owned()).await?;
        for column in ["awaits_file", "download", "source_url"] {
            let table = Table::alter().table("import_log").drop_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}

fn add(column: ColumnDef) -> TableAlterStatement {
    Table::alter().table("import_log").add_column(column).to_owned()
}
