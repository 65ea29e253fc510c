//! Unpacks gzip. What it claims to hold is not believed: bytes are counted as they come, against the
//! limit of an upload and against the bytes that are packed. Knows nothing of what the file means.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::blocking::blocking;
use super::receive::CopyError;
use super::upload_file::TempUpload;
use super::{DataDir, FileError};
use crate::domain::limits::{ARCHIVE_FREE_BYTES, ARCHIVE_RATIO_MAX};

/// The first bytes of a gzip file.
const MAGIC: [u8; 2] = [0x1F, 0x8B];

/// Endings of names that say that a file is packed with gzip.
const ENDINGS: [&str; 2] = [".gz", ".gzip"];

/// Bytes that so many packed ones may become.
pub(super) fn unpacked_max(packed: u64) -> u64 {
    ARCHIVE_FREE_BYTES.max(packed.saturating_mul(ARCHIVE_RATIO_MAX))
}

/// True for a file that begins so.
pub(super) fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&MAGIC)
}

/// The name of the file inside a file of this name.
#[must_use]
pub fn name_inside(name: &str) -> &str {
    let without = |ending: &&str| {
        let (stem, last) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        Some(stem).filter(|stem| last.eq_ignore_ascii_case(ending) && !stem.is_empty())
    };
    ENDINGS.iter().find_map(without).unwrap_or(name)
}

impl DataDir {
    /// The file inside of `upload`, of at most `limit` bytes, when that is packed with gzip.
    ///
    /// # Errors
    /// [`FileError::DamagedGzip`], [`FileError::Expands`], [`FileError::TooLarge`]; what the disk
    /// refuses.
    pub async fn gunzip(
        self: &Arc<Self>,
        upload: &TempUpload,
        limit: u64,
    ) -> Result<Option<TempUpload>, FileError> {
        let (path, data_dir) = (upload.path.clone(), Arc::clone(self));
        let look = move || {
            let mut start = [0; MAGIC.len()];
            match File::open(path)?.read_exact(&mut start) {
                Err(fault) if fault.kind() != io::ErrorKind::UnexpectedEof => Err(fault),
                _ => Ok(is_gzip(&start)),
            }
        };
        if !blocking("look at the upload", look).await? {
            return Ok(None);
        }
        data_dir.unpack_gzip(upload.path.clone(), limit).await.map(Some)
    }

    /// The file inside of the gzip file at `packed`, of at most `limit` bytes.
    pub(super) async fn unpack_gzip(
        self: &Arc<Self>,
        packed: PathBuf,
        limit: u64,
    ) -> Result<TempUpload, FileError> {
        let data_dir = Arc::clone(self);
        let unpack = tokio::task::spawn_blocking(move || {
            let unreadable = |source| FileError::store("read the upload", source);
            let file = File::open(&packed).map_err(unreadable)?;
            let expected = unpacked_max(file.metadata().map_err(unreadable)?.len());
            let inside = MultiGzDecoder::new(BufReader::new(file));
            data_dir.copy(inside, expected.min(limit)).map_err(|fault| match fault {
                CopyError::Source(source) => FileError::DamagedGzip { source },
                CopyError::TooLong if expected < limit => FileError::Expands,
                CopyError::TooLong => FileError::TooLarge { limit },
                CopyError::File(fault) => fault,
            })
        });
        let gone =
            |_| FileError::store("unpack the upload", io::Error::other("the thread is gone"));
        unpack.await.map_err(gone)?
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    async fn of(bytes: &[u8], limit: u64) -> Result<Vec<u8>, FileError> {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = Arc::new(DataDir::open(dir.path()).unwrap());
        let file = dir.path().join("packed");
        std::fs::write(&file, bytes).unwrap();
        let upload = data_dir.unpack_gzip(file, limit).await?;
        Ok(std::fs::read(&upload.path).unwrap())
    }

    #[tokio::test]
    async fn a_file_is_unpacked_within_its_limits() {
        let one = packed(&vec![b'a'; 1 << 20]);
        assert!(one.len() < 5_000);
        assert_eq!(of(&one, 1 << 20).await.unwrap().len(), 1 << 20);
        assert_eq!(of(&[&one[..], &one].concat(), 1 << 30).await.unwrap().len(), 2 << 20);
        let large = of(&one, 1 << 19).await.unwrap_err();
        assert!(matches!(large, FileError::TooLarge { .. }));
        let bomb = packed(&vec![0; 32 << 20]);
        assert!(matches!(of(&bomb, 1 << 30).await, Err(FileError::Expands)));
        let cut = of(one.get(..one.len() - 20).unwrap(), 1 << 20).await;
        assert!(matches!(cut, Err(FileError::DamagedGzip { .. })));
        assert!(matches!(of(b"SKU,Name\n", 99).await, Err(FileError::DamagedGzip { .. })));
    }

    #[test]
    fn the_file_inside_has_the_name_without_the_ending() {
        for (name, inside) in [
            ("a.csv.gz", "a.csv"),
            ("Ä.XLSX.GZ", "Ä.XLSX"),
            ("a.gzip", "a"),
            (".gz", ".gz"),
            ("gz", "gz"),
            ("a.csv", "a.csv"),
            ("größe", "größe"),
        ] {
            assert_eq!(name_inside(name), inside);
        }
    }
}
