//! `import_mappings`: what the headers of a file mean, remembered for each dataset by a name and by the
//! fingerprint of the headers.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    json_binary, string_len, string_len_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("import_mappings")
                    .col(string_len("dataset", 64))
                    .col(string_len("name", 100))
                    .col(string_len_null("fingerprint", 16))
                    .col(json_binary("headers"))
                    .col(json_binary("mapping"))
                    .col(string_len_null("created_by", 255))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(timestamp_with_time_zone_null("last_used_at"))
                    .primary_key(Index::create().col("dataset").col("name"))
                    .to_owned(),
            )
            .await?;
        let by_headers = Index::create()
            .name("import_mappings_fingerprint")
            .table("import_mappings")
            .col("dataset")
            .col("fingerprint")
            .to_owned();
        manager.create_index(by_headers).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("import_mappings").to_owned()).await
    }
}
