//! `access_keys`: who may use the API. The key itself is nowhere, only its hash.

use sea_orm::entity::prelude::*;

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_keys")]
pub struct Model {
    /// Its number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What people call it; jobs are created by `key:` and this name.
    #[sea_orm(unique)]
    pub name: String,
    /// The part of the key by which it is found; no secret.
    #[sea_orm(unique)]
    pub public_part: String,
    /// SHA-256 of the secret part, hexadecimal.
    pub secret_hash: String,
    /// What it may do: words with commas between them.
    pub scopes: String,
    /// The datasets that it may use, with commas between them; null for all.
    #[sea_orm(column_type = "Text", nullable)]
    pub datasets: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it ends by itself.
    pub expires_at: Option<DateTimeUtc>,
    /// When a person ended it.
    pub revoked_at: Option<DateTimeUtc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTimeUtc>,
    /// The address of the client that used it last.
    pub last_used_from: Option<String>,
}

/// There are no relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
