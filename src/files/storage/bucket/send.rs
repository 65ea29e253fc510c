//! Large files on their way into a bucket: from the disk, or from another object of it.

use std::path::Path as LocalPath;

use object_store::path::Path;
use object_store::{Error, ObjectStoreExt, WriteMultipart};
use tokio::io::AsyncReadExt;
use uuid::Uuid;

use super::{Bucket, BucketError};
use crate::files::storage::layout::SOURCE;

/// Pieces of one upload at most; the protocol allows 10,000.
const PIECES_MAX: u64 = 9_000;

/// Pieces of one upload that are on their way at the same time.
const PIECES_AT_ONCE: usize = 2;

/// Bytes that are read from a local file at a time.
const READ_BYTES: usize = 256 << 10;

impl Bucket {
    /// Uploads a local file as the source of a job.
    pub(in crate::files::storage) async fn store_source(
        &self,
        uuid: Uuid,
        path: &LocalPath,
        size: u64,
    ) -> Result<(), BucketError> {
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
                    ready.map_err(BucketError::from)
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

    /// Gives the job `to` the source of the job `from`: copied on the storage's side, or, if that
    /// took too long for one call, through here.
    pub(in crate::files::storage) async fn copy_source(
        &self,
        from: Uuid,
        to: Uuid,
    ) -> Result<(), BucketError> {
        let size = self.size(from, SOURCE).await?;
        let (from, to) = (self.object(from, SOURCE), self.object(to, SOURCE));
        if size <= self.copy_bytes_max {
            return self.found(&from, self.store.copy(&from, &to).await).await;
        }
        let mut upload = self.upload(&to, size).await?;
        let mut pieces = self.pieces(from.clone(), size);
        loop {
            let copied = async {
                upload.wait_for_capacity(PIECES_AT_ONCE).await?;
                self.found(&from, pieces.next().await).await
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
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn what_is_too_large_for_one_copy_is_copied_in_pieces() {
        let bucket = Bucket::new(Arc::new(InMemory::new()), Path::from("in/here"));
        let bucket = Bucket { piece_bytes: 1_000, copy_bytes_max: 10, ..bucket };
        let dir = tempfile::tempdir().unwrap();
        let (from, to, path) = (Uuid::new_v4(), Uuid::new_v4(), dir.path().join("from"));
        std::fs::write(&path, vec![7; 3_500]).unwrap();
        bucket.store_source(from, &path, 3_500).await.unwrap();
        bucket.copy_source(from, to).await.unwrap();
        assert_eq!(bucket.get(to, SOURCE).await.unwrap(), vec![7; 3_500]);
        let missing = bucket.copy_source(Uuid::new_v4(), to).await;
        assert!(matches!(missing, Err(BucketError::Missing)));
    }
}
