//! Saved mappings: what the headers of a supplier's file mean is said once. A later file with the same
//! headers is read with the same mapping, also by a script that knows nothing of it.

use std::collections::BTreeMap;

use super::context::{Jobs, JobsContext};
use super::error::JobsError;
use super::submit::ImportRequest;
use crate::dataset::model::Dataset;
use crate::dataset::{Match, header_fingerprint};
use crate::domain::saved_mapping::{MappingName, NewMapping, SavedMapping};

impl Jobs {
    /// The saved mappings of a dataset, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn mappings(&self, dataset: &str) -> Result<Vec<SavedMapping>, JobsError> {
        let dataset = dataset.to_owned();
        self.on_runtime(|context| async move { Ok(context.store.saved_mappings(&dataset).await?) })
            .await
    }

    /// A saved mapping of a dataset.
    ///
    /// # Errors
    /// `NoMapping`; else the store's.
    pub async fn mapping(
        &self,
        dataset: &str,
        name: MappingName,
    ) -> Result<SavedMapping, JobsError> {
        let dataset = dataset.to_owned();
        self.on_runtime(|context| async move { context.mapping(&dataset, &name).await }).await
    }

    /// Remembers a mapping in place of an earlier one of the same name.
    ///
    /// # Errors
    /// `TooManyMappings`; else the store's.
    pub async fn save_mapping(&self, new: NewMapping) -> Result<SavedMapping, JobsError> {
        self.on_runtime(|context| async move { context.save_mapping(&new).await }).await
    }

    /// Forgets a saved mapping.
    ///
    /// # Errors
    /// `NoMapping`; else the store's.
    pub async fn forget_mapping(&self, dataset: &str, name: MappingName) -> Result<(), JobsError> {
        let dataset = dataset.to_owned();
        self.on_runtime(|context| async move {
            if context.store.forget_mapping(&dataset, &name).await? {
                return Ok(());
            }
            Err(JobsError::NoMapping { dataset, name })
        })
        .await
    }
}

impl JobsContext {
    async fn mapping(&self, dataset: &str, name: &MappingName) -> Result<SavedMapping, JobsError> {
        let found = self.store.saved_mapping(dataset, name).await?;
        let (dataset, name) = (dataset.to_owned(), name.clone());
        found.ok_or(JobsError::NoMapping { dataset, name })
    }

    async fn save_mapping(&self, new: &NewMapping) -> Result<SavedMapping, JobsError> {
        let saved = self.store.save_mapping(new).await?;
        saved.ok_or_else(|| JobsError::TooManyMappings(new.dataset.clone()))
    }

    /// Puts the mapping that the upload names into its options. What the upload itself maps wins.
    pub(super) async fn take_named_mapping(
        &self,
        request: &mut ImportRequest,
    ) -> Result<(), JobsError> {
        let Some(name) = request.options.saved_mapping.clone() else { return Ok(()) };
        let mut mapping = self.mapping(&request.dataset.name, &name).await?.saved.mapping;
        mapping.append(&mut request.options.mapping);
        request.options.mapping = mapping;
        Ok(())
    }

    /// Puts the mapping that was saved for these headers into the options of an upload that maps
    /// nothing itself.
    pub(super) async fn take_mapping_of_headers(
        &self,
        request: &mut ImportRequest,
        header: &[String],
    ) -> Result<(), JobsError> {
        let options = &mut request.options;
        if options.saved_mapping.is_some() || !options.mapping.is_empty() {
            return Ok(());
        }
        let fingerprint = header_fingerprint(header);
        let found = self.store.mapping_of_headers(&request.dataset.name, &fingerprint).await?;
        if let Some(SavedMapping { saved, .. }) = found {
            options.mapping = saved.mapping;
            options.saved_mapping = Some(saved.name);
        }
        Ok(())
    }

    /// Notes the use of a saved mapping, and remembers the mapping of the upload under the name that the
    /// upload gives it.
    pub(super) async fn keep_mapping(
        &self,
        request: &ImportRequest,
        header: &[String],
        matched: &Match,
    ) -> Result<(), JobsError> {
        let (dataset, options) = (&request.dataset, &request.options);
        if let Some(name) = &options.saved_mapping {
            self.store.use_mapping(&dataset.name, name).await?;
        }
        let Some(name) = options.save_mapping.clone() else { return Ok(()) };
        let new = NewMapping {
            dataset: dataset.name.clone(),
            name,
            fingerprint: Some(header_fingerprint(header)),
            headers: header.to_vec(),
            mapping: whole_mapping(dataset, header, matched),
            created_by: request.created_by.clone(),
        };
        self.save_mapping(&new).await.map(drop)
    }
}

/// What each header feeds, also where its name alone would have said so: names that are known today may
/// be others tomorrow.
fn whole_mapping(
    dataset: &Dataset,
    header: &[String],
    matched: &Match,
) -> BTreeMap<String, String> {
    let named = header.iter().zip(matched.names(dataset));
    let feeds = named.filter(|(cell, _)| !cell.trim().is_empty());
    let mut mapping = BTreeMap::new();
    for (cell, column) in feeds {
        // Of two equal headers the one that feeds a column counts.
        let entry: &mut String = mapping.entry(cell.clone()).or_default();
        if entry.is_empty() {
            *entry = column.unwrap_or_default();
        }
    }
    mapping
}
