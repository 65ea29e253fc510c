//! `import_database`: the name of the database itself, in its only row.

use sea_orm::entity::prelude::*;

/// The name.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_database")]
pub struct Model {
    /// Always 1: there is one row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// A random UUID. Copies and restored backups have the same.
    pub uuid: String,
}

/// It belongs to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
