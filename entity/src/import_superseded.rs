//! `import_superseded`: valid rows that a later row of the same file overtook; bounded for each job
//! like the row errors.

use sea_orm::entity::prelude::*;

/// One superseded row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_superseded")]
pub struct Model {
    /// The job.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_log_id: i64,
    /// The row that was superseded.
    #[sea_orm(primary_key, auto_increment = false)]
    pub row_number: i64,
    /// The last row with the same key.
    pub by_row_number: i64,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
