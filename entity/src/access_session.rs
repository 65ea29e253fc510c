//! `access_sessions`: browsers that signed in with a key.

use sea_orm::entity::prelude::*;

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_sessions")]
pub struct Model {
    /// SHA-256 of what its cookie holds, hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub secret_hash: String,
    /// The key that it signed in with.
    pub key_id: i64,
    /// When it signed in.
    pub created_at: DateTimeUtc,
    /// When it ends by itself.
    pub expires_at: DateTimeUtc,
}

/// There are no relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
