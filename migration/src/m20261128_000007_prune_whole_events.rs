//! Stored events are whole or gone. Batches of which row events were taken out lose the rest, so that
//! the row events of a batch are numbered without gaps; the count of what is left has no use then.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::big_integer;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "import_events";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let count = Expr::col("number").sub(Expr::col("first_number")).add(1);
        let incomplete =
            Query::delete().from_table(TABLE).and_where(Expr::col("kept").lt(count)).to_owned();
        manager.execute(incomplete).await?;
        let drop = Table::alter().table(TABLE).drop_column("kept").to_owned();
        manager.alter_table(drop).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = Table::alter().table(TABLE).add_column(big_integer("kept").default(1)).to_owned();
        manager.alter_table(add).await?;
        let count = Expr::col("number").sub(Expr::col("first_number")).add(1);
        manager.execute(Query::update().table(TABLE).value("kept", count).to_owned()).await
    }
}
