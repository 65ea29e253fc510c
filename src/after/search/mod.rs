//! The records of datasets in Typesense: a collection for each dataset, behind an alias.
//!
//! `typesense` asks the server, `document` makes documents of records, `consumer` passes on what the
//! outbox holds, `build` fills a new collection, `worker` does both as long as the server runs.

mod build;
mod consumer;
mod document;
mod error;
mod typesense;
mod worker;

use std::sync::Arc;

use crate::domain::job::Job;

pub use build::BuildReport;
pub use consumer::SearchConsumer;
pub use error::SyncError;
pub use typesense::TypesenseUrl;
pub use worker::SearchWorker;

/// Gets each job whose records are passed on, as it stands then.
pub type OnJob = Arc<dyn Fn(Job) + Send + Sync>;

/// Where the search engine is, and what goes there.
#[derive(Clone)]
pub struct SearchSettings {
    /// Its address.
    pub url: TypesenseUrl,
    /// The key that lets collections be made and documents be written.
    pub api_key: String,
    /// What the names of collections begin with.
    pub prefix: String,
}

impl std::fmt::Debug for SearchSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchSettings")
            .field("url", &self.url)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
