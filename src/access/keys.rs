//! The keys of a server and who shows one: a copy in memory, which is compared with the table at most
//! once a second, so that a key that is revoked anywhere opens nothing a moment later.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;

use super::error::AccessError;
use super::secret::KeySecret;
use crate::domain::access::{AccessKey, Caller, Scopes};
use crate::domain::error_chain::error_chain;
use crate::store::{NewKey, Store, StoredKey};

/// How old the copy may be.
const COPY_MAX_AGE: Duration = Duration::from_secs(1);

/// How long a request waits for a new copy; then the old one decides.
const COPY_TIMEOUT: Duration = Duration::from_millis(500);

/// Between two notes that a key is used.
const USE_PAUSE: Duration = Duration::from_mins(1);

/// A key that a person wants.
#[derive(Debug, Clone)]
pub struct KeyRequest {
    /// What people call it.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// The datasets that it may use; `None` for all.
    pub datasets: Option<Vec<String>>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The keys of a server; cheap to clone.
#[derive(Debug, Clone)]
pub struct Access {
    pub(super) inner: Arc<AccessInner>,
}

#[derive(Debug)]
pub(super) struct AccessInner {
    pub(super) store: Store,
    /// The pools of the database belong to this runtime.
    pub(super) runtime: Handle,
    /// Keys are asked for although there is none.
    require_key: bool,
    copy: RwLock<Arc<KeyCopy>>,
    /// When the copy was compared with the table, or that was tried.
    compared: tokio::sync::Mutex<Instant>,
    /// When the use of a key was last noted.
    noted: Mutex<HashMap<i64, Instant>>,
}

/// The keys as the table had them.
#[derive(Debug, Default)]
struct KeyCopy(HashMap<String, StoredKey>);

impl KeyCopy {
    fn of(keys: Vec<StoredKey>) -> Self {
        Self(keys.into_iter().map(|it| (it.key.public_part.clone(), it)).collect())
    }
}

impl Access {
    /// Reads the keys. Must be called within the runtime of the database.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(store: Store, require_key: bool) -> Result<Self, AccessError> {
        let copy = KeyCopy::of(store.access_keys().await?);
        Ok(Self {
            inner: Arc::new(AccessInner {
                store,
                runtime: Handle::current(),
                require_key,
                copy: RwLock::new(Arc::new(copy)),
                compared: tokio::sync::Mutex::new(Instant::now()),
                noted: Mutex::default(),
            }),
        })
    }

    /// True when requests need a key: there is or was one, or the setting says so.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.inner.require_key || !self.copy().0.is_empty()
    }

    fn copy(&self) -> Arc<KeyCopy> {
        Arc::clone(&self.inner.copy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Compares the copy with the table, if that was not done just now. A database that does not answer
    /// leaves the copy as it is.
    pub async fn refresh(&self) {
        // Somebody else does it already.
        let Ok(mut compared) = self.inner.compared.try_lock() else { return };
        if compared.elapsed() < COPY_MAX_AGE {
            return;
        }
        let store = self.inner.store.clone();
        let read = self.inner.runtime.spawn(async move { store.access_keys().await });
        match tokio::time::timeout(COPY_TIMEOUT, read).await {
            Ok(Ok(Ok(keys))) => {
                let copy = Arc::new(KeyCopy::of(keys));
                *self.inner.copy.write().unwrap_or_else(PoisonError::into_inner) = copy;
            }
            Ok(Ok(Err(fault))) => {
                let error = error_chain(&fault);
                tracing::warn!(event = "keys_unreadable", error, "keys cannot be read again");
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(event = "keys_unanswered", "keys cannot be read again in time");
            }
        }
        *compared = Instant::now();
    }

    /// Who shows this key.
    ///
    /// # Errors
    /// `UnknownKey` when it opens nothing.
    pub fn holder(&self, shown: &str, from: Option<IpAddr>) -> Result<Caller, AccessError> {
        let secret = KeySecret::parse(shown).ok_or(AccessError::UnknownKey)?;
        let copy = self.copy();
        let stored = copy.0.get(secret.public_part());
        let stored = stored.filter(|stored| secret.has_hash(&stored.secret_hash));
        self.let_in(stored, from)
    }

    /// The holder of the key with this number.
    pub(super) fn holder_of(&self, id: i64, from: Option<IpAddr>) -> Result<Caller, AccessError> {
        let copy = self.copy();
        self.let_in(copy.0.values().find(|stored| stored.key.id == id), from)
    }

    fn let_in(
        &self,
        stored: Option<&StoredKey>,
        from: Option<IpAddr>,
    ) -> Result<Caller, AccessError> {
        let key = stored.map(|stored| &stored.key).filter(|key| key.is_valid(Utc::now()));
        let key = key.ok_or(AccessError::UnknownKey)?;
        self.note_use(key, from);
        Ok(Caller::Holder(Box::new(key.clone())))
    }

    /// Notes in the background that a key is used, once a minute.
    fn note_use(&self, key: &AccessKey, from: Option<IpAddr>) {
        let mut noted = self.inner.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&key.id).is_some_and(|at| at.elapsed() < USE_PAUSE) {
            return;
        }
        noted.insert(key.id, Instant::now());
        let (store, id) = (self.inner.store.clone(), key.id);
        let from = from.map(|address| address.to_string());
        self.inner.runtime.spawn(async move {
            let noted = store.note_use_of_access_key(id, Utc::now(), from.as_deref()).await;
            if let Err(fault) = noted {
                let error = error_chain(&fault);
                tracing::warn!(event = "key_use_unnoted", error, "use of a key cannot be noted");
            }
        });
    }
}

/// Makes a key and gives its secret, which is nowhere else.
///
/// # Errors
/// `NameTaken`; `NoRandomness`; the store's.
pub async fn create(store: &Store, request: KeyRequest) -> Result<KeySecret, AccessError> {
    let secret = KeySecret::random()?;
    let KeyRequest { name, scopes, datasets, expires_at } = request;
    let new = NewKey {
        name: name.clone(),
        public_part: secret.public_part().to_owned(),
        secret_hash: secret.hash(),
        scopes,
        datasets,
        expires_at,
    };
    if store.insert_access_key(new).await? { Ok(secret) } else { Err(AccessError::NameTaken(name)) }
}

/// Every key, the oldest first.
///
/// # Errors
/// The store's.
pub async fn list(store: &Store) -> Result<Vec<AccessKey>, AccessError> {
    Ok(store.access_keys().await?.into_iter().map(|stored| stored.key).collect())
}

/// Gives a key another secret; the old one opens nothing from then on.
///
/// # Errors
/// `NoSuchKey`; `Revoked`; `NoRandomness`; the store's.
pub async fn rotate(
    store: &Store,
    name: &str,
    expires_at: Option<DateTime<Utc>>,
) -> Result<KeySecret, AccessError> {
    let secret = KeySecret::random()?;
    let (public, hash) = (secret.public_part(), secret.hash());
    if store.rotate_access_key(name, public, &hash, expires_at).await? {
        return Ok(secret);
    }
    Err(why_not(store, name).await?)
}

/// Ends a key.
///
/// # Errors
/// `NoSuchKey`; `Revoked`; the store's.
pub async fn revoke(store: &Store, name: &str) -> Result<(), AccessError> {
    if store.revoke_access_key(name).await? {
        return Ok(());
    }
    Err(why_not(store, name).await?)
}

/// Why a key was not changed.
async fn why_not(store: &Store, name: &str) -> Result<AccessError, AccessError> {
    let is_known = list(store).await?.iter().any(|key| key.name == name);
    let name = name.to_owned();
    Ok(if is_known { AccessError::Revoked(name) } else { AccessError::NoSuchKey(name) })
}
