//! Where the files of jobs lie to stay: in the server's own data directory, in a folder that servers
//! share, or in a bucket. Whoever reads or writes a file of a job asks here and need not know which.
//!
//! Each storage has a *place*, a name that is stored with the job: whoever reaches the place can run
//! the job. [`Storage::at`] gives the storage of a job, which may be another than the one for new jobs.

mod bucket;
mod tree;
mod url;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempPath;
use uuid::Uuid;

use super::receive::{Arrived, Received};
use super::{FailedRows, FileError, Folder, failed_rows, hex};
use crate::domain::chunk::{FailedPart, FailedRow};
use crate::faults::fault;
use bucket::{Bucket, UploadFault};
pub(super) use tree::Tree;
pub use url::{BucketAccess, StorageUrl};

/// The file that tells a shared folder from an empty one in its place.
const MARKER: &str = "loadbay-storage";

/// Where the files of jobs lie; cheap to clone.
#[derive(Debug, Clone)]
pub struct Storage {
    folder: Arc<Folder>,
    place: Arc<str>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// A folder, the server's own or a shared one.
    Tree(Tree),
    /// A bucket.
    Bucket(Bucket),
}

/// The uploaded file of a job, to be read. A copy that was fetched goes with this value.
#[derive(Debug)]
pub struct SourceFile {
    path: PathBuf,
    fetched: Option<TempPath>,
    is_own: bool,
}

impl SourceFile {
    /// Where it lies: a local file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.fetched.as_deref().unwrap_or(&self.path)
    }

    /// True when nobody but this server could have changed it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.is_own
    }
}

impl Storage {
    /// The storage for new jobs: the one of the address, else the data directory. A shared folder
    /// must be there; the bucket is not asked yet. Blocks.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn connect(
        folder: Arc<Folder>,
        url: Option<&StorageUrl>,
        access: &BucketAccess,
    ) -> Result<Self, FileError> {
        match url {
            None => Ok(Self::own(folder)),
            Some(StorageUrl::Folder(path)) => Self::shared_folder(folder, path),
            Some(StorageUrl::Bucket { bucket, prefix }) => {
                let place = place_of(&format!("s3://{bucket}/{prefix}"));
                let bucket = Bucket::connect(bucket, prefix, access)
                    .map_err(|fault| FileError::bucket("set up the bucket", fault))?;
                Ok(Self { folder, place: place.into(), kind: Kind::Bucket(bucket) })
            }
        }
    }

    /// The data directory as a storage.
    #[must_use]
    pub fn own(folder: Arc<Folder>) -> Self {
        let kind = Kind::Tree(Tree::new(folder.root().join("uploads")));
        Self { place: folder.server_id().to_string().into(), folder, kind }
    }

    fn shared_folder(folder: Arc<Folder>, path: &Path) -> Result<Self, FileError> {
        let unusable = |why: &str| {
            let (path, why) = (path.to_owned(), why.to_owned());
            move |source| FileError::Unusable { path, why, source: Some(source) }
        };
        let root = path.canonicalize().map_err(unusable("create or mount it first"))?;
        let uploads = root.join("uploads");
        super::create_private(&uploads).map_err(unusable("it cannot be written to"))?;
        let id = marker(&root).map_err(unusable("`loadbay-storage` cannot be used"))?;
        let place = place_of(&id.to_string());
        Ok(Self { folder, place: place.into(), kind: Kind::Tree(Tree::new(uploads)) })
    }

    /// The name of the place, at most 64 characters: what is stored with a new job.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The names of all places that this server reaches: this storage's and its own folder's.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let own = self.folder.server_id().to_string();
        if self.is_shared() { vec![self.place.to_string(), own] } else { vec![own] }
    }

    /// True when other servers reach the files as well.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        *self.place != self.folder.server_id().to_string()
    }

    /// The storage of a job whose files lie at `place`.
    ///
    /// # Errors
    /// [`FileError::Elsewhere`] when this server does not reach it.
    pub fn at(&self, place: &str) -> Result<Self, FileError> {
        if *self.place == *place {
            Ok(self.clone())
        } else if self.folder.server_id().to_string() == place {
            Ok(Self::own(Arc::clone(&self.folder)))
        } else {
            Err(FileError::Elsewhere)
        }
    }

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
                blocking(doing, move || arrived.give(|file, path| tree.keep(uuid, file, path)))
                    .await?;
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
        let doing = "read the uploaded file";
        match &self.kind {
            Kind::Tree(tree) => {
                let (path, is_own) = (tree.source(uuid), !self.is_shared());
                let (tree, found) = (tree.clone(), path.clone());
                let look = move || tree.present().and_then(|()| fs::metadata(found)).map(drop);
                blocking(doing, look).await?;
                Ok(SourceFile { path, fetched: None, is_own })
            }
            Kind::Bucket(bucket) => {
                let size = bucket.size(uuid, tree::SOURCE).await;
                let size = size.map_err(|fault| FileError::bucket(doing, fault))?;
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
        let doing = "copy the uploaded file";
        match &self.kind {
            Kind::Tree(tree) => {
                let tree = tree.clone();
                blocking(doing, move || tree.copy_source(from, to)).await
            }
            Kind::Bucket(bucket) => {
                let copied = bucket.copy_source(from, to).await;
                copied.map_err(|fault| FileError::bucket(doing, fault))
            }
        }
    }

    /// Writes a small file of a job, to stay; one of this name is replaced.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn put(&self, uuid: Uuid, name: &str, bytes: Vec<u8>) -> Result<(), FileError> {
        let doing = "write a file of a job";
        match &self.kind {
            Kind::Tree(tree) => {
                let (tree, name) = (tree.clone(), name.to_owned());
                blocking(doing, move || tree.put(uuid, &name, &bytes)).await
            }
            Kind::Bucket(bucket) => {
                let put = bucket.put(uuid, name, bytes).await;
                put.map_err(|fault| FileError::bucket(doing, fault))
            }
        }
    }

    /// Reads a small file of a job.
    ///
    /// # Errors
    /// [`FileError::Missing`]; what the storage refuses.
    pub async fn get(&self, uuid: Uuid, name: &str) -> Result<Vec<u8>, FileError> {
        let doing = "read a file of a job";
        match &self.kind {
            Kind::Tree(tree) => {
                let (tree, name) = (tree.clone(), name.to_owned());
                blocking(doing, move || tree.get(uuid, &name)).await
            }
            Kind::Bucket(bucket) => {
                let got = bucket.get(uuid, name).await;
                got.map_err(|fault| FileError::bucket(doing, fault))
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
        let doing = "read the failed rows";
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
                let copies = blocking(doing, create).await?;
                let paths = (0..names.len()).map(|index| copies.path().join(index.to_string()));
                let paths = paths.collect();
                let fetched = bucket.fetch_all(uuid, names, copies.path()).await;
                fetched.map_err(|fault| transfer(doing, fault))?;
                Ok(blocking(doing, move || FailedRows::open(paths, Some(copies))).await?)
            }
        }
    }

    /// Removes everything of a job; one that has nothing here is fine.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn remove(&self, uuid: Uuid) -> Result<(), FileError> {
        let doing = "remove the files of a job";
        match &self.kind {
            Kind::Tree(tree) => {
                let tree = tree.clone();
                blocking(doing, move || tree.remove(uuid)).await
            }
            Kind::Bucket(bucket) => {
                let removed = bucket.remove(uuid).await;
                removed.map_err(|fault| FileError::bucket(doing, fault))
            }
        }
    }

    /// Removes what nobody needs without being waited for; what cannot be removed is left to the
    /// sweep.
    pub(super) fn remove_soon(&self, uuid: Uuid) {
        match &self.kind {
            Kind::Tree(tree) => super::receive::remove_soon(tree.home(uuid)),
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

    /// The jobs that have files here, all older than `older_than`: for the sweep of what no job
    /// knows.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn folders(&self, older_than: Duration) -> Result<Vec<Uuid>, FileError> {
        let doing = "list the stored files";
        match &self.kind {
            Kind::Tree(tree) => {
                let tree = tree.clone();
                blocking(doing, move || tree.folders(older_than)).await
            }
            Kind::Bucket(bucket) => {
                let listed = bucket.folders(older_than).await;
                listed.map_err(|fault| FileError::bucket(doing, fault))
            }
        }
    }
}

/// The name of a shared place, the same on every server that uses it.
fn place_of(identity: &str) -> String {
    let mut hash = hex(&Sha256::digest(identity.as_bytes()));
    hash.truncate(40);
    format!("shared:{hash}")
}

/// The name that a shared folder got from the first server that used it. A folder that is not
/// mounted has none, or another, so that its jobs are left alone until it is.
fn marker(root: &Path) -> io::Result<Uuid> {
    let path = root.join(MARKER);
    if let Err(fault) = fs::metadata(&path) {
        if fault.kind() != io::ErrorKind::NotFound {
            return Err(fault);
        }
        let mut file = tempfile::NamedTempFile::new_in(root)?;
        io::Write::write_all(file.as_file_mut(), format!("{}\n", Uuid::new_v4()).as_bytes())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            // Another server was faster: its name is the one.
            Err(fault) if fault.error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(fault.error);
            }
            _ => super::sync_folder(root)?,
        }
    }
    let text = fs::read_to_string(&path)?;
    Uuid::parse_str(text.trim()).map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))
}

fn transfer(doing: &'static str, fault: UploadFault) -> FileError {
    match fault {
        UploadFault::Local(source) => FileError::store(doing, source),
        UploadFault::Bucket(source) => FileError::bucket(doing, source),
    }
}

/// Runs file work on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, FileError> {
    let gone = |_| io::Error::other("the thread is gone");
    let done = tokio::task::spawn_blocking(work).await.map_err(gone);
    done.and_then(|done| done).map_err(|source| FileError::store(doing, source))
}

#[cfg(test)]
mod tests;
