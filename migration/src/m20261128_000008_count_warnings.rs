//! What a person should see of an import although no row failed, stored with the job.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::json_binary;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMN: &str = "warnings";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = json_binary(COLUMN).default("[]").take();
        let table = Table::alter().table("import_log").add_column(column).to_owned();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("import_log").drop_column(COLUMN).to_owned()).await
    }
}
