//! What the handlers share: the parts of the server that they call, and how they call them.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::cors::Origins;
use super::problem::Problem;
use crate::dataset::Datasets;
use crate::dataset::model::Dataset;
use crate::domain::error_code::ErrorCode;
use crate::files::{DataDir, Storage};
use crate::jobs::Jobs;
use crate::reader::Child;

/// The parts of the server that handlers call.
#[derive(Debug)]
pub struct Api {
    /// The jobs.
    pub jobs: Jobs,
    /// The data directory.
    pub data_dir: Arc<DataDir>,
    /// Where the files of new jobs go.
    pub storage: Storage,
    /// Every dataset there is.
    pub datasets: Arc<Datasets>,
    /// How workbooks are opened.
    pub child: Child,
    /// Bytes of an upload at most.
    pub max_upload: u64,
    /// Whose pages may use the API.
    pub cors_origins: Origins,
    /// Rows that are committed in one transaction.
    pub chunk_rows: u32,
    /// Places for workbooks that are being looked into, each by a process that may take the memory
    /// limit. Text needs none: it never waits behind a workbook.
    pub workbook_places: Arc<Semaphore>,
    /// Places for lists that are made out of an uploaded file and are as large.
    pub list_places: Arc<Semaphore>,
    /// The main runtime: what outlives a request runs there.
    pub runtime: Handle,
    /// Cancelled when the server is asked to stop.
    pub stopping: CancellationToken,
}

impl Api {
    /// Runs `work` to its end on the main runtime, even when the client goes away meanwhile: a
    /// database call that is dropped half-way may leave its connection inside a transaction, and a
    /// worker's runtime ends before the jobs do.
    pub(super) async fn run<T, E, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let done = self.runtime.spawn(work).await;
        done.map_err(|fault| Problem::because(ErrorCode::Internal, fault))?.map_err(Into::into)
    }

    /// Like [`run`](Self::run), for work that only waits: it ends when the client goes away.
    pub(super) async fn run_while_asked<T, E, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let done = AbortOnDropHandle::new(self.runtime.spawn(work)).await;
        done.map_err(|fault| Problem::because(ErrorCode::Internal, fault))?.map_err(Into::into)
    }

    /// The dataset called `name`.
    pub(super) fn dataset(&self, name: &str) -> Result<&Arc<Dataset>, Problem> {
        self.datasets.get(name).ok_or_else(|| {
            let names: Vec<_> = self.datasets.names().collect();
            let near = nearest(name, &names)
                .map_or_else(String::new, |near| format!(" did you mean `{near}`?"));
            let detail = format!(
                "there is no dataset `{}`;{near} the datasets are {}",
                crate::domain::row_error::shown(name),
                names.join(", ")
            );
            Problem::new(ErrorCode::UnknownDataset, detail)
        })
    }
}

/// The one of `names` that `name` is most like, if it is like any.
fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    // A path may be long; nobody's dataset has such a name, and comparing takes its square.
    let name = crate::domain::row_error::shown(name).to_lowercase();
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(known, &name);
    let scored = names.iter().map(|known| (*known, likeness(known)));
    let best = scored.filter(|(_, score)| *score >= 0.6).max_by(|a, b| a.1.total_cmp(&b.1));
    best.map(|(known, _)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_finds_the_right_one() {
        let names = ["dealers", "products", "transactions"];
        for (name, near) in [
            ("product", Some("products")),
            ("Dealers", Some("dealers")),
            ("customers", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &names), near, "{name}");
        }
    }
}
