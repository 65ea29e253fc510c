//! Where the files of jobs lie to stay: in the server's own data directory, in a folder that servers
//! share, or in a bucket. Code that reads or writes a file of a job need not know which.
//!
//! Each storage has a location, a name that is stored with the job: every server that reaches the
//! location can run the job. [`Storage::at`] gives the storage of a job, which may be another than the
//! one for new jobs.

mod access;
mod bucket;
mod far;
mod layout;
mod local;
mod location;
mod owner;
mod ranged_reader;
mod source;
mod stored_upload;
mod url;

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempPath;
use uuid::Uuid;

use super::blocking::blocking;
use super::error::{DATA, SHARED};
use super::{DataDir, FailedRows, FileError, failed_rows};
use crate::domain::chunk::{FailedPart, FailedRow};
pub use access::BucketAccess;
use bucket::{Bucket, transfer};
use layout::{JobDir, SOURCE};
use local::LocalStorage;
pub use source::SourceFile;
pub use stored_upload::StoredUpload;
pub use url::StorageUrl;

/// Where the files of jobs lie; cheap to clone.
#[derive(Debug, Clone)]
pub struct Storage {
    data_dir: Arc<DataDir>,
    location: Arc<str>,
    shown: Arc<str>,
    backend: Backend,
}

#[derive(Debug, Clone)]
enum Backend {
    /// A folder: the server's own or a shared one.
    Local(LocalStorage),
    /// A bucket.
    Bucket(Bucket),
}

impl Storage {
    /// Opens the uploaded file of a job; one that lies in a bucket is fetched to the data directory
    /// first.
    ///
    /// # Errors
    /// [`FileError::Missing`]; what the storage or the disk refuses.
    pub async fn open(&self, uuid: Uuid) -> Result<SourceFile, FileError> {
        let action = format!("read the uploaded file {uuid}/{SOURCE}");
        match &self.backend {
            Backend::Local(local) => {
                let (path, is_own) = (local.source(uuid), !self.is_shared());
                let (local, found) = (local.clone(), path.clone());
                let look = move || local.present().and_then(|()| fs::metadata(found)).map(drop);
                self.in_local(action, look).await?;
                Ok(SourceFile { path, fetched: None, is_own })
            }
            Backend::Bucket(bucket) => {
                let size = bucket.size(uuid, SOURCE).await;
                let size = size.map_err(|fault| transfer(action.clone(), fault))?;
                self.data_dir.check_free_space(size)?;
                let copy = self.temporary("source-").await?;
                let fetched = bucket.fetch(uuid, SOURCE, size, &copy).await;
                fetched.map_err(|fault| transfer(action, fault))?;
                Ok(SourceFile { path: PathBuf::new(), fetched: Some(copy), is_own: false })
            }
        }
    }

    async fn temporary(&self, prefix: &'static str) -> Result<TempPath, FileError> {
        let tmp = self.data_dir.tmp();
        let create = move || tempfile::Builder::new().prefix(prefix).tempfile_in(tmp);
        Ok(blocking("make room for a file", create).await?.into_temp_path())
    }

    /// Gives the new job `to` the uploaded file of the job `from`, which lies here as well.
    ///
    /// # Errors
    /// [`FileError::Missing`]; what the storage refuses.
    pub async fn copy_source(&self, from: Uuid, to: Uuid) -> Result<(), FileError> {
        let action = format!("copy the uploaded file {from}/{SOURCE}");
        match &self.backend {
            Backend::Local(local) => {
                let local = local.clone();
                self.in_local(action, move || local.copy_source(from, to)).await
            }
            Backend::Bucket(bucket) => {
                let copied = bucket.copy_source(from, to).await;
                copied.map_err(|fault| transfer(action, fault))
            }
        }
    }

    /// Writes a small file of a job, to stay; one of this name is replaced.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn put(&self, uuid: Uuid, name: &str, bytes: Vec<u8>) -> Result<(), FileError> {
        let action = format!("write the file {uuid}/{name}");
        match &self.backend {
            Backend::Local(local) => {
                let (local, name) = (local.clone(), name.to_owned());
                self.in_local(action, move || local.put(uuid, &name, &bytes)).await
            }
            Backend::Bucket(bucket) => {
                let put = bucket.put(uuid, name, bytes).await;
                put.map_err(|fault| transfer(action, fault))
            }
        }
    }

    /// Reads a small file of a job.
    ///
    /// # Errors
    /// [`FileError::Missing`]; what the storage refuses.
    pub async fn get(&self, uuid: Uuid, name: &str) -> Result<Vec<u8>, FileError> {
        let action = format!("read the file {uuid}/{name}");
        match &self.backend {
            Backend::Local(local) => {
                let (local, name) = (local.clone(), name.to_owned());
                self.in_local(action, move || local.get(uuid, &name)).await
            }
            Backend::Bucket(bucket) => {
                let got = bucket.get(uuid, name).await;
                got.map_err(|fault| transfer(action, fault))
            }
        }
    }

    /// Writes the failed rows of one chunk, in the order of the file, to stay. A part that is there
    /// already is replaced; without rows nothing is written.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn write_failed_part(
        &self,
        uuid: Uuid,
        part: FailedPart,
        rows: &[FailedRow],
    ) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        Ok(self.put(uuid, &failed_rows::name(part), failed_rows::lines(rows)?).await?)
    }

    /// The failed rows of the given parts in the order of the file; to be read on a thread that may
    /// block.
    ///
    /// # Errors
    /// A part that is missing or cannot be read.
    pub async fn failed_rows(&self, uuid: Uuid, parts: &[FailedPart]) -> io::Result<FailedRows> {
        let action = format!("read the failed rows {uuid}/failed");
        let names: Vec<String> = parts.iter().map(|part| failed_rows::name(*part)).collect();
        match &self.backend {
            Backend::Local(local) => {
                let (local, paths) = (local.clone(), local.paths(uuid, &names));
                let read = move || local.present().and_then(|()| FailedRows::open(paths, None));
                Ok(blocking(action, read).await?)
            }
            Backend::Bucket(bucket) => {
                let tmp = self.data_dir.tmp();
                let create = move || tempfile::Builder::new().prefix("failed-").tempdir_in(tmp);
                let copies = blocking("make room for the failed rows", create).await?;
                let paths = (0..names.len()).map(|index| copies.path().join(index.to_string()));
                let paths = paths.collect();
                let fetched = bucket.fetch_all(uuid, names, copies.path()).await;
                fetched.map_err(|fault| transfer(action.clone(), fault))?;
                Ok(blocking(action, move || FailedRows::open(paths, Some(copies))).await?)
            }
        }
    }

    /// Removes everything of a job and gives the bytes that this frees; one that has nothing here is
    /// fine.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn remove(&self, uuid: Uuid) -> Result<u64, FileError> {
        let action = format!("remove the files {uuid}");
        match &self.backend {
            Backend::Local(local) => {
                let local = local.clone();
                blocking(action, move || local.remove(uuid)).await
            }
            Backend::Bucket(bucket) => {
                let removed = bucket.remove(uuid).await;
                removed.map_err(|fault| transfer(action, fault))
            }
        }
    }

    /// The jobs that have files here: for the sweep of what no job knows.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn job_dirs(&self) -> Result<Vec<JobDir>, FileError> {
        let action = "list the stored files";
        match &self.backend {
            Backend::Local(local) => {
                let local = local.clone();
                blocking(action, move || local.job_dirs()).await
            }
            Backend::Bucket(bucket) => {
                bucket.job_dirs().await.map_err(|fault| transfer(action, fault))
            }
        }
    }

    /// Runs work on the local storage; an error of a full disk names its folder.
    async fn in_local<T: Send + 'static>(
        &self,
        action: impl Into<Cow<'static, str>>,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, FileError> {
        let storage = if self.is_shared() { SHARED } else { DATA };
        blocking(action, work).await.map_err(|fault| fault.within(storage))
    }
}

#[cfg(test)]
mod tests;
