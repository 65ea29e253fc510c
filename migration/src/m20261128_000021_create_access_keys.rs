//! `access_keys` and `access_sessions`: who may use the API, and which browsers signed in with a key.
//! The index of `import_log` is that of the jobs of one client, newest first.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, pk_auto, string_len, string_len_null, string_len_uniq, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(keys()).await?;
        manager.create_table(sessions()).await?;
        let create = "CREATE INDEX import_log_by_client ON import_log (created_by, (-id))";
        manager.get_connection().execute_unprepared(create).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("import_log_by_client").table("import_log").to_owned();
        manager.drop_index(index).await?;
        manager.drop_table(Table::drop().table("access_sessions").to_owned()).await?;
        manager.drop_table(Table::drop().table("access_keys").to_owned()).await
    }
}

fn keys() -> TableCreateStatement {
    Table::create()
        .table("access_keys")
        .col(pk_auto("id").big_integer())
        .col(string_len_uniq("name", 64))
        .col(string_len_uniq("public_part", 16))
        .col(string_len("secret_hash", 64))
        .col(string_len("scopes", 100))
        .col(text_null("datasets"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(timestamp_with_time_zone_null("revoked_at"))
        .col(timestamp_with_time_zone_null("last_used_at"))
        .col(string_len_null("last_used_from", 64))
        .to_owned()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table("access_sessions")
        .col(string_len("secret_hash", 64).primary_key())
        .col(big_integer("key_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .foreign_key(
            ForeignKey::create()
                .from("access_sessions", "key_id")
                .to("access_keys", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}
