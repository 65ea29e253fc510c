//! `import_seen`: the keys of the dataset's table that the file of an unfinished mirror has.

use sea_orm::entity::prelude::*;

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_seen")]
pub struct Model {
    /// The job.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_log_id: i64,
    /// The key as the database writes it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
}

/// No relation is followed: every question names the job.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
