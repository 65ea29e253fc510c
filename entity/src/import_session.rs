//! `import_sessions`: the sessions whose stream was told to its end.

use sea_orm::entity::prelude::*;

/// A session that is over.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_sessions")]
pub struct Model {
    /// The job of the session.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_log_id: i64,
    /// When a client had read its last event.
    pub told_at: DateTimeUtc,
}

/// There are no relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
