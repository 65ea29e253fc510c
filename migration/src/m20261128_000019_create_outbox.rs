//! `import_outbox`: what changed in the tables of the datasets and has to be passed on, written in the
//! transaction that changed it. `import_search`: who passes it on to the search engine, and how far a
//! collection that is built anew is.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, json_binary_null, string_len, string_len_null, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const IN_ORDER: &str = "import_outbox_in_order";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Without a foreign key: what a deleted job changed is passed on all the same.
        let outbox = Table::create()
            .table("import_outbox")
            .col(big_integer("id").primary_key().auto_increment())
            .col(string_len("topic", 16))
            .col(string_len("dataset", 64))
            .col(big_integer("import_log_id"))
            .col(string_len("kind", 16))
            .col(big_integer("records").default(0))
            .col(text_null("keys"))
            .col(timestamp_with_time_zone("changed_at"))
            .to_owned();
        manager.create_table(outbox).await?;
        let in_order = Index::create()
            .name(IN_ORDER)
            .table("import_outbox")
            .col("topic")
            .col("dataset")
            .col("id")
            .to_owned();
        manager.create_index(in_order).await?;
        let search = Table::create()
            .table("import_search")
            .col(string_len("dataset", 64).primary_key())
            .col(string_len_null("lease_owner", 64))
            .col(big_integer("lease_epoch").default(0))
            .col(timestamp_with_time_zone_null("lease_expires_at"))
            .col(string_len_null("collection", 255))
            .col(text_null("shape"))
            .col(json_binary_null("build"))
            .col(boolean("build_requested").default(false))
            .col(json_binary_null("last_build"))
            .to_owned();
        manager.create_table(search).await?;
        let sync =
            Table::alter().table("import_log").add_column(json_binary_null("sync")).to_owned();
        manager.alter_table(sync).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sync = Table::alter().table("import_log").drop_column("sync").to_owned();
        manager.alter_table(sync).await?;
        for table in ["import_search", "import_outbox"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
