//! `import_undo`: each row that an import changed, as it was before and after, for as long as the
//! import can be rolled back.

use sea_orm::entity::prelude::*;

/// One changed row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_undo")]
pub struct Model {
    /// The job that changed it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_log_id: i64,
    /// The row of the file.
    #[sea_orm(primary_key, auto_increment = false)]
    pub row_number: i64,
    /// It was not there before.
    pub created: bool,
    /// The row before, as JSON; null when it was created.
    pub before_row: Option<String>,
    /// The row after, as JSON.
    pub after_row: String,
}

/// No relation is followed: every question names the job.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
