//! `import_chunk_keys`: the keys that the chunks of an unfinished mirror are about.

use sea_orm::entity::prelude::*;

/// The keys of one chunk.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_chunk_keys")]
pub struct Model {
    /// The job.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_log_id: i64,
    /// The number of the chunk.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// The file does not have them: the chunk removes their records.
    pub absent: bool,
    /// The keys as a JSON array.
    #[sea_orm(column_type = "Text")]
    pub keys: String,
}

/// No relation is followed: every question names the job.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
