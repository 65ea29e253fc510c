//! `import_bulks`: several files that were uploaded together.

use sea_orm::entity::prelude::*;

/// One bulk.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_bulks")]
pub struct Model {
    /// The name that its jobs have as `bulk_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The dataset.
    pub dataset: String,
    /// Files that were sent, refused ones included.
    pub file_count: i64,
    /// The files of which no job came, with their places and why.
    #[sea_orm(column_type = "JsonBinary")]
    pub refused: Json,
    /// SHA-256 of what was sent: the same for the same files in the same order with the same options.
    pub fingerprint: String,
    /// The client's `Idempotency-Key`.
    #[sea_orm(unique)]
    pub idempotency_key: Option<String>,
    /// The bulk whose jobs this one repeats.
    pub retry_of: Option<String>,
    /// The client that uploaded it: the name that it gave, else its address.
    pub created_by: Option<String>,
    /// When the upload was accepted.
    pub created_at: DateTimeUtc,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
