//! A bucket of S3, or of anything that speaks its protocol: every file of a job is an object below
//! `<prefix>/<uuid>/`. Files pass through in pieces and are never in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path as LocalPath;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use super::StoredFolder;
use super::access::BucketAccess;
use super::owner::OWNER;
use super::pieces::Pieces;
use super::tree::SOURCE;
use crate::files::FileError;

/// Bytes of one request at most: they must come through within the time of a request (30 s). What
/// is fetched gets by with less, see [`Pieces`].
const PIECE_BYTES: u64 = 8 << 20;

/// Pieces of one upload at most; the protocol allows 10,000.
const PIECES_MAX: u64 = 9_000;

/// Pieces of one upload that are on their way at the same time.
const PIECES_AT_ONCE: usize = 2;

/// Bytes that one call copies on the storage's side: it answers when all are copied, and that must
/// be within the time of a request, too.
const COPY_BYTES_MAX: u64 = 512 << 20;

/// How long a request may take, with all its bytes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes that are read from a local file at a time.
const READ_BYTES: usize = 256 << 10;

/// Objects of a job that are fetched at the same time.
const FETCHES_AT_ONCE: usize = 4;

/// A bucket, from one prefix on.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    piece_bytes: u64,
    copy_bytes_max: u64,
    /// The names of the variables that opened it.
    variables: Arc<[String]>,
}

impl Bucket {
    /// The bucket, opened with `access`. Asks nobody yet.
    pub(super) fn connect(
        bucket: &str,
        prefix: &str,
        access: &BucketAccess,
    ) -> Result<Self, FileError> {
        let doing = "set up the bucket";
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
        let client = ClientOptions::new().with_timeout(REQUEST_TIMEOUT);
        // Before the variables, some of which are about the client.
        let builder = AmazonS3Builder::new().with_client_options(client);
        let builder = access.apply(builder)?.with_bucket_name(bucket).with_retry(retry);
        let store = builder.build().map_err(|fault| unavailable(doing, fault))?;
        let prefix = Path::from_url_path(prefix);
        let prefix = prefix.map_err(|fault| unavailable(doing, fault.into()))?;
        Ok(Self { variables: access.names().into(), ..Self::new(Arc::new(store), prefix) })
    }

    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        let (piece_bytes, copy_bytes_max) = (PIECE_BYTES, COPY_BYTES_MAX);
        Self { store, prefix, piece_bytes, copy_bytes_max, variables: Arc::default() }
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

    /// What was asked of an object, which may not be there. A bucket that is gone answers the same
    /// (404), so whoever gets that asks the bucket itself.
    async fn found<T>(&self, asked: Result<T, Error>) -> Result<T, Fault> {
        match asked {
            Err(Error::NotFound { .. }) => {
                self.ask().await?;
                Err(Fault::Missing)
            }
            other => Ok(other?),
        }
    }

    /// The database that the files belong to; when that is none yet, `database` from now on. What
    /// cannot be read is no database.
    pub(super) async fn owner(&self, database: Uuid) -> Result<Option<Uuid>, Fault> {
        let object = self.prefix.clone().join(OWNER);
        let text = match self.found(self.store.get(&object).await).await {
            Ok(stored) => stored.bytes().await?,
            Err(Fault::Missing) => {
                // Of two servers the last one wins; each looks again before it removes anything.
                self.store.put(&object, format!("{database}\n").into_bytes().into()).await?;
                self.store.get(&object).await?.bytes().await?
            }
            Err(fault) => return Err(fault),
        };
        Ok(Uuid::parse_str(String::from_utf8_lossy(&text).trim()).ok())
    }

    fn home(&self, uuid: Uuid) -> Path {
        self.prefix.clone().join(uuid.to_string())
    }

    fn object(&self, uuid: Uuid, name: &str) -> Path {
        name.split('/').fold(self.home(uuid), Path::join)
    }

    /// Uploads a local file as the source of a job.
    pub(super) async fn keep(&self, uuid: Uuid, path: &LocalPath, size: u64) -> Result<(), Fault> {
        let mut file = tokio::fs::File::open(path).await?;
        let object = self.object(uuid, SOURCE);
        if size <= self.piece_bytes {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).await?;
            self.store.put(&object, bytes.into()).await?;
            return Ok(());
        }
        let mut upload = self.upload(&object, size).await?;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let sent = match file.read(&mut buffer).await {
                Ok(0) => break,
                Ok(count) => {
                    let ready = upload.wait_for_capacity(PIECES_AT_ONCE).await;
                    upload.write(buffer.get(..count).unwrap_or_default());
                    ready.map_err(Fault::from)
                }
                Err(fault) => Err(fault.into()),
            };
            if let Err(fault) = sent {
                // What was sent costs room until it is thrown away; a rule of the bucket may do so.
                let _thrown_away = upload.abort().await;
                return Err(fault);
            }
        }
        upload.finish().await?;
        Ok(())
    }

    async fn upload(&self, object: &Path, size: u64) -> Result<WriteMultipart, Error> {
        let piece = self.piece_bytes.max(size.div_ceil(PIECES_MAX));
        let upload = self.store.put_multipart(object).await?;
        let piece = usize::try_from(piece).unwrap_or(usize::MAX);
        Ok(WriteMultipart::new_with_chunk_size(upload, piece))
    }

    /// Bytes of an object of a job.
    pub(super) async fn size(&self, uuid: Uuid, name: &str) -> Result<u64, Fault> {
        Ok(self.found(self.store.head(&self.object(uuid, name)).await).await?.size)
    }

    /// Writes the `size` bytes of an object of a job to a local file.
    pub(super) async fn fetch(
        &self,
        uuid: Uuid,
        name: &str,
        size: u64,
        to: &LocalPath,
    ) -> Result<(), Fault> {
        let mut pieces = self.pieces(self.object(uuid, name), size);
        let mut file = tokio::fs::File::create(to).await?;
        while let Some(bytes) = self.found(pieces.next().await).await? {
            file.write_all(&bytes).await?;
        }
        file.flush().await?;
        Ok(())
    }

    fn pieces(&self, object: Path, size: u64) -> Pieces {
        Pieces::of(Arc::clone(&self.store), object, size, self.piece_bytes)
    }

    /// Writes objects of a job to a local folder, each under its place in `names`.
    pub(super) async fn fetch_all(
        &self,
        uuid: Uuid,
        names: Vec<String>,
        to: &LocalPath,
    ) -> Result<(), Fault> {
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

    /// Gives the job `to` the source of the job `from`: copied on the storage's side, or, if that
    /// took too long for one call, through here.
    pub(super) async fn copy_source(&self, from: Uuid, to: Uuid) -> Result<(), Fault> {
        let size = self.size(from, SOURCE).await?;
        let (from, to) = (self.object(from, SOURCE), self.object(to, SOURCE));
        if size <= self.copy_bytes_max {
            return self.found(self.store.copy(&from, &to).await).await;
        }
        let mut upload = self.upload(&to, size).await?;
        let mut pieces = self.pieces(from, size);
        loop {
            let copied = async {
                upload.wait_for_capacity(PIECES_AT_ONCE).await?;
                self.found(pieces.next().await).await
            };
            match copied.await {
                Ok(Some(bytes)) => upload.put(bytes),
                Ok(None) => break,
                Err(fault) => {
                    let _thrown_away = upload.abort().await;
                    return Err(fault);
                }
            }
        }
        upload.finish().await?;
        Ok(())
    }

    /// Writes an object of a job.
    pub(super) async fn put(&self, uuid: Uuid, name: &str, bytes: Vec<u8>) -> Result<(), Fault> {
        self.store.put(&self.object(uuid, name), bytes.into()).await?;
        Ok(())
    }

    /// Reads an object of a job.
    pub(super) async fn get(&self, uuid: Uuid, name: &str) -> Result<Vec<u8>, Fault> {
        let stored = self.store.get(&self.object(uuid, name)).await;
        Ok(self.found(stored).await?.bytes().await?.into())
    }

    /// Removes every object of a job and gives the bytes that this frees.
    pub(super) async fn remove(&self, uuid: Uuid) -> Result<u64, Fault> {
        let freed = Arc::new(AtomicU64::new(0));
        let bytes = Arc::clone(&freed);
        let objects = self.store.list(Some(&self.home(uuid)));
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
    pub(super) async fn folders(&self) -> Result<Vec<StoredFolder>, Fault> {
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
        let folder = |(uuid, changed): (Uuid, DateTime<Utc>)| StoredFolder {
            uuid,
            age: (now - changed).to_std().unwrap_or_default(),
        };
        Ok(newest.into_iter().map(folder).collect())
    }
}

/// Why something asked of a bucket came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// The local file.
    Local(std::io::Error),
    /// The bucket is there, the object is not.
    Missing,
    /// The bucket.
    Bucket(Error),
}

impl From<std::io::Error> for Fault {
    fn from(fault: std::io::Error) -> Self {
        Self::Local(fault)
    }
}

impl From<Error> for Fault {
    fn from(fault: Error) -> Self {
        Self::Bucket(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(fault) => fault.fmt(f),
            Self::Missing => f.write_str("it is not there"),
            Self::Bucket(fault) => fault.fmt(f),
        }
    }
}

/// What a bucket said. What is not certain to last may pass: a key that was withdrawn is given
/// again, a bucket that was renamed comes back.
fn unavailable(doing: impl Into<Cow<'static, str>>, fault: Error) -> FileError {
    FileError::Unavailable { doing: doing.into(), source: Box::new(fault) }
}

/// The fault of `doing` something with a bucket.
pub(super) fn transfer(doing: impl Into<Cow<'static, str>>, fault: Fault) -> FileError {
    match fault {
        Fault::Local(source) => FileError::store(doing, source),
        Fault::Missing => FileError::Missing { doing: doing.into() },
        Fault::Bucket(source) => unavailable(doing, source),
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    fn bucket() -> Bucket {
        let mut bucket = Bucket::new(Arc::new(InMemory::new()), Path::from("in/here"));
        bucket.piece_bytes = 1_000;
        bucket
    }

    #[tokio::test]
    async fn a_file_in_many_pieces_comes_back_as_it_was() {
        let (bucket, place, uuid) = (bucket(), tempfile::tempdir().unwrap(), Uuid::new_v4());
        for size in [0_usize, 1, 999, 1_000, 1_001, 1_000_003] {
            let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let (from, to) = (place.path().join("from"), place.path().join("to"));
            std::fs::write(&from, &bytes).unwrap();
            bucket.keep(uuid, &from, size as u64).await.unwrap();
            bucket.fetch(uuid, SOURCE, size as u64, &to).await.unwrap();
            assert!(std::fs::read(&to).unwrap() == bytes, "{size}");
        }
        let copy = Uuid::new_v4();
        bucket.copy_source(uuid, copy).await.unwrap();
        assert_eq!(bucket.get(copy, SOURCE).await.unwrap().len(), 1_000_003);
        bucket.remove(uuid).await.unwrap();
        assert!(matches!(bucket.get(uuid, SOURCE).await, Err(Fault::Missing)));
        let left = bucket.folders().await.unwrap();
        assert_eq!(left.iter().map(|folder| folder.uuid).collect::<Vec<_>>(), [copy]);
        assert!(left.iter().all(|folder| folder.age < Duration::from_mins(1)));
        assert_eq!(bucket.remove(copy).await.unwrap(), 1_000_003);
    }

    #[tokio::test]
    async fn what_is_too_large_for_one_copy_is_copied_in_pieces() {
        let (mut bucket, place) = (bucket(), tempfile::tempdir().unwrap());
        bucket.copy_bytes_max = 10;
        let (from, to, path) = (Uuid::new_v4(), Uuid::new_v4(), place.path().join("from"));
        std::fs::write(&path, vec![7; 3_500]).unwrap();
        bucket.keep(from, &path, 3_500).await.unwrap();
        bucket.copy_source(from, to).await.unwrap();
        assert_eq!(bucket.get(to, SOURCE).await.unwrap(), vec![7; 3_500]);
        let missing = bucket.copy_source(Uuid::new_v4(), to).await;
        assert!(matches!(missing, Err(Fault::Missing)));
    }

    #[test]
    fn what_is_not_found_is_a_missing_file_only_when_the_bucket_is_there() {
        let not_found = || Error::NotFound { path: "x".to_owned(), source: "NoSuchBucket".into() };
        let target = transfer("store the upload", not_found().into());
        assert_eq!((target.code().as_str(), target.is_transient()), ("storage_unavailable", true));
        let source = transfer("read the uploaded file", Fault::Missing);
        assert_eq!((source.code().as_str(), source.is_transient()), ("source_unreadable", false));
    }
}
