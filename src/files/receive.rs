//! An upload on its way to disk: measured, hashed and checked for UTF-8 as it passes. What becomes
//! of it then is [`super::upload_file`]'s.

use std::io::{Read, Write};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::task::JoinHandle;

use super::upload_file::TempUpload;
use super::utf8::Utf8Check;
use super::{DataDir, FileError};
use crate::domain::hexadecimal::hex;
use crate::faults::fault;

/// Bytes that are collected before a blocking thread writes them: few hand-overs, and no thread
/// waits for a slow client.
const BATCH_BYTES: usize = 256 << 10;

/// Takes the bytes of one upload. What was not finished is removed when this is dropped.
#[derive(Debug)]
pub struct Receiver {
    data_dir: Arc<DataDir>,
    limit: u64,
    size: u64,
    batch: Vec<u8>,
    writing: Option<JoinHandle<Result<UploadWriter, FileError>>>,
}

/// The half that lives on blocking threads; it is handed over with every batch.
#[derive(Debug)]
struct UploadWriter {
    file: NamedTempFile,
    hash: Sha256,
    utf8: Utf8Check,
    /// The batch that was written last, handed back for its memory.
    spare: Vec<u8>,
}

impl DataDir {
    /// Begins to take an upload of at most `limit` bytes, of which `announced` are expected. Must be
    /// called within a runtime.
    ///
    /// # Errors
    /// [`FileError::TooLarge`] when more is announced than allowed,
    /// [`FileError::InsufficientSpace`] when more than the disk has space for.
    pub fn receive(
        self: &Arc<Self>,
        limit: u64,
        announced: Option<u64>,
    ) -> Result<Receiver, FileError> {
        if announced.is_some_and(|bytes| bytes > limit) {
            return Err(FileError::TooLarge { limit });
        }
        self.check_free_space(announced.unwrap_or(0))?;
        let tmp = self.tmp();
        let writing = tokio::task::spawn_blocking(move || {
            let file = NamedTempFile::new_in(tmp)
                .map_err(|source| FileError::store("create a file for the upload", source))?;
            Ok(UploadWriter {
                file,
                hash: Sha256::new(),
                utf8: Utf8Check::default(),
                spare: Vec::with_capacity(BATCH_BYTES),
            })
        });
        let batch = Vec::with_capacity(BATCH_BYTES);
        Ok(Receiver { data_dir: Arc::clone(self), limit, size: 0, batch, writing: Some(writing) })
    }
}

/// Why a file could not be taken from a source on this machine.
#[derive(Debug)]
pub(super) enum CopyError {
    /// The source cannot be read.
    Source(std::io::Error),
    /// It has more bytes than allowed.
    TooLong,
    /// The disk.
    File(FileError),
}

impl DataDir {
    /// Takes at most `limit` bytes of `source` as an upload. Blocks.
    pub(super) fn copy(&self, mut source: impl Read, limit: u64) -> Result<TempUpload, CopyError> {
        let file = NamedTempFile::new_in(self.tmp()).map_err(|source| {
            CopyError::File(FileError::store("create a file for the upload", source))
        })?;
        let (hash, utf8, spare) = (Sha256::new(), Utf8Check::default(), Vec::new());
        let mut writer = UploadWriter { file, hash, utf8, spare };
        let (mut size, mut batch) = (0_u64, Vec::with_capacity(BATCH_BYTES));
        loop {
            batch.clear();
            let piece = source.by_ref().take(BATCH_BYTES as u64).read_to_end(&mut batch);
            piece.map_err(CopyError::Source)?;
            if batch.is_empty() {
                return writer.finish(size).map_err(CopyError::File);
            }
            size = size.saturating_add(batch.len() as u64);
            if size > limit {
                return Err(CopyError::TooLong);
            }
            self.check_free_space(0).map_err(CopyError::File)?;
            writer.take(&batch).map_err(CopyError::File)?;
        }
    }
}

impl Receiver {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`FileError::TooLarge`] as soon as the limit is passed; what the disk refuses.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), FileError> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > self.limit {
            return Err(FileError::TooLarge { limit: self.limit });
        }
        while !bytes.is_empty() {
            let free = BATCH_BYTES.saturating_sub(self.batch.len()).min(bytes.len());
            let (now, later) = bytes.split_at(free);
            self.batch.extend_from_slice(now);
            bytes = later;
            if self.batch.len() >= BATCH_BYTES {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Hands the batch to a blocking thread once the one before is written.
    async fn flush(&mut self) -> Result<(), FileError> {
        let mut writer = self.written().await?;
        let mut batch = std::mem::replace(&mut self.batch, std::mem::take(&mut writer.spare));
        let data_dir = Arc::clone(&self.data_dir);
        self.writing = Some(tokio::task::spawn_blocking(move || {
            data_dir.check_free_space(0)?;
            writer.take(&batch)?;
            batch.clear();
            writer.spare = batch;
            Ok(writer)
        }));
        Ok(())
    }

    async fn written(&mut self) -> Result<UploadWriter, FileError> {
        let gone = || std::io::Error::other("the writing thread is gone");
        match self.writing.as_mut() {
            Some(writing) => {
                let done = writing.await;
                self.writing = None;
                done.map_err(|_| FileError::store("write the upload", gone()))?
            }
            None => Err(FileError::store("write the upload", gone())),
        }
    }

    /// Ends the upload: the file is whole and can be read.
    ///
    /// # Errors
    /// What the disk refuses; nothing is left behind then.
    pub async fn finish(mut self) -> Result<TempUpload, FileError> {
        let mut writer = self.written().await?;
        let (batch, size) = (self.batch, self.size);
        blocking(move || {
            writer.take(&batch)?;
            writer.finish(size)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    let gone = |_| std::io::Error::other("the writing thread is gone");
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|fault| FileError::store("write the upload", gone(fault)))?
}

impl UploadWriter {
    fn finish(self, size: u64) -> Result<TempUpload, FileError> {
        let Self { file, hash, utf8, .. } = self;
        let (file, path) =
            file.keep().map_err(|fault| FileError::store("write the upload", fault.error))?;
        let (sha256, valid_utf8) = (hex(&hash.finalize()), utf8.is_valid());
        let upload = TempUpload { path, size, sha256, valid_utf8, file, stored: false };
        fault!("receive.written", FileError::broken("write the upload"));
        Ok(upload)
    }

    fn take(&mut self, batch: &[u8]) -> Result<(), FileError> {
        self.hash.update(batch);
        self.utf8.push(batch);
        self.file
            .as_file_mut()
            .write_all(batch)
            .map_err(|source| FileError::store("write the upload", source))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::Storage;

    fn new_data_dir() -> (tempfile::TempDir, Arc<DataDir>) {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = Arc::new(DataDir::open(dir.path()).unwrap());
        (dir, data_dir)
    }

    fn entries(path: &Path) -> usize {
        std::fs::read_dir(path).unwrap().count()
    }

    #[tokio::test]
    async fn what_was_sent_is_what_lies_there() {
        let (_dir, data_dir) = new_data_dir();
        let text = "größe;€\n".repeat(100_000);
        let mut receiver = data_dir.receive(1 << 30, None).unwrap();
        for piece in text.as_bytes().chunks(4_099) {
            receiver.write(piece).await.unwrap();
        }
        let storage = Storage::own(Arc::clone(&data_dir));
        let stored = storage.store(receiver.finish().await.unwrap()).await.unwrap();
        assert_eq!(stored.size, text.len() as u64);
        assert_eq!(stored.sha256, hex(&Sha256::digest(text.as_bytes())));
        assert!(stored.valid_utf8);
        let source = storage.open(stored.keep()).await.unwrap();
        assert_eq!(std::fs::read_to_string(source.path()).unwrap(), text);
        assert_eq!(entries(&data_dir.tmp()), 0);
    }

    #[tokio::test]
    async fn too_much_is_refused_before_and_while_it_comes() {
        let (_dir, data_dir) = new_data_dir();
        let early = data_dir.receive(10, Some(11)).unwrap_err();
        assert_eq!(early.code().as_str(), "too_large");
        let mut receiver = data_dir.receive(10, None).unwrap();
        receiver.write(b"0123456789").await.unwrap();
        let late = receiver.write(b"x").await.unwrap_err();
        assert_eq!(
            late.to_string(),
            "the file is larger than 10 B (10 bytes), the most that this server takes"
        );
    }

    #[test]
    fn what_is_not_kept_is_removed() {
        let (_dir, data_dir) = new_data_dir();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut half = data_dir.receive(1 << 30, None).unwrap();
            half.write(&vec![b'a'; 3 * BATCH_BYTES]).await.unwrap();
            drop(half);
            let mut whole = data_dir.receive(1 << 30, None).unwrap();
            whole.write(b"a\xff").await.unwrap();
            let storage = Storage::own(Arc::clone(&data_dir));
            let whole = whole.finish().await.unwrap();
            assert!(!storage.store(whole).await.unwrap().valid_utf8);
            let mut looked_at = data_dir.receive(1 << 30, None).unwrap();
            looked_at.write(b"a").await.unwrap();
            let upload = looked_at.finish().await.unwrap();
            assert_eq!(std::fs::read(&upload.path).unwrap(), b"a");
            assert!(upload.path.starts_with(data_dir.tmp()));
        });
        // The end of the runtime waits for its blocking threads.
        drop(runtime);
        assert_eq!(entries(&data_dir.tmp()), 0);
        assert_eq!(entries(&data_dir.root().join("uploads")), 0);
    }
}
