//! `import_differences`: each row of a file that would change the dataset's table, found by a dry run;
//! bounded for each job.

use sea_orm::entity::prelude::*;

/// One row that would change the table.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_differences")]
pub struct Model {
    /// The dry run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_log_id: i64,
    /// The row of the file.
    #[sea_orm(primary_key, auto_increment = false)]
    pub row_number: i64,
    /// The table does not have it yet.
    pub created: bool,
    /// The file does not have it, so that a mirror would remove it.
    pub removed: bool,
    /// The key of the record as people read it.
    pub key: String,
    /// The columns that would change, with the value before and after, as JSON.
    pub changes: String,
}

/// No relation is followed: every question names the job.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
