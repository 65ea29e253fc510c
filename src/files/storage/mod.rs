//! Where the files of jobs lie to stay: in the server's own data directory, in a folder that servers
//! share, or in a bucket. Whoever reads or writes a file of a job asks here and need not know which.
//!
//! Each storage has a *place*, a name that is stored with the job: whoever reaches the place can run
//! the job. [`Storage::at`] gives the storage of a job, which may be another than the one for new jobs.

mod access;
mod bucket;
mod owner;
mod pieces;
mod place;
mod source;
mod tree;
mod url;

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempPath;
use uuid::Uuid;

use super::arrived::{Arrived, Received};
use super::error::{DATA, SHARED};
use super::{FailedRows, FileError, Folder, failed_rows};
use crate::domain::chunk::{FailedPart, FailedRow};
use crate::faults::fault;
pub use access::BucketAccess;
use bucket::{Bucket, transfer};
pub use source::SourceFile;
pub(super) use tree::Tree;
pub use url::StorageUrl;

/// Where the files of jobs lie; cheap to clone.
#[derive(Debug, Clone)]
pub struct Storage {
    folder: Arc<Folder>,
    place: Arc<str>,
    shown: Arc<str>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// A folder, the server's own or a shared one.
    Tree(Tree),
    /// A bucket.
    Bucket(Bucket),
}

/// The files of a job, as a storage lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredFolder {
    /// The folder's name.
    pub uuid: Uuid,
    /// How long nothing was added to it.
    pub age: Duration,
}

impl Storage {
    /// Gives a file that arrived its place: it stays, whatever happens to the power. It is removed
    /// again when the value is dropped without [`Received::keep`].
    ///
    /// # Errors
    /// What the storage refuses; nothing is left behind then.
    pub async fn keep(&self, arrived: Arrived) -> Result<Received, FileError> {
        let doing = "store the upload";
        // From here on whatever is there already goes with this value.
        let received = Received::begin(self.clone(), &arrived);
        let uuid = received.uuid;
        match &self.kind {
            Kind::Tree(tree) => {
                let tree = tree.clone();
                let keep = move || arrived.give(|file, path| tree.keep(uuid, file, path));
                self.in_tree(doing, keep).await?;
            }
            Kind::Bucket(bucket) => {
                let kept = bucket.keep(uuid, &arrived.path, arrived.size).await;
                kept.map_err(|fault| transfer(doing, fault))?;
                // Its room is needed: not at some later time.
                let remove = move || arrived.give(|_, path| fs::remove_file(path));
                blocking(doing, remove).await?;
            }
        }
        fault!("receive.durable", FileError::broken(doing));
        Ok(received)
    }

    /// Opens the uploaded file of a job; one that lies in a bucket is fetched to the data directory
    /// first.
    ///
    /// # Errors
    /// [`FileError::Missing`]; what the storage or the disk refuses.
    pub async fn open(&self, uuid: Uuid) -> Result<SourceFile, FileError> {
        let doing = format!("read the uploaded file {uuid}/{}", tree::SOURCE);
        match &self.kind {
            Kind::Tree(tree) => {
                let (path, is_own) = (tree.source(uuid), !self.is_shared());
                let (tree, found) = (tree.clone(), path.clone());
                let look = move || tree.present().and_then(|()| fs::metadata(found)).map(drop);
                self.in_tree(doing, look).await?;
                Ok(SourceFile { path, fetched: None, is_own })
            }
            Kind::Bucket(bucket) => {
                let size = bucket.size(uuid, tree::SOURCE).await;
                let size = size.map_err(|fault| transfer(doing.clone(), fault))?;
                self.folder.has_room(size)?;
                let copy = self.temporary("source-").await?;
                let fetched = bucket.fetch(uuid, tree::SOURCE, size, &copy).await;
                fetched.map_err(|fault| transfer(doing, fault))?;
                Ok(SourceFile { path: PathBuf::new(), fetched: Some(copy), is_own: false })
            }
        }
    }

    async fn temporary(&self, prefix: &'static str) -> Result<TempPath, FileError> {
        let tmp = self.folder.tmp();
        let create = move || tempfile::Builder::new().prefix(prefix).tempfile_in(tmp);
        Ok(blocking("make room for a file", create).await?.into_temp_path())
    }

    /// Gives the new job `to` the uploaded file of the job `from`, which lies here as well.
    ///
    /// # Errors
    /// [`FileError::Missing`]; what the storage refuses.
    pub async fn copy_source(&self, from: Uuid, to: Uuid) -> Result<(), FileError> {
        let doing = format!("copy the uploaded file {from}/{}", tree::SOURCE);
        match &self.kind {
            Kind::Tree(tree) => {
                let tree = tree.clone();
                self.in_tree(doing, move || tree.copy_source(from, to)).await
            }
            Kind::Bucket(bucket) => {
                let copied = bucket.copy_source(from, to).await;
                copied.map_err(|fault| transfer(doing, fault))
            }
        }
    }

    /// Writes a small file of a job, to stay; one of this name is replaced.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn put(&self, uuid: Uuid, name: &str, bytes: Vec<u8>) -> Result<(), FileError> {
        let doing = format!("write the file {uuid}/{name}");
        match &self.kind {
            Kind::Tree(tree) => {
                let (tree, name) = (tree.clone(), name.to_owned());
                self.in_tree(doing, move || tree.put(uuid, &name, &bytes)).await
            }
            Kind::Bucket(bucket) => {
                let put = bucket.put(uuid, name, bytes).await;
                put.map_err(|fault| transfer(doing, fault))
            }
        }
    }

    /// Reads a small file of a job.
    ///
    /// # Errors
    /// [`FileError::Missing`]; what the storage refuses.
    pub async fn get(&self, uuid: Uuid, name: &str) -> Result<Vec<u8>, FileError> {
        let doing = format!("read the file {uuid}/{name}");
        match &self.kind {
            Kind::Tree(tree) => {
                let (tree, name) = (tree.clone(), name.to_owned());
                self.in_tree(doing, move || tree.get(uuid, &name)).await
            }
            Kind::Bucket(bucket) => {
                let got = bucket.get(uuid, name).await;
                got.map_err(|fault| transfer(doing, fault))
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
        let doing = format!("read the failed rows {uuid}/failed");
        let names: Vec<String> = parts.iter().map(|part| failed_rows::name(*part)).collect();
        match &self.kind {
            Kind::Tree(tree) => {
                let (tree, paths) = (tree.clone(), tree.paths(uuid, &names));
                let read = move || tree.present().and_then(|()| FailedRows::open(paths, None));
                Ok(blocking(doing, read).await?)
            }
            Kind::Bucket(bucket) => {
                let tmp = self.folder.tmp();
                let create = move || tempfile::Builder::new().prefix("failed-").tempdir_in(tmp);
                let copies = blocking("make room for the failed rows", create).await?;
                let paths = (0..names.len()).map(|index| copies.path().join(index.to_string()));
                let paths = paths.collect();
                let fetched = bucket.fetch_all(uuid, names, copies.path()).await;
                fetched.map_err(|fault| transfer(doing.clone(), fault))?;
                Ok(blocking(doing, move || FailedRows::open(paths, Some(copies))).await?)
            }
        }
    }

    /// Removes everything of a job and gives the bytes that this frees; one that has nothing here is
    /// fine.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn remove(&self, uuid: Uuid) -> Result<u64, FileError> {
        let doing = format!("remove the files {uuid}");
        match &self.kind {
            Kind::Tree(tree) => {
                let tree = tree.clone();
                blocking(doing, move || tree.remove(uuid)).await
            }
            Kind::Bucket(bucket) => {
                let removed = bucket.remove(uuid).await;
                removed.map_err(|fault| transfer(doing, fault))
            }
        }
    }

    /// Removes what nobody needs without being waited for; what cannot be removed is left to the
    /// sweep.
    pub(super) fn remove_soon(&self, uuid: Uuid) {
        match &self.kind {
            Kind::Tree(tree) => super::arrived::remove_soon(tree.home(uuid)),
            Kind::Bucket(bucket) => {
                let bucket = bucket.clone();
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(async move {
                        if let Err(fault) = bucket.remove(uuid).await {
                            tracing::warn!(%uuid, error = %fault, "an upload that nobody needs was not removed");
                        }
                    });
                }
            }
        }
    }

    /// The jobs that have files here: for the sweep of what no job knows.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn folders(&self) -> Result<Vec<StoredFolder>, FileError> {
        let doing = "list the stored files";
        match &self.kind {
            Kind::Tree(tree) => {
                let tree = tree.clone();
                blocking(doing, move || tree.folders()).await
            }
            Kind::Bucket(bucket) => bucket.folders().await.map_err(|fault| transfer(doing, fault)),
        }
    }

    /// Runs work on the tree; a full disk is that of the tree.
    async fn in_tree<T: Send + 'static>(
        &self,
        doing: impl Into<Cow<'static, str>>,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, FileError> {
        let place = if self.is_shared() { SHARED } else { DATA };
        blocking(doing, work).await.map_err(|fault| fault.within(place))
    }
}

/// Runs file work on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    doing: impl Into<Cow<'static, str>>,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, FileError> {
    let gone = |_| io::Error::other("the thread is gone");
    let done = tokio::task::spawn_blocking(work).await.map_err(gone);
    done.and_then(|done| done).map_err(|source| FileError::store(doing, source))
}

#[cfg(test)]
mod tests;
