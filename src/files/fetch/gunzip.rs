//! Unpacks a body that a server sent compressed, within the limit of bytes: what it claims to hold is
//! not believed.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use tokio::sync::mpsc;

use crate::files::{DataDir, FileError, TempUpload};

/// Bytes that are unpacked at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Why a body could not be unpacked.
#[derive(Debug)]
pub(super) enum UnpackFault {
    /// It is no gzip, or it is cut.
    Corrupt(io::Error),
    /// The disk, or the limit.
    Files(FileError),
}

/// Unpacks the file at `packed` to one of at most `bytes_max`.
pub(super) async fn unpack(
    data_dir: &Arc<DataDir>,
    packed: PathBuf,
    bytes_max: u64,
) -> Result<TempUpload, UnpackFault> {
    let mut receiver = data_dir.receive(bytes_max, None).map_err(UnpackFault::Files)?;
    let (sender, mut pieces) = mpsc::channel(2);
    let read = tokio::task::spawn_blocking(move || {
        let mut packed = MultiGzDecoder::new(io::BufReader::new(File::open(packed)?));
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let count = packed.read(&mut piece)?;
            piece.truncate(count);
            // Nobody takes more than the limit.
            if count == 0 || sender.blocking_send(piece).is_err() {
                return Ok::<(), io::Error>(());
            }
        }
    });
    while let Some(piece) = pieces.recv().await {
        receiver.write(&piece).await.map_err(UnpackFault::Files)?;
    }
    let read = read.await.unwrap_or_else(|_| Err(io::Error::other("the thread is gone")));
    read.map_err(UnpackFault::Corrupt)?;
    receiver.finish().await.map_err(UnpackFault::Files)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    async fn of(bytes: &[u8], most: u64) -> Result<Vec<u8>, UnpackFault> {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = Arc::new(DataDir::open(dir.path()).unwrap());
        let packed = dir.path().join("packed");
        std::fs::write(&packed, bytes).unwrap();
        let upload = unpack(&data_dir, packed, most).await?;
        Ok(std::fs::read(&upload.path).unwrap())
    }

    #[tokio::test]
    async fn a_body_is_unpacked_within_its_limit() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&vec![b'a'; 1 << 20]).unwrap();
        let packed = packed.finish().unwrap();
        assert!(packed.len() < 5_000);
        assert_eq!(of(&packed, 1 << 20).await.unwrap().len(), 1 << 20);
        let bomb = of(&packed, 1 << 19).await.unwrap_err();
        assert!(matches!(bomb, UnpackFault::Files(FileError::TooLarge { .. })));
        let cut = of(packed.get(..packed.len() - 20).unwrap(), 1 << 20).await.unwrap_err();
        assert!(matches!(cut, UnpackFault::Corrupt(_)));
        assert!(matches!(of(b"SKU,Name\n", 99).await, Err(UnpackFault::Corrupt(_))));
    }
}
