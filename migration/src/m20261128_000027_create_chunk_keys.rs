//! `import_chunk_keys` instead of `import_seen`: the keys of a mirror as one row for each chunk.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, boolean, integer, text};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No foreign key: the keys of a job that is gone are found by the sweep.
        let keys = Table::create()
            .table("import_chunk_keys")
            .col(big_integer("import_log_id"))
            .col(integer("number"))
            .col(boolean("absent"))
            .col(text("keys"))
            .primary_key(Index::create().col("import_log_id").col("number"))
            .to_owned();
        manager.create_table(keys).await?;
        // Mirrors that were under way find that keys of their chunks are missing, and remove nothing.
        manager.drop_table(Table::drop().table("import_seen").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let seen = Table::create()
            .table("import_seen")
            .col(big_integer("import_log_id"))
            .col(text("key"))
            .primary_key(Index::create().col("import_log_id").col("key"))
            .to_owned();
        manager.create_table(seen).await?;
        manager.drop_table(Table::drop().table("import_chunk_keys").to_owned()).await
    }
}
