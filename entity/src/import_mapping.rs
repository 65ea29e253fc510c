//! `import_mappings`: what the headers of a file mean, remembered for each dataset.

use sea_orm::entity::prelude::*;

/// A saved mapping.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_mappings")]
pub struct Model {
    /// The dataset.
    #[sea_orm(primary_key, auto_increment = false)]
    pub dataset: String,
    /// The name of the mapping, unique in its dataset.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Of the headers of the file, if they are known.
    pub fingerprint: Option<String>,
    /// The headers of the file, from left to right.
    #[sea_orm(column_type = "JsonBinary")]
    pub headers: Json,
    /// Header → column name; empty: left out.
    #[sea_orm(column_type = "JsonBinary")]
    pub mapping: Json,
    /// The client that saved it.
    pub created_by: Option<String>,
    /// When it was saved first.
    pub created_at: DateTimeUtc,
    /// When it was saved last.
    pub updated_at: DateTimeUtc,
    /// When a file was read with it.
    pub last_used_at: Option<DateTimeUtc>,
}

/// There are no relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
