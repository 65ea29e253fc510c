//! What became of each row of a chunk, packed; nothing for chunks that were committed before.

use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("outcomes").binary().null().to_owned();
        manager
            .alter_table(Table::alter().table("import_chunks").add_column(column).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table("import_chunks").drop_column("outcomes").to_owned())
            .await
    }
}
