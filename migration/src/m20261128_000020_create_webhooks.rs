//! `import_webhooks`: who is notified of the ends of jobs. `import_webhook_deliveries`: the messages,
//! with what became of each.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, integer_null, json_binary, string_len,
    string_len_null, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const DUE: &str = "CREATE INDEX import_webhook_deliveries_due \
     ON import_webhook_deliveries (next_attempt_at) WHERE status = 'pending'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let webhooks = Table::create()
            .table("import_webhooks")
            .col(string_len("id", 36).primary_key())
            .col(text("url"))
            .col(text("secret"))
            .col(json_binary("events"))
            .col(string_len_null("dataset", 64))
            .col(boolean("enabled").default(true))
            .col(text_null("disabled_reason"))
            .col(text_null("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .to_owned();
        manager.create_table(webhooks).await?;
        let deliveries = Table::create()
            .table("import_webhook_deliveries")
            .col(big_integer("id").primary_key().auto_increment())
            .col(string_len("webhook_id", 36))
            .col(string_len("message_id", 64))
            .col(string_len("event", 32))
            .col(string_len("subject", 128))
            .col(text("body"))
            .col(string_len("status", 16))
            .col(integer("attempts").default(0))
            .col(timestamp_with_time_zone_null("next_attempt_at"))
            .col(integer_null("answer"))
            .col(text_null("error"))
            .col(big_integer_null("millis"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("completed_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("import_webhook_deliveries", "webhook_id")
                    .to("import_webhooks", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(deliveries).await?;
        let once = Index::create()
            .name("import_webhook_deliveries_once")
            .table("import_webhook_deliveries")
            .col("webhook_id")
            .col("subject")
            .unique()
            .to_owned();
        manager.create_index(once).await?;
        manager.get_connection().execute_unprepared(DUE).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["import_webhook_deliveries", "import_webhooks"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
