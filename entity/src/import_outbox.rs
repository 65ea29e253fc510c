//! `import_outbox`: what has to be passed on to other systems, written in the transaction that made it
//! true. A row leaves when it was passed on.

use sea_orm::entity::prelude::*;

/// One thing to be passed on.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_outbox")]
pub struct Model {
    /// Grows; rows of one job leave in this order.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Who passes it on: `search` or `webhooks`.
    pub topic: String,
    /// The dataset's name.
    pub dataset: String,
    /// The job.
    pub import_log_id: i64,
    /// `changed` for the records of a chunk, `ended` for the end of a job.
    pub kind: String,
    /// Records that were created, updated or removed.
    pub records: i64,
    /// The keys among which these are: a JSON array of objects.
    #[sea_orm(column_type = "Text", nullable)]
    pub keys: Option<String>,
    /// The time that changed records have as their `updated_at`.
    pub changed_at: DateTimeUtc,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
