//! `import_webhooks`: who is notified of the ends of jobs.

use sea_orm::entity::prelude::*;

/// Somebody who is notified.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "import_webhooks")]
pub struct Model {
    /// A UUID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Where messages go. May hold a secret.
    #[sea_orm(column_type = "Text")]
    pub url: String,
    /// What messages are signed with.
    #[sea_orm(column_type = "Text")]
    pub secret: String,
    /// Of what it is notified: an array of words.
    #[sea_orm(column_type = "JsonBinary")]
    pub events: Json,
    /// Only of this dataset.
    pub dataset: Option<String>,
    /// Messages are sent.
    pub enabled: bool,
    /// Why not.
    #[sea_orm(column_type = "Text", nullable)]
    pub disabled_reason: Option<String>,
    /// The client that registered it.
    #[sea_orm(column_type = "Text", nullable)]
    pub created_by: Option<String>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
