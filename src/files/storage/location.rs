//! Which storage there is, and its location: the name that is stored with each job, by which the
//! storage of the job is found again.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::access::BucketAccess;
use super::bucket::Bucket;
use super::local::{LocalStorage, write_once};
use super::url::StorageUrl;
use super::{Backend, Storage};
use crate::domain::hexadecimal::hex;
use crate::files::blocking::blocking;
use crate::files::error::SHARED;
use crate::files::folders::create_private;
use crate::files::{DataDir, FileError, disk_space};

/// The file that distinguishes a shared folder from an empty one in its place.
const MARKER: &str = "loadbay-storage";

impl Storage {
    /// The storage for new jobs: the one of the address, else the data directory. A shared folder
    /// must be there; the bucket is not asked yet. Blocks.
    ///
    /// # Errors
    /// When the address or a variable of the bucket cannot be used.
    pub fn connect(
        data_dir: Arc<DataDir>,
        url: Option<&StorageUrl>,
        access: &BucketAccess,
    ) -> Result<Self, FileError> {
        match url {
            None => Ok(Self::own(data_dir)),
            Some(StorageUrl::Folder(path)) => Self::shared_folder(data_dir, path),
            Some(url @ StorageUrl::Bucket { bucket, prefix }) => {
                let location = shared_location(&format!("s3://{bucket}/{prefix}"));
                let backend = Backend::Bucket(Bucket::connect(bucket, prefix, access)?);
                Ok(Self {
                    data_dir,
                    location: location.into(),
                    shown: url.to_string().into(),
                    backend,
                })
            }
        }
    }

    /// The data directory as a storage.
    #[must_use]
    pub fn own(data_dir: Arc<DataDir>) -> Self {
        let backend = Backend::Local(LocalStorage::new(data_dir.root().join("uploads")));
        let shown = data_dir.root().display().to_string().into();
        Self { location: data_dir.server_id().to_string().into(), shown, data_dir, backend }
    }

    fn shared_folder(data_dir: Arc<DataDir>, path: &Path) -> Result<Self, FileError> {
        let unusable = |why: &str| {
            let (path, why) = (path.to_owned(), why.to_owned());
            move |source| FileError::Unusable { directory: SHARED, path, why, source: Some(source) }
        };
        let root = path.canonicalize().map_err(unusable("create or mount it first"))?;
        let uploads = root.join("uploads");
        create_private(&uploads).map_err(unusable("it cannot be written to"))?;
        let id = marker(&root).map_err(unusable("`loadbay-storage` cannot be used"))?;
        let (location, shown) =
            (shared_location(&id.to_string()).into(), root.display().to_string().into());
        Ok(Self { data_dir, location, shown, backend: Backend::Local(LocalStorage::new(uploads)) })
    }

    /// The name of the location, at most 64 characters: what is stored with a new job.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Where it is, for logs only: a folder of this machine, or a bucket.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The names of all locations that this server reaches: this storage's and its own folder's.
    #[must_use]
    pub fn reachable_locations(&self) -> Vec<String> {
        let own = self.data_dir.server_id().to_string();
        if self.is_shared() { vec![self.location.to_string(), own] } else { vec![own] }
    }

    /// True when other servers reach the files as well.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        *self.location != self.data_dir.server_id().to_string()
    }

    /// The storage of a job whose files lie at `location`.
    ///
    /// # Errors
    /// [`FileError::Elsewhere`] when this server does not reach it.
    pub fn at(&self, location: &str) -> Result<Self, FileError> {
        if *self.location == *location {
            Ok(self.clone())
        } else if self.data_dir.server_id().to_string() == location {
            Ok(Self::own(Arc::clone(&self.data_dir)))
        } else {
            Err(FileError::Elsewhere)
        }
    }

    /// Checks that `wanted` bytes are free: in the data directory, which every file passes, and in a
    /// shared folder, where it stays. A bucket has no limit.
    ///
    /// # Errors
    /// [`FileError::InsufficientSpace`] when less than the minimum would stay free; a shared folder
    /// that is away.
    pub async fn check_free_space(&self, wanted: u64) -> Result<(), FileError> {
        if let Backend::Local(local) = &self.backend
            && self.is_shared()
        {
            let local = local.clone();
            let look = move || local.present().and_then(|()| disk_space::free_bytes(local.root()));
            self.data_dir.check_remaining(
                SHARED,
                blocking(disk_space::ASK, look).await?,
                wanted,
            )?;
        }
        self.data_dir.check_free_space(wanted)
    }

    /// Makes sure that files can be read here at the moment.
    ///
    /// # Errors
    /// A folder that is away, a bucket that does not answer.
    pub async fn answers(&self) -> Result<(), FileError> {
        let action = "reach the storage";
        match &self.backend {
            Backend::Local(local) => {
                let local = local.clone();
                self.in_local(action, move || local.present()).await
            }
            Backend::Bucket(bucket) => {
                bucket.ask().await.map_err(|fault| super::bucket::transfer(action, fault.into()))
            }
        }
    }

    /// Sends a request to a bucket, once at the start: a wrong address or wrong credentials stand in
    /// the log before the first upload.
    pub async fn ask(&self) {
        let Backend::Bucket(bucket) = &self.backend else { return };
        if let Err(fault) = bucket.ask().await {
            let (at, variables) = (&*self.shown, bucket.variables().join(", "));
            tracing::warn!(
                event = "bucket_unavailable",
                at,
                variables,
                error = %fault,
                "bucket does not answer as it should, uploads are refused and jobs wait"
            );
            if super::bucket::is_untrusted(&fault) {
                tracing::warn!(
                    event = "bucket_untrusted",
                    at,
                    "an authority that is not trusted issued the certificate of the bucket; \
                     name the certificate of that authority with AWS_CA_BUNDLE"
                );
            }
        }
    }
}

/// The name of a shared location, the same on every server that uses it.
pub(super) fn shared_location(identity: &str) -> String {
    let mut hash = hex(&Sha256::digest(identity.as_bytes()));
    hash.truncate(40);
    format!("shared:{hash}")
}

/// The name that a shared folder got from the first server that used it. A folder that is not
/// mounted has none, or another, so that its jobs are left alone until it is.
fn marker(root: &Path) -> io::Result<Uuid> {
    let path = root.join(MARKER);
    if !fs::exists(&path)? {
        write_once(&path, Uuid::new_v4())?;
    }
    let text = fs::read_to_string(&path)?;
    Uuid::parse_str(text.trim()).map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))
}
