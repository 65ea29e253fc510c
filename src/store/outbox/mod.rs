//! `import_outbox`: what has to be passed on to other systems, written in the transaction that made it
//! true, and `import_search`, the state of the consumer that passes records on to the search engine.
//! What these systems are is unknown here.

pub(super) mod changes;
mod ended;
mod entries;
mod records;
mod search;

pub use entries::{ChangeKind, OutboxChange};
pub use records::KeyedRecord;
pub use search::SearchLease;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::store::Store;

/// The consumer of records.
const SEARCH: &str = "search";

/// Those who are notified of ends.
pub(in crate::store) const WEBHOOKS: &str = "webhooks";

/// The records of a chunk changed.
const CHANGED: &str = "changed";

/// A job ended.
pub(in crate::store) const ENDED: &str = "ended";

impl Store {
    /// The same database; changes of the records of these datasets are noted in the outbox from here
    /// on.
    #[must_use]
    pub fn noting_changes_of(self, datasets: BTreeSet<String>) -> Self {
        Self { noted: Arc::new(datasets), ..self }
    }
}
