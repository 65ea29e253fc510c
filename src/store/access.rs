//! The tables `access_keys` and `access_sessions`. Secrets are known here as hashes only.

use chrono::{DateTime, Utc};
use entity::{access_key, access_session};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, TransactionTrait};

use crate::domain::access::{AccessKey, Scopes};
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use access_key::Column as K;
use access_session::Column as S;

/// A key with what is kept of its secret.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The key.
    pub key: AccessKey,
    /// SHA-256 of its secret part.
    pub secret_hash: String,
}

/// A key that is to be kept.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What people call it.
    pub name: String,
    /// The part by which it is found.
    pub public_part: String,
    /// SHA-256 of its secret part.
    pub secret_hash: String,
    /// What it allows.
    pub scopes: Scopes,
    /// The datasets that it may use; `None` for all.
    pub datasets: Option<Vec<String>>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A browser that signed in.
#[derive(Debug, Clone, Copy)]
pub struct StoredSession {
    /// The key that it signed in with.
    pub key_id: i64,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// Every key, the oldest first.
    pub async fn access_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = access_key::Entity::find().order_by_asc(K::Id).all(&self.read).await;
        rows.context("read the keys")?.into_iter().map(stored).collect()
    }

    /// Keeps a new key; false when its name is taken.
    pub async fn insert_access_key(&self, new: NewKey) -> Result<bool, StoreError> {
        let action = "keep the key";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let row = access_key::ActiveModel {
            id: NotSet,
            name: Set(new.name),
            public_part: Set(new.public_part),
            secret_hash: Set(new.secret_hash),
            scopes: Set(new.scopes.to_string()),
            datasets: Set(new.datasets.map(|names| names.join(","))),
            created_at: Set(self.time(&transaction).await?),
            expires_at: Set(new.expires_at),
            revoked_at: Set(None),
            last_used_at: Set(None),
            last_used_from: Set(None),
        };
        let inserted = access_key::Entity::insert(row)
            .on_conflict(OnConflict::column(K::Name).do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await
            .context(action)?;
        transaction.commit().await.context(action)?;
        Ok(inserted == 1)
    }

    /// Gives a key another secret and ends the sessions of the old one; false when there is no such
    /// key, or it was revoked.
    pub async fn rotate_access_key(
        &self,
        name: &str,
        public_part: &str,
        secret_hash: &str,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<bool, StoreError> {
        let change = access_key::Entity::update_many()
            .col_expr(K::PublicPart, Expr::value(public_part))
            .col_expr(K::SecretHash, Expr::value(secret_hash))
            .filter(K::Name.eq(name))
            .filter(K::RevokedAt.is_null());
        let change = match expires_at {
            Some(end) => change.col_expr(K::ExpiresAt, Expr::value(end)),
            None => change,
        };
        self.change_key(name, change, "rotate the key").await
    }

    /// Ends a key and its sessions; false when there is no such key, or it was revoked before.
    pub async fn revoke_access_key(&self, name: &str) -> Result<bool, StoreError> {
        let change = access_key::Entity::update_many()
            .col_expr(K::RevokedAt, Expr::value(Utc::now()))
            .filter(K::Name.eq(name))
            .filter(K::RevokedAt.is_null());
        self.change_key(name, change, "revoke the key").await
    }

    async fn change_key(
        &self,
        name: &str,
        change: sea_orm::UpdateMany<access_key::Entity>,
        action: &'static str,
    ) -> Result<bool, StoreError> {
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let changed = change.exec(&transaction).await.context(action)?.rows_affected == 1;
        let key = access_key::Entity::find().filter(K::Name.eq(name)).one(&transaction).await;
        if let Some(key) = key.context(action)?.filter(|_| changed) {
            access_session::Entity::delete_many()
                .filter(S::KeyId.eq(key.id))
                .exec(&transaction)
                .await
                .context(action)?;
        }
        transaction.commit().await.context(action)?;
        Ok(changed)
    }

    /// Notes that a key was used.
    pub async fn note_use_of_access_key(
        &self,
        id: i64,
        at: DateTime<Utc>,
        from: Option<&str>,
    ) -> Result<(), StoreError> {
        let _guard = self.lock_writes().await;
        let change = access_key::Entity::update_many()
            .col_expr(K::LastUsedAt, Expr::value(at))
            .col_expr(K::LastUsedFrom, Expr::value(from))
            .filter(K::Id.eq(id));
        change.exec(&self.write).await.context("note the use of a key").map(drop)
    }

    /// Keeps a session, and removes those that have ended.
    pub async fn insert_session(
        &self,
        secret_hash: String,
        session: StoredSession,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let action = "keep the session";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        access_session::Entity::delete_many()
            .filter(S::ExpiresAt.lt(now))
            .exec(&transaction)
            .await
            .context(action)?;
        let row = access_session::ActiveModel {
            secret_hash: Set(secret_hash),
            key_id: Set(session.key_id),
            created_at: Set(now),
            expires_at: Set(session.expires_at),
        };
        access_session::Entity::insert(row)
            .exec_without_returning(&transaction)
            .await
            .context(action)?;
        transaction.commit().await.context(action)
    }

    /// The session with this hash, if there is one.
    pub async fn access_session(
        &self,
        secret_hash: &str,
    ) -> Result<Option<StoredSession>, StoreError> {
        let found = access_session::Entity::find_by_id(secret_hash).one(&self.read).await;
        let found = found.context("look up the session")?;
        Ok(found.map(|row| StoredSession { key_id: row.key_id, expires_at: row.expires_at }))
    }

    /// Ends a session.
    pub async fn delete_session(&self, secret_hash: &str) -> Result<(), StoreError> {
        let _guard = self.lock_writes().await;
        let deleted = access_session::Entity::delete_by_id(secret_hash).exec(&self.write).await;
        deleted.context("end the session").map(drop)
    }
}

fn stored(row: access_key::Model) -> Result<StoredKey, StoreError> {
    let id = row.id;
    let unreadable = |_| StoreError::Unreadable { id, what: "scopes" };
    let key = AccessKey {
        id,
        name: row.name,
        public_part: row.public_part,
        scopes: Scopes::parse(&row.scopes).map_err(unreadable)?,
        datasets: row.datasets.map(|names| names.split(',').map(str::to_owned).collect()),
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
        last_used_from: row.last_used_from,
    };
    Ok(StoredKey { key, secret_hash: row.secret_hash })
}
