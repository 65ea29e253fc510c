//! Which storage there is and what it is called: found by its address at the start, and by the place
//! that is stored with a job.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::access::BucketAccess;
use super::bucket::Bucket;
use super::tree::{Tree, write_once};
use super::url::StorageUrl;
use super::{Kind, Storage, blocking};
use crate::files::error::SHARED;
use crate::files::{FileError, Folder, create_private, hex, room};

/// The file that tells a shared folder from an empty one in its place.
const MARKER: &str = "loadbay-storage";

impl Storage {
    /// The storage for new jobs: the one of the address, else the data directory. A shared folder
    /// must be there; the bucket is not asked yet. Blocks.
    ///
    /// # Errors
    /// When the address or a variable of the bucket cannot be used.
    pub fn connect(
        folder: Arc<Folder>,
        url: Option<&StorageUrl>,
        access: &BucketAccess,
    ) -> Result<Self, FileError> {
        match url {
            None => Ok(Self::own(folder)),
            Some(StorageUrl::Folder(path)) => Self::shared_folder(folder, path),
            Some(url @ StorageUrl::Bucket { bucket, prefix }) => {
                let place = place_of(&format!("s3://{bucket}/{prefix}"));
                let kind = Kind::Bucket(Bucket::connect(bucket, prefix, access)?);
                Ok(Self { folder, place: place.into(), shown: url.to_string().into(), kind })
            }
        }
    }

    /// The data directory as a storage.
    #[must_use]
    pub fn own(folder: Arc<Folder>) -> Self {
        let kind = Kind::Tree(Tree::new(folder.root().join("uploads")));
        let shown = folder.root().display().to_string().into();
        Self { place: folder.server_id().to_string().into(), shown, folder, kind }
    }

    fn shared_folder(folder: Arc<Folder>, path: &Path) -> Result<Self, FileError> {
        let unusable = |why: &str| {
            let (path, why) = (path.to_owned(), why.to_owned());
            move |source| FileError::Unusable { place: SHARED, path, why, source: Some(source) }
        };
        let root = path.canonicalize().map_err(unusable("create or mount it first"))?;
        let uploads = root.join("uploads");
        create_private(&uploads).map_err(unusable("it cannot be written to"))?;
        let id = marker(&root).map_err(unusable("`loadbay-storage` cannot be used"))?;
        let (place, shown) = (place_of(&id.to_string()).into(), root.display().to_string().into());
        Ok(Self { folder, place, shown, kind: Kind::Tree(Tree::new(uploads)) })
    }

    /// The name of the place, at most 64 characters: what is stored with a new job.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Where it is, for logs only: a folder of this machine, or a bucket.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
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

    /// Makes sure that there is room for `wanted` bytes: in the data directory, which every file
    /// comes through, and in a shared folder, where it stays. A bucket has no end.
    ///
    /// # Errors
    /// [`FileError::NoRoom`] when less than the rest would stay free; a shared folder that is away.
    pub async fn has_room(&self, wanted: u64) -> Result<(), FileError> {
        if let Kind::Tree(tree) = &self.kind
            && self.is_shared()
        {
            let tree = tree.clone();
            let look = move || tree.present().and_then(|()| room::free(tree.root()));
            self.folder.leaves_rest(SHARED, blocking(room::ASK, look).await?, wanted)?;
        }
        self.folder.has_room(wanted)
    }

    /// Makes sure that files can be read here at the moment.
    ///
    /// # Errors
    /// A folder that is away, a bucket that does not answer.
    pub async fn answers(&self) -> Result<(), FileError> {
        let doing = "reach the storage";
        match &self.kind {
            Kind::Tree(tree) => {
                let tree = tree.clone();
                self.in_tree(doing, move || tree.present()).await
            }
            Kind::Bucket(bucket) => {
                bucket.ask().await.map_err(|fault| super::transfer(doing, fault.into()))
            }
        }
    }

    /// Asks a bucket for a sign of life, once at the start: what is wrong with its address or its
    /// credentials stands in the log before somebody needs it.
    pub async fn ask(&self) {
        let Kind::Bucket(bucket) = &self.kind else { return };
        if let Err(fault) = bucket.ask().await {
            let (at, variables) = (&*self.shown, bucket.variables().join(", "));
            tracing::warn!(
                at,
                variables,
                error = %fault,
                "the bucket does not answer as it should: uploads are refused and jobs wait"
            );
        }
    }
}

/// The name of a shared place, the same on every server that uses it.
pub(super) fn place_of(identity: &str) -> String {
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
