//! What a dry run found: `import_differences`, each row that its import would change, and the state of
//! the table when it began; and which dry run a job confirms.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, boolean, text, text_null};
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in [big_integer_null("confirms"), text_null("table_digest")] {
            let add = Table::alter().table("import_log").add_column(&mut column).to_owned();
            manager.alter_table(add).await?;
        }
        // Few jobs confirm another one.
        let index = "CREATE INDEX import_log_confirms ON import_log (confirms) \
             WHERE confirms IS NOT NULL";
        manager.get_connection().execute_unprepared(index).await?;
        manager.create_table(import_differences()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("import_differences").to_owned()).await?;
        let index = Index::drop().name("import_log_confirms").table("import_log").to_owned();
        manager.drop_index(index).await?;
        for column in ["table_digest", "confirms"] {
            let drop = Table::alter().table("import_log").drop_column(column).to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}

/// One row for each row of the file that would change the dataset's table.
fn import_differences() -> TableCreateStatement {
    Table::create()
        .table("import_differences")
        .col(big_integer("import_log_id"))
        .col(big_integer("row_number"))
        .col(boolean("created"))
        .col(text("key"))
        .col(text("changes"))
        .primary_key(Index::create().col("import_log_id").col("row_number"))
        .foreign_key(
            ForeignKey::create()
                .from("import_differences", "import_log_id")
                .to("import_log", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}
