//! What the handlers share: the parts of the server that they call.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::hosts::Hosts;
use super::origins::Origins;
use super::problem::Problem;
use super::tls::ServerCertificate;
use crate::access::{Access, Meters};
use crate::after::webhooks::Webhooks;
use crate::dataset::model::Dataset;
use crate::definitions::Definitions;
use crate::domain::error_code::ErrorCode;
use crate::domain::networks::Networks;
use crate::domain::path_prefix::PathPrefix;
use crate::domain::row_error::shown;
use crate::domain::similar::nearest;
use crate::files::{DataDir, Storage};
use crate::jobs::Jobs;

/// The parts of the server that handlers call.
#[derive(Debug)]
pub struct Api {
    /// The jobs.
    pub jobs: Jobs,
    /// Who is notified of their ends.
    pub webhooks: Webhooks,
    /// Who may use them.
    pub access: Access,
    /// What each key did lately.
    pub meters: Meters,
    /// Its certificate, where it speaks TLS.
    pub certificate: Option<ServerCertificate>,
    /// How long browsers are to ask it by TLS only.
    pub hsts: Option<Duration>,
    /// The names that it answers to.
    pub hosts: Hosts,
    /// No other machine reaches it.
    pub is_loopback: bool,
    /// Nobody but the user of this process reaches the server.
    pub has_own_socket: bool,
    /// The data directory.
    pub data_dir: Arc<DataDir>,
    /// Where the files of new jobs go.
    pub storage: Storage,
    /// Every dataset there is.
    pub datasets: Arc<Definitions>,
    /// Bytes of an upload at most.
    pub max_upload: u64,
    /// Whose pages may use the API.
    pub cors_origins: Origins,
    /// The path below which clients see the server, unless a proxy says another one.
    pub path_prefix: PathPrefix,
    /// Who may say so.
    pub trusted_proxies: Networks,
    /// The encoding that a guess at the name of a file prefers.
    pub home_encoding: Option<String>,
    /// Rows that are committed in one transaction.
    pub chunk_rows: u32,
    /// One for each list that may be made at a time out of an uploaded file: it is as large.
    pub list_slots: Arc<Semaphore>,
    /// How long the stream of a session waits for its import.
    pub session_wait: Duration,
    /// Cancelled when the server is asked to stop.
    pub stopping: CancellationToken,
}

impl Api {
    /// The dataset called `name`.
    pub(super) fn dataset(&self, name: &str) -> Result<Arc<Dataset>, Problem> {
        self.datasets.get(name).ok_or_else(|| {
            let datasets = self.datasets.current();
            let names: Vec<_> = datasets.names().collect();
            let near = nearest(name, names.iter().copied())
                .map_or_else(String::new, |near| format!(" did you mean `{near}`?"));
            let detail = format!(
                "there is no dataset `{}`;{near} the datasets are {}",
                shown(name),
                names.join(", ")
            );
            Problem::new(ErrorCode::UnknownDataset, detail)
        })
    }
}
