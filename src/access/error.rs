//! Why a key is not taken, or keys cannot be kept.

use super::limit_reached::LimitReached;
use crate::store::StoreError;

/// Why somebody is not let in, or a key cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// There is no key, or none that opens anything now.
    #[error("the key is not one of this server, or it was revoked or has expired")]
    UnknownKey,
    /// The name is one already.
    #[error(
        "there is a key called `{0}` already; choose another name, or use `loadbay keys rotate {0}`"
    )]
    NameTaken(String),
    /// There is no such key.
    #[error("there is no key called `{0}`; `loadbay keys list` shows the keys")]
    NoSuchKey(String),
    /// The key was revoked.
    #[error("the key `{0}` was revoked; make a new one with `loadbay keys create`")]
    Revoked(String),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// A bug of this server.
    #[error("the question to the database ended without an answer")]
    Panicked,
    /// A limit of the key.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
