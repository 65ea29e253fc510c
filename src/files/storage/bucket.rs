//! A bucket of S3, or of anything that speaks its protocol: every file of a job is an object below
//! `<prefix>/<uuid>/`. Files pass through in pieces and are never in memory.

use std::collections::BTreeMap;
use std::path::Path as LocalPath;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, Error, GetOptions, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use super::BucketAccess;
use super::tree::SOURCE;

/// Bytes of one request at most: a piece must come through within the time of a request (30 s).
const PIECE_BYTES: u64 = 8 << 20;

/// Pieces of one upload at most; the protocol allows 10,000.
const PIECES_MAX: u64 = 9_000;

/// Pieces of one upload that are on their way at the same time.
const PIECES_AT_ONCE: usize = 2;

/// Pieces that are fetched by one request: what breaks off is taken up where it was.
const FETCH_PIECES: u64 = 4;

/// Bytes that one copy on the storage's side may have.
const COPY_BYTES_MAX: u64 = 5 << 30;

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
}

impl Bucket {
    /// The bucket with what the environment says of it (`AWS_…`), and `access` where that is silent.
    /// Asks nobody yet.
    pub(super) fn connect(
        bucket: &str,
        prefix: &str,
        access: &BucketAccess,
    ) -> Result<Self, Error> {
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
        let mut builder = AmazonS3Builder::from_env();
        for (name, value) in access.iter() {
            // As in the environment, one that nobody knows is nobody's.
            if let Ok(key) = name.to_ascii_lowercase().parse() {
                builder = builder.with_config(key, value);
            }
        }
        let store = builder.with_bucket_name(bucket).with_retry(retry).build()?;
        Ok(Self::new(Arc::new(store), Path::from_url_path(prefix)?))
    }

    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { store, prefix, piece_bytes: PIECE_BYTES }
    }

    fn home(&self, uuid: Uuid) -> Path {
        self.prefix.clone().join(uuid.to_string())
    }

    fn object(&self, uuid: Uuid, name: &str) -> Path {
        name.split('/').fold(self.home(uuid), Path::join)
    }

    /// Uploads a local file as the source of a job.
    pub(super) async fn keep(
        &self,
        uuid: Uuid,
        path: &LocalPath,
        size: u64,
    ) -> Result<(), UploadFault> {
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
                    ready.map_err(UploadFault::from)
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
    pub(super) async fn size(&self, uuid: Uuid, name: &str) -> Result<u64, Error> {
        Ok(self.store.head(&self.object(uuid, name)).await?.size)
    }

    /// Writes the `size` bytes of an object of a job to a local file.
    pub(super) async fn fetch(
        &self,
        uuid: Uuid,
        name: &str,
        size: u64,
        to: &LocalPath,
    ) -> Result<(), UploadFault> {
        let object = self.object(uuid, name);
        let mut file = tokio::fs::File::create(to).await?;
        let mut at = 0;
        while at < size {
            let end = size.min(at + FETCH_PIECES * self.piece_bytes);
            let piece = GetOptions::new().with_range(Some(at..end));
            let mut bytes = self.store.get_opts(&object, piece).await?.into_stream();
            while let Some(bytes) = bytes.try_next().await? {
                file.write_all(&bytes).await?;
            }
            at = end;
        }
        file.flush().await?;
        Ok(())
    }

    /// Writes objects of a job to a local folder, each under its place in `names`.
    pub(super) async fn fetch_all(
        &self,
        uuid: Uuid,
        names: Vec<String>,
        to: &LocalPath,
    ) -> Result<(), UploadFault> {
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

    /// Gives the job `to` the source of the job `from`, without bytes that pass through here.
    pub(super) async fn copy_source(&self, from: Uuid, to: Uuid) -> Result<(), Error> {
        let (from, to) = (self.object(from, SOURCE), self.object(to, SOURCE));
        let size = self.store.head(&from).await?.size;
        if size <= COPY_BYTES_MAX {
            return self.store.copy(&from, &to).await;
        }
        // Larger ones cannot be copied by one call.
        let mut upload = self.upload(&to, size).await?;
        let mut at = 0;
        while at < size {
            let end = size.min(at + self.piece_bytes);
            let copied = async {
                upload.wait_for_capacity(PIECES_AT_ONCE).await?;
                let bytes = self.store.get_range(&from, at..end).await?;
                upload.put(bytes);
                Ok(())
            };
            if let Err(fault) = copied.await {
                let _thrown_away = upload.abort().await;
                return Err(fault);
            }
            at = end;
        }
        upload.finish().await.map(drop)
    }

    /// Writes an object of a job.
    pub(super) async fn put(&self, uuid: Uuid, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.store.put(&self.object(uuid, name), bytes.into()).await.map(drop)
    }

    /// Reads an object of a job.
    pub(super) async fn get(&self, uuid: Uuid, name: &str) -> Result<Vec<u8>, Error> {
        Ok(self.store.get(&self.object(uuid, name)).await?.bytes().await?.into())
    }

    /// Removes every object of a job.
    pub(super) async fn remove(&self, uuid: Uuid) -> Result<(), Error> {
        let objects = self.store.list(Some(&self.home(uuid)));
        let paths = objects.map_ok(|object| object.location).boxed();
        let mut removed = self.store.delete_stream(paths);
        while let Some(removed) = removed.next().await {
            match removed {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// The jobs of which no object is younger than `older_than`.
    pub(super) async fn folders(&self, older_than: Duration) -> Result<Vec<Uuid>, Error> {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.is_root());
        let mut objects = self.store.list(prefix);
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
        let is_old =
            |changed: &DateTime<Utc>| (now - *changed).to_std().unwrap_or_default() >= older_than;
        Ok(newest
            .into_iter()
            .filter(|(_, changed)| is_old(changed))
            .map(|(uuid, _)| uuid)
            .collect())
    }
}

/// A transfer broke off, on one side or the other.
#[derive(Debug)]
pub(super) enum UploadFault {
    /// The local file.
    Local(std::io::Error),
    /// The bucket.
    Bucket(Error),
}

impl From<std::io::Error> for UploadFault {
    fn from(fault: std::io::Error) -> Self {
        Self::Local(fault)
    }
}

impl From<Error> for UploadFault {
    fn from(fault: Error) -> Self {
        Self::Bucket(fault)
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
        assert!(matches!(bucket.get(uuid, SOURCE).await, Err(Error::NotFound { .. })));
        assert_eq!(bucket.folders(Duration::ZERO).await.unwrap(), [copy]);
        assert!(bucket.folders(Duration::from_mins(1)).await.unwrap().is_empty());
    }
}
