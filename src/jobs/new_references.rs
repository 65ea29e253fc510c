//! Records of other tables that an import would create, before it does: a slip such as «Dilusion» is seen
//! beside the name that is there. A preview finds them in the first rows of a file, a dry run in all.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::backoff::retry_transient;
use super::context::{Jobs, JobsContext};
use super::error::{JobsError, RunError};
use super::stop::Stop;
use crate::dataset::model::{Column, Dataset, Reference};
use crate::dataset::{Converter, Plan, can_be_replaced};
use crate::domain::job::Job;
use crate::domain::limits::REFERENCES_MAX;
use crate::domain::name_search::FoundNames;
use crate::domain::new_reference::NewReferences;
use crate::domain::record::{Records, Value, readable_name};
use crate::domain::row::RawRow;
use crate::domain::similar::SimilarNames;

/// The first rows of a file as records.
#[derive(Debug)]
pub struct SampleRecords {
    /// The dataset's column of each value.
    columns: Vec<usize>,
    records: Records,
}

impl SampleRecords {
    /// Converts the rows that an import would take.
    pub fn new(plan: &Plan, converter: &mut Converter, rows: &[RawRow]) -> Self {
        let mut records = Records::new(converter.width());
        for row in rows {
            if converter.skips(row).is_none() {
                // A row with a fault creates nothing.
                let _is_good = converter.convert(row, &mut records).is_ok();
            }
        }
        Self { columns: plan.columns.clone(), records }
    }

    /// The columns of `dataset` whose cells create records, each with the place of its value.
    fn creating<'d>(&self, dataset: &'d Dataset) -> Vec<(usize, &'d Column)> {
        let fed = self.columns.iter().enumerate();
        let fed = fed.filter_map(|(value, index)| Some((value, dataset.columns.get(*index)?)));
        fed.filter(|(_, column)| creates(column)).collect()
    }

    /// Adds the names of a column that are not stored.
    fn add_new(
        &self,
        (value, column): (usize, &Column),
        stored: &[String],
        new: &mut NewReferences,
    ) {
        let stored: HashSet<String> = stored.iter().map(|name| name.to_lowercase()).collect();
        let Some(reference) = column.named_records() else { return };
        for record in 0..self.records.len() {
            let Value::Text(text) = self.records.value(record, value) else { continue };
            let names: Vec<Cow<'_, str>> = match &column.join {
                // A list is a JSON array of names.
                Some(_) => serde_json::from_str(text).unwrap_or_default(),
                None => vec![text.into()],
            };
            for name in names.iter().filter(|name| !stored.contains(&name.to_lowercase())) {
                let row = self.records.row_number(record);
                new.add(&column.name, &reference.table, &readable_name(name), (1, row));
            }
        }
    }
}

fn creates(column: &Column) -> bool {
    column.named_records().is_some_and(|reference| reference.create)
}

impl Jobs {
    /// The names in the other table that contain `text`, at most `limit`; of a table with more than
    /// [`REFERENCES_MAX`] of them not all are looked through.
    ///
    /// # Errors
    /// The store's.
    pub async fn reference_names(
        &self,
        reference: Reference,
        text: String,
        limit: usize,
    ) -> Result<FoundNames, JobsError> {
        self.while_awaited(move |context| async move {
            let stored = context.store.reference_names(&reference).await?;
            let is_whole = stored.len() < REFERENCES_MAX;
            let search = move || FoundNames::among(stored, &text, limit);
            let found =
                tokio::task::spawn_blocking(search).await.map_err(|_| JobsError::Panicked)?;
            Ok(FoundNames { more: found.more || !is_whole, ..found })
        })
        .await
    }

    /// What the first rows of a file would create in other tables.
    ///
    /// # Errors
    /// The store's.
    pub async fn new_references(
        &self,
        dataset: &Arc<Dataset>,
        sample: SampleRecords,
    ) -> Result<NewReferences, JobsError> {
        let dataset = Arc::clone(dataset);
        self.while_awaited(|context| async move {
            let mut columns = Vec::new();
            for (value, column) in sample.creating(&dataset) {
                let Some(reference) = column.named_records() else { continue };
                let stored = context.store.reference_names(reference).await?;
                // Of a larger table nobody knows which names are missing.
                if stored.len() < REFERENCES_MAX {
                    columns.push((value, column.clone(), stored));
                }
            }
            let compare = move || {
                let mut new = NewReferences::default();
                for (value, column, stored) in columns {
                    sample.add_new((value, &column), &stored, &mut new);
                    if can_be_replaced(&column) {
                        new.compare(&column.name, &SimilarNames::new(stored));
                    }
                }
                new.keep_shown();
                new
            };
            tokio::task::spawn_blocking(compare).await.map_err(|_| JobsError::Panicked)
        })
        .await
    }
}

/// Compares what the rows of a dry run would create with what is there, once all rows have their outcome.
pub(super) async fn compare(
    context: &JobsContext,
    job: &Job,
    dataset: &Dataset,
    stop: &Stop,
) -> Result<(), RunError> {
    if !job.options.dry_run {
        return Ok(());
    }
    let (id, store) = (job.id, &context.run_store);
    let found = retry_transient(id, stop.token(), || store.get(id)).await?;
    let found = found.and_then(|job| job.new_references);
    let Some(mut new) = found else { return Ok(()) };
    let named: BTreeSet<String> = new.columns().map(str::to_owned).collect();
    let mut stored = Vec::new();
    let compared = dataset.columns.iter().filter(|column| named.contains(&column.name));
    for column in compared.filter(|column| can_be_replaced(column)) {
        let Some(reference) = column.named_records() else { continue };
        let read = || store.reference_names(reference);
        stored.push((column.name.clone(), retry_transient(id, stop.token(), read).await?));
    }
    let compare = move || {
        for (column, names) in stored {
            new.compare(&column, &SimilarNames::new(names));
        }
        new.keep_shown();
        new
    };
    let new = tokio::task::spawn_blocking(compare).await.map_err(|_| RunError::Panicked)?;
    let kept = retry_transient(id, stop.token(), || store.keep_new_references(job, &new)).await?;
    context.manager.publish(kept.ok_or(RunError::Stopped)?);
    Ok(())
}
