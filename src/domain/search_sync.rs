//! How far the records of a job are passed on to the search engine, and how far a collection is that is
//! built anew. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Refused documents that are listed; all of them are counted.
const LISTED_MAX: usize = 20;

/// Whether the records of a job are in the search engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncStatus {
    /// None is passed on yet.
    #[default]
    Waiting,
    /// Some are.
    Running,
    /// All are, but for those that were refused.
    Completed,
}

/// A document that the search engine does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RefusedDocument {
    /// The id of the document.
    pub id: String,
    /// The search engine's reason.
    pub message: String,
}

/// How far the records of a job are passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchSync {
    /// Where it stands.
    pub status: SyncStatus,
    /// Documents that were created or replaced.
    pub upserted: u64,
    /// Documents that were removed.
    pub removed: u64,
    /// Documents that were refused.
    pub refused: u64,
    /// The first of these.
    pub errors: Vec<RefusedDocument>,
    /// Why the last attempt failed, until one succeeds.
    pub last_error: Option<String>,
    /// Failed attempts since the last one that succeeded.
    pub attempts: u32,
    /// When everything was passed on.
    pub completed_at: Option<DateTime<Utc>>,
    /// Grows with every change: of two states the one with the higher number is the later one.
    pub version: u64,
}

/// What became of some documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DocumentTally {
    /// Created or replaced.
    pub upserted: u64,
    /// Removed.
    pub removed: u64,
    /// Refused.
    pub refused: u64,
    /// The first of these.
    pub errors: Vec<RefusedDocument>,
}

impl DocumentTally {
    /// Counts a refused document, and lists it while there is room for `listed_max`.
    pub fn refuse(&mut self, document: RefusedDocument, listed_max: usize) {
        self.refused += 1;
        if self.errors.len() < listed_max {
            self.errors.push(document);
        }
    }

    /// Adds what became of more documents.
    pub fn add(&mut self, more: Self, listed_max: usize) {
        self.upserted += more.upserted;
        self.removed += more.removed;
        self.refused += more.refused;
        let room = listed_max.saturating_sub(self.errors.len());
        self.errors.extend(more.errors.into_iter().take(room));
    }
}

impl SearchSync {
    /// Documents of the job were passed on.
    pub fn add(&mut self, tally: &DocumentTally) {
        self.version += 1;
        if self.status == SyncStatus::Waiting {
            self.status = SyncStatus::Running;
        }
        self.upserted += tally.upserted;
        self.removed += tally.removed;
        self.refused += tally.refused;
        let room = LISTED_MAX.saturating_sub(self.errors.len());
        self.errors.extend(tally.errors.iter().take(room).cloned());
        self.succeed();
    }

    /// All of them were.
    pub fn complete(&mut self, at: DateTime<Utc>) {
        self.version += 1;
        self.status = SyncStatus::Completed;
        self.completed_at = Some(at);
        self.succeed();
    }

    /// An attempt failed; another one follows.
    pub fn fail(&mut self, message: String, attempts: u32) {
        self.version += 1;
        self.last_error = Some(message);
        self.attempts = attempts;
    }

    fn succeed(&mut self) {
        self.last_error = None;
        self.attempts = 0;
    }
}

/// How far a collection is that is built anew.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CollectionBuild {
    /// The collection.
    pub collection: String,
    /// The key of the last record that is in it.
    pub after: Option<Map<String, Value>>,
    /// What became of its documents.
    pub tally: DocumentTally,
    /// Rows of the outbox whose changes it contains.
    pub covers: Vec<i64>,
}

impl CollectionBuild {
    /// What is kept of it when it is in place.
    #[must_use]
    pub fn report(&self) -> Self {
        let mut tally = self.tally.clone();
        tally.errors.truncate(LISTED_MAX);
        Self { collection: self.collection.clone(), tally, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(id: usize) -> RefusedDocument {
        RefusedDocument { id: id.to_string(), message: "no".to_owned() }
    }

    #[test]
    fn refused_documents_are_all_counted_and_the_first_are_listed() {
        let mut tally = DocumentTally { upserted: 5, ..DocumentTally::default() };
        for id in 0..30 {
            tally.refuse(refused(id), 25);
        }
        assert_eq!((tally.refused, tally.errors.len()), (30, 25));
        let mut sync = SearchSync::default();
        sync.fail("away".to_owned(), 3);
        sync.add(&tally);
        sync.add(&tally);
        assert_eq!((sync.upserted, sync.refused, sync.errors.len()), (10, 60, LISTED_MAX));
        assert_eq!((sync.status, sync.last_error, sync.attempts), (SyncStatus::Running, None, 0));
    }

    #[test]
    fn every_change_is_a_later_state() {
        let mut sync = SearchSync::default();
        let mut versions = vec![sync.version];
        sync.fail("away".to_owned(), 1);
        versions.push(sync.version);
        sync.add(&DocumentTally::default());
        versions.push(sync.version);
        sync.complete(DateTime::UNIX_EPOCH);
        versions.push(sync.version);
        assert!(versions.is_sorted_by(|a, b| a < b));
        assert_eq!(sync.status, SyncStatus::Completed);
    }
}
