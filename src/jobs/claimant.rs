//! What this server states about itself when it claims a job or renews its lease.

use std::collections::BTreeMap;

use super::context::JobsContext;
use crate::store::{Claimant, TableConcurrency};

/// Who claims here, which files it can read, which datasets it has, and how many jobs may write to
/// each table.
pub(super) fn claimant(context: &JobsContext) -> Claimant {
    let owner = context.data_dir.server_id().to_string();
    let mut limits: BTreeMap<&str, TableConcurrency> = BTreeMap::new();
    let datasets = context.datasets.current();
    for compiled in datasets.iter() {
        let dataset = &compiled.dataset;
        let none = TableConcurrency { datasets: Vec::new(), running_max: dataset.running_max };
        let limit = limits.entry(&dataset.table).or_insert(none);
        limit.datasets.push(dataset.name.clone());
        limit.running_max = limit.running_max.min(dataset.running_max);
    }
    Claimant {
        storage_locations: context.storage.reachable_locations(),
        owner,
        lease: context.settings.lease,
        datasets: datasets.iter().map(|compiled| compiled.dataset.name.clone()).collect(),
        only: None,
        limits: limits.into_values().collect(),
        busy_with: Vec::new(),
        downloads: false,
        has_unknown_claims: false,
    }
}
