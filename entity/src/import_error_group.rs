//! `import_error_groups`: all row errors of a job, counted by code and column, also those that
//! `import_errors` has no room for.

use sea_orm::entity::prelude::*;

/// Row errors of one kind in one column.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_error_groups")]
pub struct Model {
    /// The job.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_log_id: i64,
    /// What kind of fault.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The column's name; empty when the fault is the whole row's.
    #[sea_orm(primary_key, auto_increment = false)]
    pub column_name: String,
    /// How many there are.
    #[sea_orm(column_name = "error_count")]
    pub count: i64,
    /// The first row of the file with one, of those that are committed.
    pub first_row: i64,
    /// What was said of that row.
    #[sea_orm(column_type = "Text")]
    pub message: String,
    /// The value that stood there.
    #[sea_orm(column_type = "Text", nullable)]
    pub value: Option<String>,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
