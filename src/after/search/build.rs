//! Fills a new collection with all records of a dataset and puts it in the place of the old one. Goes on
//! where it was when the server ended in the middle.

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::{Map, Value, json};

use super::consumer::{BATCH, REFUSED_LISTED_MAX, SearchConsumer, key_id};
use super::document::{fields, key};
use super::error::SyncError;
use crate::dataset::model::Dataset;
use crate::domain::search_sync::{CollectionBuild, DocumentTally, RefusedDocument};
use crate::faults::fault;
use crate::store::{ChangeKind, SearchLease, StoreError};

/// Digits of the number that tells the collections of an alias apart: the time in seconds.
const NUMBER_DIGITS: usize = 10;

/// What a new collection holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildReport {
    /// The name under which it is searched.
    pub alias: String,
    /// The collection itself.
    pub collection: String,
    /// What became of the records.
    pub tally: DocumentTally,
}

impl SearchConsumer {
    /// Builds the collection of a dataset; the lease knows of it then.
    pub(super) async fn build(
        &self,
        dataset: &Dataset,
        lease: &SearchLease,
    ) -> Result<SearchLease, SyncError> {
        let unfinished = lease.build.clone().filter(|_| !lease.build_requested);
        let mut build = match unfinished {
            Some(build) => build,
            None => self.begin(dataset, lease).await?,
        };
        match self.fill(dataset, lease, &mut build).await {
            Err(fault) if fault.is_missing() => {
                // It was removed in the middle: what was sent is lost.
                build = self.begin(dataset, lease).await?;
                self.fill(dataset, lease, &mut build).await?;
            }
            filled => filled?,
        }
        self.put_in_place(dataset, lease, &build).await?;
        let mut after = lease.clone();
        after.collection = Some(build.collection);
        after.shape = Some(Self::shape(dataset));
        (after.build, after.build_requested) = (None, false);
        Ok(after)
    }

    async fn begin(
        &self,
        dataset: &Dataset,
        lease: &SearchLease,
    ) -> Result<CollectionBuild, SyncError> {
        let alias = self.alias(dataset);
        let taken = self.typesense.collections().await?;
        let mut number = Utc::now().timestamp();
        let collection = loop {
            let name = format!("{alias}_{number:0>NUMBER_DIGITS$}");
            if !taken.contains(&name) {
                break name;
            }
            number += 1;
        };
        // What these changes did is in the table, which is read from here on.
        let covers = self.store.change_numbers(&dataset.name).await?;
        let build = CollectionBuild { collection, covers, ..CollectionBuild::default() };
        self.note(lease, &build).await?;
        let schema = json!({ "name": build.collection, "fields": fields(dataset) });
        self.typesense.create_collection(&schema).await?;
        tracing::info!(
            event = "search_build_begun",
            dataset = dataset.name,
            collection = build.collection,
            "search collection is built"
        );
        Ok(build)
    }

    async fn fill(
        &self,
        dataset: &Dataset,
        lease: &SearchLease,
        build: &mut CollectionBuild,
    ) -> Result<(), SyncError> {
        // It may not be there yet where the server ended just before.
        let schema = json!({ "name": build.collection, "fields": fields(dataset) });
        if build.after.is_none() {
            self.typesense.create_collection(&schema).await?;
        }
        while !self.stop.is_cancelled() {
            let page = self.store.records_after(dataset, build.after.as_ref(), BATCH).await?;
            let Some(last) = page.last() else { return Ok(()) };
            let after = key(dataset, last);
            let sent = self.upsert(dataset, &build.collection, &page).await?;
            build.after = Some(after);
            build.tally.add(sent, REFUSED_LISTED_MAX);
            self.note(lease, build).await?;
            fault!("search.page", StoreError::busy().into());
        }
        Err(SyncError::Stopped)
    }

    async fn note(&self, lease: &SearchLease, build: &CollectionBuild) -> Result<(), SyncError> {
        if self.store.note_build(lease, build).await? {
            return Ok(());
        }
        Err(SyncError::LostLease { dataset: lease.dataset.clone() })
    }

    /// Points the alias at the collection, and removes those that were there before it.
    async fn put_in_place(
        &self,
        dataset: &Dataset,
        lease: &SearchLease,
        build: &CollectionBuild,
    ) -> Result<(), SyncError> {
        let alias = self.alias(dataset);
        self.typesense.set_alias(&alias, &build.collection).await?;
        let covered = self.covered(dataset, build).await?;
        let shape = Self::shape(dataset);
        let jobs = self.store.end_build(lease, build, &shape, &covered).await?;
        let lost = || SyncError::LostLease { dataset: dataset.name.clone() };
        for job in jobs.ok_or_else(lost)? {
            (self.on_job)(job);
        }
        tracing::info!(
            event = "search_build_ended",
            dataset = dataset.name,
            collection = build.collection,
            documents = build.tally.upserted,
            refused = build.tally.refused,
            "search collection is in place"
        );
        for old in self.typesense.collections().await? {
            if old != build.collection && is_of_alias(&old, &alias) {
                self.typesense.drop_collection(&old).await?;
            }
        }
        Ok(())
    }

    /// What became of the documents of each change that the collection contains: its number, its
    /// job and the tally.
    async fn covered(
        &self,
        dataset: &Dataset,
        build: &CollectionBuild,
    ) -> Result<Vec<(i64, i64, DocumentTally)>, SyncError> {
        let mut refused: BTreeMap<&str, &RefusedDocument> =
            build.tally.errors.iter().map(|it| (it.id.as_str(), it)).collect();
        let mut covered = Vec::with_capacity(build.covers.len());
        for number in &build.covers {
            let Some(change) = self.store.change_by_number(*number).await? else { continue };
            let ChangeKind::Records { keys, count } = change.kind else { continue };
            let mut tally = DocumentTally::default();
            if !refused.is_empty() {
                let keys: Vec<Map<String, Value>> = serde_json::from_str(&keys).unwrap_or_default();
                let ids = keys.iter().map(|key| key_id(dataset, key));
                for found in ids.filter_map(|id| refused.remove(id.as_str())) {
                    tally.refuse(found.clone(), REFUSED_LISTED_MAX);
                }
            }
            tally.upserted = count.saturating_sub(tally.refused);
            covered.push((change.id, change.job, tally));
        }
        Ok(covered)
    }
}

/// True of a collection that was made for the alias.
fn is_of_alias(collection: &str, alias: &str) -> bool {
    let number = collection.strip_prefix(alias).and_then(|rest| rest.strip_prefix('_'));
    number.is_some_and(|it| it.len() == NUMBER_DIGITS && it.bytes().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_collections_of_the_alias_are_replaced() {
        assert!(is_of_alias("products_1795880501", "products"));
        for other in ["products", "products_old", "products_17958805011", "my_products_1795880501"]
        {
            assert!(!is_of_alias(other, "products"), "{other}");
        }
    }
}
