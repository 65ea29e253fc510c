//! A bucket of S3, or of anything that speaks its protocol: every file of a job is an object below
//! `<prefix>/<uuid>/`. Files pass through in pieces and are never in memory.

mod error;
mod send;

use std::collections::BTreeMap;
use std::path::Path as LocalPath;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt, RetryConfig};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::access::BucketAccess;
use super::layout::{JobDir, OWNER};
use super::ranged_reader::RangedReader;
use crate::files::FileError;
use error::unavailable;
pub(super) use error::{BucketError, is_untrusted, transfer};

/// Bytes of one request at most: they must come through within the time of a request (30 s). What
/// is fetched gets by with less, see [`RangedReader`].
const PIECE_BYTES: u64 = 8 << 20;

/// Bytes that one call copies on the storage's side: it answers when all are copied, and that must
/// be within the time of a request, too.
const COPY_BYTES_MAX: u64 = 512 << 20;

/// How long a request may take, with all its bytes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Objects of a job that are fetched at the same time.
const FETCHES_AT_ONCE: usize = 4;

/// A bucket, from one prefix on.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// Its name, where it has one.
    name: Arc<str>,
    prefix: Path,
    piece_bytes: u64,
    copy_bytes_max: u64,
    /// The names of the variables that opened it.
    variables: Arc<[String]>,
}

impl Bucket {
    /// The bucket, opened with `access`. Sends no request yet.
    pub(super) fn connect(
        bucket: &str,
        prefix: &str,
        access: &BucketAccess,
    ) -> Result<Self, FileError> {
        let action = "set up the bucket";
        // Patience is the caller's: a job waits for hours, a request for seconds.
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.,
            },
            max_retries: 4,
            retry_timeout: Duration::from_secs(8),
        };
        let client = access.trust(ClientOptions::new().with_timeout(REQUEST_TIMEOUT))?;
        // Before the variables, some of which are about the client.
        let builder = AmazonS3Builder::new().with_client_options(client);
        let builder = access.apply(builder)?.with_bucket_name(bucket).with_retry(retry);
        let store = builder.build().map_err(|fault| unavailable(action, fault))?;
        let prefix = Path::from_url_path(prefix);
        let prefix = prefix.map_err(|fault| unavailable(action, fault.into()))?;
        Ok(Self {
            variables: access.names().into(),
            name: bucket.into(),
            ..Self::new(Arc::new(store), prefix)
        })
    }

    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        let (piece_bytes, copy_bytes_max) = (PIECE_BYTES, COPY_BYTES_MAX);
        let (name, variables) = (Arc::default(), Arc::default());
        Self { store, name, prefix, piece_bytes, copy_bytes_max, variables }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What the names of all its files begin with.
    pub(super) fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// The bucket itself.
    pub(super) fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// Bytes of one request at most.
    pub(super) fn piece_bytes(&self) -> u64 {
        self.piece_bytes
    }

    /// The names of the variables that opened it.
    pub(super) fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Asks for a sign of life.
    pub(super) async fn ask(&self) -> Result<(), Error> {
        self.store.list(self.listed()).next().await.transpose().map(drop)
    }

    /// What every list begins with.
    fn listed(&self) -> Option<&Path> {
        Some(&self.prefix).filter(|prefix| !prefix.is_root())
    }

    /// The answer about an object that may not exist. A missing bucket gives the same answer (404), so
    /// the bucket itself is asked then, and after it the object once more: the bucket may have come
    /// back in between.
    pub(super) async fn found<T>(
        &self,
        object: &Path,
        asked: Result<T, Error>,
    ) -> Result<T, BucketError> {
        let Err(fault @ Error::NotFound { .. }) = asked else { return Ok(asked?) };
        self.ask().await?;
        match self.store.head(object).await {
            Err(Error::NotFound { .. }) => Err(BucketError::Missing),
            Err(other) => Err(other.into()),
            Ok(_) => Err(fault.into()),
        }
    }

    /// The database that the files belong to; when that is none yet, `database` from now on. What
    /// cannot be read is no database.
    pub(super) async fn owner(&self, database: Uuid) -> Result<Option<Uuid>, BucketError> {
        let object = self.prefix.clone().join(OWNER);
        let text = match self.found(&object, self.store.get(&object).await).await {
            Ok(stored) => stored.bytes().await?,
            Err(BucketError::Missing) => {
                // Of two servers the last one wins; each looks again before it removes anything.
                self.store.put(&object, format!("{database}\n").into_bytes().into()).await?;
                self.store.get(&object).await?.bytes().await?
            }
            Err(fault) => return Err(fault),
        };
        Ok(Uuid::parse_str(String::from_utf8_lossy(&text).trim()).ok())
    }

    fn job_dir(&self, uuid: Uuid) -> Path {
        self.prefix.clone().join(uuid.to_string())
    }

    fn object(&self, uuid: Uuid, name: &str) -> Path {
        name.split('/').fold(self.job_dir(uuid), Path::join)
    }

    /// Bytes of an object of a job.
    pub(super) async fn size(&self, uuid: Uuid, name: &str) -> Result<u64, BucketError> {
        let object = self.object(uuid, name);
        Ok(self.found(&object, self.store.head(&object).await).await?.size)
    }

    /// Writes the `size` bytes of an object of a job to a local file.
    pub(super) async fn fetch(
        &self,
        uuid: Uuid,
        name: &str,
        size: u64,
        to: &LocalPath,
    ) -> Result<(), BucketError> {
        let object = self.object(uuid, name);
        let mut pieces = self.pieces(object.clone(), size);
        let mut file = tokio::fs::File::create(to).await?;
        while let Some(bytes) = self.found(&object, pieces.next().await).await? {
            file.write_all(&bytes).await?;
        }
        file.flush().await?;
        Ok(())
    }

    fn pieces(&self, object: Path, size: u64) -> RangedReader {
        RangedReader::of(Arc::clone(&self.store), object, size, self.piece_bytes)
    }

    /// Writes objects of a job to a local folder, each under its place in `names`.
    pub(super) async fn fetch_all(
        &self,
        uuid: Uuid,
        names: Vec<String>,
        to: &LocalPath,
    ) -> Result<(), BucketError> {
        let copies = names.into_iter().enumerate().map(|(index, name)| {
            let (bucket, file) = (self.clone(), to.join(index.to_string()));
            async move {
                let size = bucket.size(uuid, &name).await?;
                bucket.fetch(uuid, &name, size, &file).await
            }
        });
        let mut fetched = futures_util::stream::iter(copies).buffer_unordered(FETCHES_AT_ONCE);
        let mut all = Ok(());
        while let Some(fetched) = fetched.next().await {
            // To the end of each: one that still writes would outlive the folder.
            all = all.and(fetched);
        }
        all
    }

    /// Writes an object of a job.
    pub(super) async fn put(
        &self,
        uuid: Uuid,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<(), BucketError> {
        self.store.put(&self.object(uuid, name), bytes.into()).await?;
        Ok(())
    }

    /// Reads an object of a job.
    pub(super) async fn get(&self, uuid: Uuid, name: &str) -> Result<Vec<u8>, BucketError> {
        let object = self.object(uuid, name);
        let stored = self.store.get(&object).await;
        Ok(self.found(&object, stored).await?.bytes().await?.into())
    }

    /// Removes every object of a job and gives the bytes that this frees.
    pub(super) async fn remove(&self, uuid: Uuid) -> Result<u64, BucketError> {
        let freed = Arc::new(AtomicU64::new(0));
        let bytes = Arc::clone(&freed);
        let objects = self.store.list(Some(&self.job_dir(uuid)));
        let paths = objects.map_ok(move |object| {
            bytes.fetch_add(object.size, Ordering::Relaxed);
            object.location
        });
        let mut removed = self.store.delete_stream(paths.boxed());
        while let Some(removed) = removed.next().await {
            match removed {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(freed.load(Ordering::Relaxed))
    }

    /// The jobs that have objects here, each with the age of its youngest one.
    pub(super) async fn job_dirs(&self) -> Result<Vec<JobDir>, BucketError> {
        let mut objects = self.store.list(self.listed());
        let mut newest: BTreeMap<Uuid, DateTime<Utc>> = BTreeMap::new();
        while let Some(object) = objects.try_next().await? {
            let Some(mut inside) = object.location.prefix_match(&self.prefix) else { continue };
            let uuid = inside.next().and_then(|name| Uuid::parse_str(name.as_ref()).ok());
            if let Some(uuid) = uuid {
                let known = newest.entry(uuid).or_insert(object.last_modified);
                *known = object.last_modified.max(*known);
            }
        }
        let now = Utc::now();
        let folder = |(uuid, changed): (Uuid, DateTime<Utc>)| JobDir {
            uuid,
            age: (now - changed).to_std().unwrap_or_default(),
        };
        Ok(newest.into_iter().map(folder).collect())
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;
    use crate::files::storage::layout::SOURCE;

    fn bucket() -> Bucket {
        let mut bucket = Bucket::new(Arc::new(InMemory::new()), Path::from("in/here"));
        bucket.piece_bytes = 1_000;
        bucket
    }

    #[tokio::test]
    async fn a_file_in_many_pieces_comes_back_as_it_was() {
        let (bucket, dir, uuid) = (bucket(), tempfile::tempdir().unwrap(), Uuid::new_v4());
        for size in [0_usize, 1, 999, 1_000, 1_001, 1_000_003] {
            let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let (from, to) = (dir.path().join("from"), dir.path().join("to"));
            std::fs::write(&from, &bytes).unwrap();
            bucket.store_source(uuid, &from, size as u64).await.unwrap();
            bucket.fetch(uuid, SOURCE, size as u64, &to).await.unwrap();
            assert!(std::fs::read(&to).unwrap() == bytes, "{size}");
        }
        let copy = Uuid::new_v4();
        bucket.copy_source(uuid, copy).await.unwrap();
        assert_eq!(bucket.get(copy, SOURCE).await.unwrap().len(), 1_000_003);
        bucket.remove(uuid).await.unwrap();
        assert!(matches!(bucket.get(uuid, SOURCE).await, Err(BucketError::Missing)));
        let left = bucket.job_dirs().await.unwrap();
        assert_eq!(left.iter().map(|folder| folder.uuid).collect::<Vec<_>>(), [copy]);
        assert!(left.iter().all(|folder| folder.age < Duration::from_mins(1)));
        assert_eq!(bucket.remove(copy).await.unwrap(), 1_000_003);
    }
}
