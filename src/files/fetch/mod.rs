//! Files that lie elsewhere: on a web server, or in the bucket of this server. Downloaded piece by
//! piece into a folder of their own below `<data>/downloads`, from which a later attempt goes on.
//!
//! A client that may name an address must not reach with it what only this server reaches: see
//! `address`, `guard` and `resolver`. Knows no job and no database.

mod address;
pub(in crate::files) mod answer;
pub(in crate::files) mod error;
mod fetcher;
mod guard;
mod partial;
mod post;
mod progress;
mod resolver;
mod web;

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::networks::Networks;
pub use address::Ports;
pub use error::{FetchError, NextAttempt};
pub use fetcher::{FarFile, Fetch, Fetched, Fetcher};
pub use post::{ReceiverAnswer, Sender};
pub use progress::FetchProgress;

/// What may be fetched, and how long that may take.
#[derive(Debug, Clone)]
pub struct FetchRules {
    /// Addresses that may be asked although they are private.
    pub networks: Networks,
    /// Ports that may be asked.
    pub ports: Ports,
    /// How long a download may take in all.
    pub time_max: Duration,
    /// How long a server may be silent.
    pub idle_max: Duration,
    /// Bytes of a file.
    pub bytes_max: u64,
    /// The certificates of authorities that are trusted besides those of the system.
    pub authorities: Option<PathBuf>,
}
