//! `import_sessions`: the sessions whose stream was told to its end. The job of a session has the
//! session in its `idempotency_key`; a row here says that nobody may open the stream anew.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, timestamp_with_time_zone};

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
                    .table("import_sessions")
                    .col(big_integer("import_log_id").primary_key())
                    .col(timestamp_with_time_zone("told_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("import_sessions", "import_log_id")
                            .to("import_log", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("import_sessions").to_owned()).await
    }
}
