//! Sessions: a browser signs in with a key and holds a secret of its own from then on. What is kept of
//! it is a hash, and the key decides each time what it may do.

use std::net::IpAddr;
use std::time::Duration;

use chrono::Utc;

use super::error::AccessError;
use super::keys::Access;
use super::secret::KeySecret;
use crate::domain::access::Caller;
use crate::store::{Store, StoreError, StoredSession};

/// How long a session lasts: a working day.
pub const SESSION_TIME: Duration = Duration::from_hours(12);

impl Access {
    /// Signs a browser in with a key, and gives what it holds from then on.
    ///
    /// # Errors
    /// `UnknownKey`; `NoRandomness`; the store's.
    pub async fn sign_in(
        &self,
        key: &str,
        from: Option<IpAddr>,
    ) -> Result<(KeySecret, Caller), AccessError> {
        let caller = self.holder(key, from)?;
        let Caller::Holder(holder) = &caller else { return Err(AccessError::UnknownKey) };
        let secret = KeySecret::random()?;
        let (hash, key_id, now) = (secret.hash(), holder.id, Utc::now());
        let session = StoredSession { key_id, expires_at: now + SESSION_TIME };
        self.ask(move |store| async move { store.insert_session(hash, session, now).await })
            .await?;
        Ok((secret, caller))
    }

    /// Who signed in with this session.
    ///
    /// # Errors
    /// `UnknownKey` when the session or its key has ended; the store's.
    pub async fn signed_in(
        &self,
        shown: &str,
        from: Option<IpAddr>,
    ) -> Result<Caller, AccessError> {
        let hash = KeySecret::parse(shown).ok_or(AccessError::UnknownKey)?.hash();
        // The hash is the key of the table: a look-up by it tells nothing of the secret.
        let found = self.ask(move |store| async move { store.access_session(&hash).await }).await?;
        let session = found.filter(|session| Utc::now() < session.expires_at);
        self.holder_of(session.ok_or(AccessError::UnknownKey)?.key_id, from)
    }

    /// Ends a session, if there is one.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_out(&self, shown: &str) -> Result<(), AccessError> {
        let Some(secret) = KeySecret::parse(shown) else { return Ok(()) };
        let hash = secret.hash();
        self.ask(move |store| async move { store.delete_session(&hash).await }).await
    }

    /// Asks the store on the runtime of its connections.
    pub(super) async fn ask<T, F>(
        &self,
        question: impl FnOnce(Store) -> F,
    ) -> Result<T, AccessError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let asked = self.inner.runtime.spawn(question(self.inner.store.clone()));
        asked.await.map_err(|_| AccessError::Panicked)?.map_err(AccessError::Store)
    }
}
