//! What came of a far file so far: its bytes and, beside them, which version of the file they are of.
//! A later attempt goes on behind them, also after a crash of the server; after a crash of the
//! machine nobody knows whether the bytes are on the disk, and it begins anew.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::answer::{RemoteFile, Resume};
use crate::files::blocking::blocking;
use crate::files::folders::{create_private, private_file};
use crate::files::{DataDir, FileError};

/// Bytes that are collected before a blocking thread writes them.
const BATCH_BYTES: usize = 256 << 10;

/// What was received of it.
const BODY: &str = "body";

/// Which version that is.
const STATE: &str = "state.json";

/// A number that the system draws at its start.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

const WRITE: &str = "write the download";

/// A file that is being downloaded.
#[derive(Debug)]
pub(super) struct Partial {
    data_dir: Arc<DataDir>,
    folder: PathBuf,
    file: Arc<File>,
    state: PartialState,
    /// Bytes on the disk.
    written: u64,
    /// Bytes that are not there yet.
    batch: Vec<u8>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct PartialState {
    boot: String,
    remote: RemoteFile,
    /// How many bytes it has in all, once every one is here.
    whole: Option<u64>,
}

impl Partial {
    /// What is there of a download in this folder, if anything is.
    pub(super) async fn open(data_dir: &Arc<DataDir>, folder: PathBuf) -> Result<Self, FileError> {
        let place = folder.clone();
        let open = move || {
            create_private(&place)?;
            let file = private_file().open(place.join(BODY))?;
            let state = read_state(&place).unwrap_or_default();
            let written = if state.boot == boot() { file.metadata()?.len() } else { 0 };
            Ok((file, state, written))
        };
        let (file, state, written) = blocking("open the download", open).await?;
        let data_dir = Arc::clone(data_dir);
        Ok(Self { data_dir, folder, file: Arc::new(file), state, written, batch: Vec::new() })
    }

    /// Bytes that came.
    pub(super) fn received(&self) -> u64 {
        self.written + self.batch.len() as u64
    }

    /// What the server said of the file.
    pub(super) fn remote(&self) -> &RemoteFile {
        &self.state.remote
    }

    /// True when every byte is here.
    pub(super) fn is_whole(&self) -> bool {
        self.state.whole == Some(self.written)
    }

    /// From where to go on, if that is certain to be the same file.
    pub(super) fn resume(&self) -> Option<Resume> {
        let version = self.state.remote.version.strong()?.to_owned();
        (self.written > 0).then_some(Resume { at: self.written, version })
    }

    /// Begins anew, with a file of which the server says this.
    pub(super) async fn begin(&mut self, remote: RemoteFile) -> Result<(), FileError> {
        self.batch.clear();
        self.written = 0;
        self.state = PartialState { boot: boot(), remote, whole: None };
        let file = Arc::clone(&self.file);
        // First the bytes: those of an old file must not be taken for this one's.
        blocking(WRITE, move || file.set_len(0)).await?;
        self.store_state().await
    }

    /// Takes the next bytes.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> Result<(), FileError> {
        while !bytes.is_empty() {
            let room = BATCH_BYTES.saturating_sub(self.batch.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.batch.extend_from_slice(now);
            bytes = later;
            if self.batch.len() >= BATCH_BYTES {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Writes what was collected.
    pub(super) async fn flush(&mut self) -> Result<(), FileError> {
        let (batch, at) = (std::mem::take(&mut self.batch), self.written);
        if batch.is_empty() {
            return Ok(());
        }
        self.data_dir.check_free_space(batch.len() as u64)?;
        let file = Arc::clone(&self.file);
        let write = move || file.write_all_at(&batch, at).map(|()| batch);
        let mut batch = blocking(WRITE, write).await?;
        self.written += batch.len() as u64;
        batch.clear();
        self.batch = batch;
        Ok(())
    }

    /// Every byte is here: it is not asked for again.
    pub(super) async fn end(&mut self) -> Result<(), FileError> {
        self.flush().await?;
        self.state.whole = Some(self.written);
        self.store_state().await
    }

    async fn store_state(&self) -> Result<(), FileError> {
        let (path, text) = (self.folder.join(STATE), serde_json::to_vec(&self.state));
        blocking(WRITE, move || std::fs::write(path, text?)).await
    }

    /// The bytes, to be read.
    pub(super) fn body(&self) -> PathBuf {
        self.folder.join(BODY)
    }
}

fn read_state(folder: &Path) -> Option<PartialState> {
    serde_json::from_slice(&std::fs::read(folder.join(STATE)).ok()?).ok()
}

fn boot() -> String {
    std::fs::read_to_string(BOOT).unwrap_or_else(|fault: io::Error| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::download::FileVersion;

    fn remote(tag: &str) -> RemoteFile {
        let version = FileVersion { etag: Some(format!("\"{tag}\"")), last_modified: None };
        RemoteFile { version, ..RemoteFile::default() }
    }

    #[tokio::test]
    async fn a_later_attempt_goes_on_behind_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = Arc::new(DataDir::open(dir.path()).unwrap());
        let folder = dir.path().join("downloads/x");
        let open = || Partial::open(&data_dir, folder.clone());
        let mut first = open().await.unwrap();
        assert!(first.resume().is_none());
        first.begin(remote("a")).await.unwrap();
        first.write(&vec![b'a'; BATCH_BYTES + 5]).await.unwrap();
        drop(first);
        // What was not written is asked for again.
        let mut second = open().await.unwrap();
        let resume = second.resume().unwrap();
        assert_eq!((resume.at, resume.version.as_str()), (BATCH_BYTES as u64, "\"a\""));
        second.write(b"bcd").await.unwrap();
        second.end().await.unwrap();
        let mut third = open().await.unwrap();
        assert!(third.is_whole());
        assert_eq!(third.received(), BATCH_BYTES as u64 + 3);
        third.begin(remote("b")).await.unwrap();
        assert_eq!((third.received(), third.is_whole()), (0, false));
        assert_eq!(std::fs::metadata(third.body()).unwrap().len(), 0);
    }

    #[tokio::test]
    async fn after_a_crash_of_the_machine_it_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = Arc::new(DataDir::open(dir.path()).unwrap());
        let folder = dir.path().join("downloads/x");
        let mut first = Partial::open(&data_dir, folder.clone()).await.unwrap();
        first.begin(remote("a")).await.unwrap();
        first.write(b"abc").await.unwrap();
        first.flush().await.unwrap();
        first.state.boot = "another".to_owned();
        first.store_state().await.unwrap();
        let second = Partial::open(&data_dir, folder).await.unwrap();
        assert!(second.resume().is_none());
    }
}
