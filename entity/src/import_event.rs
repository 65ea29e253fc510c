//! `import_events`: what happened to each job, numbered, so that it can be told again from any
//! number; bounded for each job.

use sea_orm::entity::prelude::*;

/// One event, or the notes about up to a thousand rows, which are as many events.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "import_events")]
pub struct Model {
    /// The job.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_log_id: i64,
    /// The number of the (last) event; rises without gaps within a job as long as nothing was
    /// pruned.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// The number of the first event.
    pub first_number: i64,
    /// log, progress, error, rows or complete.
    pub kind: String,
    /// The event as JSON.
    #[sea_orm(column_type = "Text")]
    pub event: String,
    /// When it became true.
    pub created_at: DateTimeUtc,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
