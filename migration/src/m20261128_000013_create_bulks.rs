//! `import_bulks`: several files that were uploaded together. Their jobs name it by `bulk_id`; what was
//! refused has no job and is listed here.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, json_binary, string_len, string_len_null, text_null, timestamp_with_time_zone,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The jobs of a bulk in the order of their files.
const JOBS_OF_BULK: &str =
    "CREATE INDEX import_log_of_bulk ON import_log (bulk_id, id) WHERE bulk_id IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let bulks = Table::create()
            .table("import_bulks")
            .col(string_len("id", 36).primary_key())
            .col(string_len("dataset", 64))
            .col(big_integer("file_count"))
            .col(json_binary("refused"))
            .col(string_len("fingerprint", 64))
            .col(string_len_null("idempotency_key", 255).unique_key())
            .col(string_len_null("retry_of", 36))
            .col(text_null("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .to_owned();
        manager.create_table(bulks).await?;
        manager.get_connection().execute_unprepared(JOBS_OF_BULK).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("import_log_of_bulk").table("import_log").to_owned();
        manager.drop_index(index).await?;
        manager.drop_table(Table::drop().table("import_bulks").to_owned()).await
    }
}
