//! One attempt to fetch a far file: goes on where the last one was cut, and ends with the whole file,
//! with the answer that it has not changed, or with a fault.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::address::FarAddress;
use super::answer::{Answer, Opened};
use super::partial::Partial;
use super::{FetchError, FetchProgress, FetchRules, web};
use crate::domain::download::{FileVersion, SourceUrl};
use crate::files::{DataDir, FileError, Storage, TempUpload};

/// Fetches far files.
#[derive(Debug, Clone)]
pub struct Fetcher {
    data_dir: Arc<DataDir>,
    storage: Storage,
    rules: Arc<FetchRules>,
    client: Client,
}

/// One attempt.
#[derive(Debug)]
pub struct Fetch<'a> {
    /// From where.
    pub url: &'a SourceUrl,
    /// The folder of what came so far: the job's.
    pub uuid: Uuid,
    /// A version that need not be sent again.
    pub known: Option<&'a FileVersion>,
    /// How long this and all later attempts may take.
    pub time_left: Duration,
    /// Says how far it is.
    pub progress: &'a FetchProgress,
    /// Ends it.
    pub stop: &'a CancellationToken,
}

/// A far file that is here.
#[derive(Debug)]
pub struct FarFile {
    /// The file. What was downloaded stays until [`Fetcher::forget`].
    pub upload: TempUpload,
    /// The name that the server gives it, else that of the address.
    pub file_name: Option<String>,
    /// The media type that the server names, which may be anything.
    pub media_type: Option<String>,
    /// Its version.
    pub version: FileVersion,
}

/// What an attempt ended with.
#[derive(Debug)]
pub enum Fetched {
    /// The whole file.
    Whole(Box<FarFile>),
    /// The version is the known one.
    NotChanged,
}

impl Fetcher {
    /// A fetcher that keeps what it downloads in the data directory.
    ///
    /// # Errors
    /// When the machine's certificates cannot be used.
    pub fn new(
        data_dir: Arc<DataDir>,
        storage: Storage,
        rules: FetchRules,
    ) -> Result<Self, FetchError> {
        let client = web::client(&rules)?;
        Ok(Self { data_dir, storage, rules: Arc::new(rules), client })
    }

    /// Checks what can be checked of an address without asking anybody.
    ///
    /// # Errors
    /// [`FetchError::NotAllowed`].
    pub fn check(&self, url: &SourceUrl) -> Result<(), FetchError> {
        match FarAddress::parse(url, &self.rules)? {
            FarAddress::Web(_) => Ok(()),
            FarAddress::Bucket { bucket, key } => self.storage.check_far(&bucket, &key),
        }
    }

    /// How long a download may take in all.
    #[must_use]
    pub fn time_max(&self) -> Duration {
        self.rules.time_max
    }

    /// The name of the file in an address, if it has one.
    #[must_use]
    pub fn name_in(url: &SourceUrl) -> Option<String> {
        let shown = url.shown();
        let (path, _query) = shown.split_once('?').unwrap_or((&shown, ""));
        let (_scheme, path) = path.split_once("://")?;
        let (_host, path) = path.split_once('/')?;
        let last = path.rsplit('/').next().filter(|name| !name.is_empty())?;
        Some(percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned())
    }

    /// Makes one attempt. Returns soon after `stop`, with every write ended.
    ///
    /// # Errors
    /// Why the file is not here yet; [`FetchError::next_attempt`] says whether another attempt may
    /// help.
    pub async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Fetched, FetchError> {
        let end = Instant::now() + fetch.time_left;
        let address = FarAddress::parse(fetch.url, &self.rules)?;
        let host = match &address {
            FarAddress::Web(url) => web::host(url),
            FarAddress::Bucket { bucket, .. } => format!("s3://{bucket}"),
        };
        let mut partial = Partial::open(&self.data_dir, self.folder(fetch.uuid)).await?;
        if !partial.is_whole() {
            let resume = partial.resume();
            if resume.is_some() {
                fetch.progress.set(partial.received(), partial.remote().total);
            }
            let known = fetch.known.filter(|known| resume.is_none() && !known.is_unknown());
            let open = async {
                match &address {
                    FarAddress::Web(url) => {
                        web::open(&self.client, &self.rules, url, resume.as_ref(), known).await
                    }
                    FarAddress::Bucket { bucket, key } => {
                        self.storage.open_far(bucket, key, resume.as_ref(), known).await
                    }
                }
            };
            let opened = tokio::select! {
                opened = open => opened,
                () = fetch.stop.cancelled() => return Err(FetchError::Stopped),
                () = tokio::time::sleep_until(end) => return Err(self.too_slow()),
            };
            match opened {
                Ok(Opened::NotChanged) => return Ok(Fetched::NotChanged),
                Ok(Opened::Whole) => {}
                Ok(Opened::Bytes(answer)) => {
                    self.take(answer, &mut partial, fetch, &host, end).await?;
                }
                Err(fault) => return Err(forgetting(fault, &mut partial).await?),
            }
            partial.end().await?;
        }
        fetch.progress.set(partial.received(), Some(partial.received()));
        self.whole(&partial, fetch.url, host).await
    }

    /// Takes the bytes of an answer to their end.
    async fn take(
        &self,
        mut answer: Answer,
        partial: &mut Partial,
        fetch: &Fetch<'_>,
        host: &str,
        end: Instant,
    ) -> Result<(), FetchError> {
        let total = answer.remote.total;
        self.check_size(total.unwrap_or(0))?;
        if answer.at == 0 {
            partial.begin(answer.remote.clone()).await?;
        } else if partial.remote().version.is_other_than(&answer.remote.version) {
            let changed = FetchError::Changed { host: host.to_owned() };
            return Err(forgetting(changed, partial).await?);
        }
        self.data_dir.check_free_space(total.unwrap_or(0).saturating_sub(partial.received()))?;
        loop {
            fetch.progress.set(partial.received(), total);
            let idle = self.rules.idle_max;
            let next = tokio::select! {
                next = answer.next() => next,
                () = fetch.stop.cancelled() => {
                    partial.flush().await?;
                    return Err(FetchError::Stopped);
                }
                () = tokio::time::sleep_until(end) => return Err(self.too_slow()),
                () = tokio::time::sleep(idle) => {
                    partial.flush().await?;
                    return Err(FetchError::Stalled { host: host.to_owned(), idle });
                }
            };
            let received = partial.received();
            let cut = FetchError::Cut { host: host.to_owned(), received, total };
            match next {
                Ok(Some(bytes)) => {
                    self.check_size(received.saturating_add(bytes.len() as u64))?;
                    partial.write(&bytes).await?;
                }
                Ok(None) if total.is_none_or(|total| total == received) => return Ok(()),
                Ok(None) | Err(_) => {
                    partial.flush().await?;
                    return Err(cut);
                }
            }
        }
    }

    fn check_size(&self, bytes: u64) -> Result<(), FileError> {
        let limit = self.rules.bytes_max;
        if bytes > limit { Err(FileError::TooLarge { limit }) } else { Ok(()) }
    }

    fn too_slow(&self) -> FetchError {
        FetchError::TimeLimit { limit: self.rules.time_max }
    }

    /// The whole file, unpacked if it was sent compressed.
    async fn whole(
        &self,
        partial: &Partial,
        url: &SourceUrl,
        host: String,
    ) -> Result<Fetched, FetchError> {
        let (remote, body) = (partial.remote().clone(), partial.body());
        let upload = if remote.is_gzip {
            let unpacked = self.data_dir.unpack_gzip(body, self.rules.bytes_max).await;
            unpacked.map_err(|fault| match fault {
                FileError::DamagedGzip { source } => FetchError::Corrupt { host, source },
                fault => fault.into(),
            })?
        } else {
            TempUpload::of_download(body).await?
        };
        let file_name = remote.file_name.or_else(|| Self::name_in(url));
        let (media_type, version) = (remote.media_type, remote.version);
        Ok(Fetched::Whole(Box::new(FarFile { upload, file_name, media_type, version })))
    }

    fn folder(&self, uuid: Uuid) -> PathBuf {
        self.data_dir.downloads().join(uuid.to_string())
    }

    /// Removes what came of a file so far.
    ///
    /// # Errors
    /// What the disk refuses.
    pub async fn forget(&self, uuid: Uuid) -> Result<(), FileError> {
        let folder = self.folder(uuid);
        let remove = move || crate::files::folders::remove_all(&folder);
        crate::files::blocking::blocking("remove a download", remove).await
    }

    /// The jobs of which something came so far.
    ///
    /// # Errors
    /// What the disk refuses.
    pub async fn begun(&self) -> Result<Vec<Uuid>, FileError> {
        let folder = self.data_dir.downloads();
        let list = move || {
            let entries = std::fs::read_dir(folder)?.flatten();
            let name = |entry: std::fs::DirEntry| {
                entry.file_name().to_str().and_then(|name| Uuid::parse_str(name).ok())
            };
            Ok(entries.filter_map(name).collect())
        };
        crate::files::blocking::blocking("list the downloads", list).await
    }
}

/// The fault, after which a file that changed begins anew.
async fn forgetting(fault: FetchError, partial: &mut Partial) -> Result<FetchError, FileError> {
    if matches!(fault, FetchError::Changed { .. }) {
        partial.begin(super::answer::RemoteFile::default()).await?;
    }
    Ok(fault)
}
