//! `import_errors`: why rows failed; at most `LOADBAY_MAX_STORED_ERRORS` for each job.

use sea_orm::entity::prelude::*;

/// One fault of one row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_errors")]
pub struct Model {
    /// Order in which the faults were stored.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The job.
    pub import_log_id: i64,
    /// The row as a spreadsheet shows it.
    pub row_number: i64,
    /// The physical line on which the row begins.
    pub line: i64,
    /// The column; null when the fault is the whole row's.
    pub column_name: Option<String>,
    /// A code of the table of row errors.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// The value, shortened.
    pub value: Option<String>,
    /// The key of the row as the file has it, shortened; null when the row has none that can be read.
    pub key: Option<String>,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
