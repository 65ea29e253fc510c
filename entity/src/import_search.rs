//! `import_search`: the collection of a dataset in the search engine, and which server fills it.

use sea_orm::entity::prelude::*;

/// One dataset.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "import_search")]
pub struct Model {
    /// The dataset's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub dataset: String,
    /// Who passes the records on.
    pub lease_owner: Option<String>,
    /// Grows with every change of owner.
    pub lease_epoch: i64,
    /// When another may take over.
    pub lease_expires_at: Option<DateTimeUtc>,
    /// The collection behind the alias; null before the first one is built.
    pub collection: Option<String>,
    /// The schema that it was built with.
    #[sea_orm(column_type = "Text", nullable)]
    pub shape: Option<String>,
    /// How far the collection is that is built now.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub build: Option<Json>,
    /// It is to be built anew.
    pub build_requested: bool,
    /// What the last one that was built came to.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub last_build: Option<Json>,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
