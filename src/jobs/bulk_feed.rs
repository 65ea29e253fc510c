//! What the subscribers of one bulk share: its jobs as the table has them. However many follow a bulk,
//! the table is asked once at a time.
//!
//! A feed lives as long as somebody follows the bulk. Who keeps it true is not known here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;
use uuid::Uuid;

use crate::domain::bulk::BulkJob;

/// The jobs of a bulk, as they were read last.
pub(super) type BulkFeed = watch::Sender<Arc<[BulkJob]>>;

/// The feeds of all bulks that are followed.
#[derive(Debug, Default)]
pub(super) struct BulkFeeds(Mutex<HashMap<Uuid, Weak<BulkFeed>>>);

impl BulkFeeds {
    /// The feed of a bulk, whose jobs are `now` so, and whether it is new: then nobody followed the
    /// bulk before.
    pub(super) fn of(&self, id: Uuid, now: &[BulkJob]) -> (Arc<BulkFeed>, bool) {
        // Nothing in it is left half-changed by a panic.
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&id).and_then(Weak::upgrade) {
            return (feed, false);
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = Arc::new(BulkFeed::new(Arc::from(now)));
        feeds.insert(id, Arc::downgrade(&feed));
        (feed, true)
    }
}
