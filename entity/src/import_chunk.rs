//! `import_chunks`: one row for each committed chunk, written in the chunk's own transaction.

use sea_orm::entity::prelude::*;

/// One committed chunk.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_chunks")]
pub struct Model {
    /// The job.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_log_id: i64,
    /// Unique within the job: a chunk cannot be committed twice.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// Whose share of the rows.
    pub lane: i32,
    /// First row of the chunk.
    pub first_row: i64,
    /// Last row of the chunk: the lane goes on behind it.
    pub last_row: i64,
    /// Rows whose key was new.
    pub created_count: i64,
    /// Rows whose record was changed.
    pub updated_count: i64,
    /// Rows whose record was the same already.
    pub unchanged_count: i64,
    /// Rows superseded by a later row of the same file.
    pub superseded_count: i64,
    /// Rows that failed.
    pub failed_count: i64,
    /// Rows that a rollback removed from the table.
    pub removed_count: i64,
    /// What became of each row, packed; nothing of chunks of earlier versions.
    pub outcomes: Option<Vec<u8>>,
    /// Under which epoch of its job it was committed: the name of its failed rows.
    pub lease_epoch: i64,
    /// When the chunk was committed.
    pub committed_at: DateTimeUtc,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
