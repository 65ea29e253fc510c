//! An object of a bucket, read piece by piece. A request has 30 seconds for all of its bytes, so on
//! a slow line a piece may break off: what came counts, and the rest is asked for in smaller pieces.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectStore};
use tokio_util::bytes::Bytes;

/// Bytes of a piece at least, however often pieces break off: 256 KiB in 30 s is 9 KB/s.
const PIECE_BYTES_MIN: u64 = 256 << 10;

/// How often one piece may break off.
const BREAKS_MAX: u32 = 5;

/// The bytes of an object in their order.
pub(super) struct RangedReader {
    store: Arc<dyn ObjectStore>,
    object: Path,
    /// Bytes that came so far.
    at: u64,
    size: u64,
    piece_bytes: u64,
    /// The tag of the version that is read, if it must be one.
    version: Option<String>,
    /// How often the next piece was interrupted.
    breaks: u32,
    /// The answer that is being read, and where it ends.
    answer: Option<(u64, BoxStream<'static, Result<Bytes, Error>>)>,
}

impl RangedReader {
    /// An object of `size` bytes, in pieces of `piece_bytes` at first.
    pub(super) fn of(
        store: Arc<dyn ObjectStore>,
        object: Path,
        size: u64,
        piece_bytes: u64,
    ) -> Self {
        Self { store, object, at: 0, size, piece_bytes, version: None, breaks: 0, answer: None }
    }

    /// Begins behind these bytes.
    pub(super) fn from(mut self, at: u64) -> Self {
        self.at = at;
        self
    }

    /// Reads the version with this tag only.
    pub(super) fn of_version(mut self, tag: Option<String>) -> Self {
        self.version = tag;
        self
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The answer of the bucket when a piece is interrupted too often; an object that is gone.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let Some((end, bytes)) = &mut self.answer else {
                if self.at >= self.size {
                    return Ok(None);
                }
                match self.ask().await {
                    Ok(answer) => self.answer = Some(answer),
                    Err(fault) => self.on_interruption(fault)?,
                }
                continue;
            };
            let fault = match bytes.next().await {
                Some(Ok(bytes)) => {
                    self.at += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Some(Err(fault)) => fault,
                None if self.at >= *end => {
                    (self.breaks, self.answer) = (0, None);
                    continue;
                }
                None => too_short(),
            };
            self.answer = None;
            self.on_interruption(fault)?;
        }
    }

    async fn ask(&mut self) -> Result<(u64, BoxStream<'static, Result<Bytes, Error>>), Error> {
        let end = self.size.min(self.at + self.piece_bytes);
        let piece =
            GetOptions::new().with_range(Some(self.at..end)).with_if_match(self.version.clone());
        Ok((end, self.store.get_opts(&self.object, piece).await?.into_stream()))
    }

    /// Continues behind the last byte, unless another request cannot help.
    fn on_interruption(&mut self, fault: Error) -> Result<(), Error> {
        if self.breaks >= BREAKS_MAX
            || matches!(fault, Error::NotFound { .. } | Error::Precondition { .. })
        {
            return Err(fault);
        }
        self.breaks += 1;
        self.piece_bytes = (self.piece_bytes / 2).max(PIECE_BYTES_MIN.min(self.piece_bytes));
        tracing::debug!(
            event = "piece_interrupted",
            at = self.at,
            piece = self.piece_bytes,
            error = %fault,
            "piece of an object interrupted, requesting the rest in smaller pieces"
        );
        Ok(())
    }
}

fn too_short() -> Error {
    let source = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    Error::Generic { store: "S3", source: source.into() }
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::stream;
    use object_store::memory::InMemory;
    use object_store::{
        CopyOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
        ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    };

    use super::*;

    /// A bucket of whose answers no more than so many bytes come through.
    #[derive(Debug)]
    struct Cut {
        inner: InMemory,
        bytes: usize,
        asked: AtomicU32,
    }

    impl fmt::Display for Cut {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a cut line")
        }
    }

    #[async_trait::async_trait]
    impl ObjectStore for Cut {
        async fn put_opts(
            &self,
            to: &Path,
            bytes: PutPayload,
            options: PutOptions,
        ) -> Result<PutResult, Error> {
            self.inner.put_opts(to, bytes, options).await
        }

        async fn put_multipart_opts(
            &self,
            to: &Path,
            options: PutMultipartOptions,
        ) -> Result<Box<dyn MultipartUpload>, Error> {
            self.inner.put_multipart_opts(to, options).await
        }

        async fn get_opts(&self, of: &Path, options: GetOptions) -> Result<GetResult, Error> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let whole = self.inner.get_opts(of, options).await?;
            let (meta, range, attributes) =
                (whole.meta.clone(), whole.range.clone(), whole.attributes.clone());
            let extensions = whole.extensions.clone();
            let mut bytes = whole.bytes().await?;
            let mut answer = Vec::new();
            if bytes.len() > self.bytes {
                answer.push(Ok(bytes.split_to(self.bytes)));
                answer.push(Err(too_short()));
            } else {
                answer.push(Ok(bytes));
            }
            let payload = GetResultPayload::Stream(stream::iter(answer).boxed());
            Ok(GetResult { payload, meta, range, attributes, extensions })
        }

        fn delete_stream(
            &self,
            paths: BoxStream<'static, Result<Path, Error>>,
        ) -> BoxStream<'static, Result<Path, Error>> {
            self.inner.delete_stream(paths)
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta, Error>> {
            self.inner.list(prefix)
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult, Error> {
            self.inner.list_with_delimiter(prefix).await
        }

        async fn copy_opts(
            &self,
            from: &Path,
            to: &Path,
            options: CopyOptions,
        ) -> Result<(), Error> {
            self.inner.copy_opts(from, to, options).await
        }
    }

    /// Reads an object of so many bytes through a line that cuts answers; gives how often it asked.
    async fn read(size: usize, piece_bytes: u64, cut: usize) -> Result<u32, Error> {
        let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
        let inner = InMemory::new();
        let object = Path::from("object");
        inner.put(&object, bytes.clone().into()).await?;
        let store = Arc::new(Cut { inner, bytes: cut, asked: AtomicU32::new(0) });
        let mut pieces =
            RangedReader::of(Arc::clone(&store) as _, object, size as u64, piece_bytes);
        let mut read = Vec::new();
        while let Some(bytes) = pieces.next().await? {
            read.extend_from_slice(&bytes);
        }
        assert!(read == bytes, "other bytes came");
        Ok(store.asked.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn what_came_counts_and_the_rest_comes_in_smaller_pieces() {
        let whole = 3 << 20;
        assert_eq!(read(whole, 1 << 20, usize::MAX).await.unwrap(), 3);
        // Broken off at 300 and 600 KiB; from then on by 256 KiB.
        assert!(read(whole, 1 << 20, 300 << 10).await.unwrap() <= 14);
        assert_eq!(read(0, 1 << 20, 1).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_line_that_lets_nothing_through_is_given_up() {
        assert!(read(1 << 20, 1 << 20, 0).await.is_err());
        assert!(read(1 << 20, 1 << 20, 1000).await.is_err());
    }
}
