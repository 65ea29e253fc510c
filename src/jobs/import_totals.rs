//! How many imports a dataset has: counted once in a while, and from then on only what is new. The
//! older list shows the number with each page, and its clients ask every few seconds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::store::{ImportCount, Store, StoreError};

/// When everything is counted again: jobs that another server deleted, or that were stored out of
/// order, are seen then.
const COUNT_AGAIN: Duration = Duration::from_mins(1);

/// So many are counted each time: that takes a millisecond.
const COUNTED_EACH_TIME: u64 = 10_000;

/// What was counted, by dataset.
#[derive(Debug, Default)]
pub(super) struct ImportTotals(Mutex<HashMap<String, Counted>>);

#[derive(Debug, Clone, Copy)]
struct Counted {
    at: Instant,
    count: ImportCount,
}

impl ImportTotals {
    /// How many imports the dataset has.
    pub(super) async fn of(&self, store: &Store, dataset: &str) -> Result<u64, StoreError> {
        let known = self.known(dataset);
        let before = known.map_or(ImportCount { imports: 0, newest: 0 }, |counted| counted.count);
        let since = store.imports_after(dataset, before.newest).await?;
        let count = ImportCount {
            imports: before.imports + since.imports,
            newest: before.newest.max(since.newest),
        };
        let at = known.map_or_else(Instant::now, |counted| counted.at);
        self.lock().insert(dataset.to_owned(), Counted { at, count });
        Ok(count.imports)
    }

    /// Jobs were deleted: everything is counted again.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn known(&self, dataset: &str) -> Option<Counted> {
        let known = self.lock().get(dataset).copied();
        known.filter(|counted| {
            counted.count.imports > COUNTED_EACH_TIME && counted.at.elapsed() < COUNT_AGAIN
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Counted>> {
        // What it guards is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
