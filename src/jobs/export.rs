//! The records of a dataset as the table has them now, to be edited and sent back.

use std::sync::Arc;

use super::context::Jobs;
use super::error::JobsError;
use super::mirror_check::MirrorFault;
use crate::dataset::ColumnValues;
use crate::dataset::model::Dataset;
use crate::domain::options::Options;
use crate::store::ExportPage;

/// Records that are read at a time.
pub const EXPORT_PAGE: u64 = 1_000;

/// The records that a client asks for.
#[derive(Debug, Clone)]
pub struct Export {
    dataset: Arc<Dataset>,
    scope: Arc<ColumnValues>,
    jobs: Jobs,
}

impl Jobs {
    /// The records of a dataset in the scope of these options. Reads nothing yet.
    ///
    /// # Errors
    /// `Mirror` when the scope names what the dataset does not have.
    pub fn export(&self, dataset: Arc<Dataset>, options: &Options) -> Result<Export, JobsError> {
        let scope = options.scope.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let scope = Arc::new(ColumnValues::read(&dataset, scope).map_err(MirrorFault::Scope)?);
        Ok(Export { dataset, scope, jobs: self.clone() })
    }
}

impl Export {
    /// The dataset.
    #[must_use]
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The records behind `after`, up to [`EXPORT_PAGE`].
    ///
    /// # Errors
    /// The store's.
    pub async fn page(&self, after: Option<String>) -> Result<ExportPage, JobsError> {
        let Self { dataset, scope, jobs } = self.clone();
        jobs.while_awaited(move |context| async move {
            let page = context.store.export_page(&dataset, &scope, after.as_deref(), EXPORT_PAGE);
            Ok(page.await?)
        })
        .await
    }
}
