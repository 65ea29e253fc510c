//! `import_seen`: the keys of the table that the file of an unfinished mirror has; and dry runs that show
//! which rows would be removed.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No foreign key: it would be looked up once for each row of the file.
        let seen = Table::create()
            .table("import_seen")
            .col(big_integer("import_log_id"))
            .col(text("key"))
            .primary_key(Index::create().col("import_log_id").col("key"))
            .to_owned();
        manager.create_table(seen).await?;
        let removed = ColumnDef::new("removed").boolean().not_null().default(false).to_owned();
        manager
            .alter_table(Table::alter().table("import_differences").add_column(removed).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let differences =
            Table::alter().table("import_differences").drop_column("removed").to_owned();
        manager.alter_table(differences).await?;
        manager.drop_table(Table::drop().table("import_seen").to_owned()).await
    }
}
