//! XLSX and XLSB workbooks in an encrypted package ([MS-OFFCRYPTO] 2.3.4). Only those are read that
//! Excel itself opens without asking: it encrypts workbooks with protected sheets under a password
//! that is in its documentation.

mod agile;
mod cipher;
mod standard;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use cfb::CompoundFile;

use self::cipher::PackageCipher;
use super::fault::{corrupt, not_written, unreadable};
use crate::reader::error::WorkbookFault;

/// The password that Excel tries before it asks ([MS-OFFCRYPTO] 2.4.2.3).
pub(super) const DEFAULT_PASSWORD: &str = "VelvetSweatshop";

/// Bytes of the stream that describes the encryption; it has two kilobytes.
const INFO_BYTES_MAX: u64 = 64 << 10;

/// Bytes of the package that are decrypted at a time ([MS-OFFCRYPTO] 2.3.4.15).
const SEGMENT_BYTES: usize = 4096;

/// A decrypted package: a file without a name, which ends with this value.
pub(super) struct DecryptedPackage {
    file: File,
}

impl DecryptedPackage {
    /// Where the package can be opened, as long as this value lives.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

/// Decrypts the workbook at `path` with the default password; with any other it stays shut.
pub(super) fn decrypt(path: &Path) -> Result<DecryptedPackage, WorkbookFault> {
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut compound = CompoundFile::open(file).map_err(|_| corrupt("its container is broken"))?;
    let mut info = Vec::new();
    let stream = compound.open_stream("EncryptionInfo").map_err(|_| WorkbookFault::Password)?;
    stream
        .take(INFO_BYTES_MAX)
        .read_to_end(&mut info)
        .map_err(|_| corrupt("the description of its encryption is broken"))?;
    let cipher = package_cipher(&info).ok_or(WorkbookFault::Password)?;
    let mut package = compound
        .open_stream("EncryptedPackage")
        .map_err(|_| corrupt("its encrypted content is missing"))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::tempfile_in(folder).map_err(not_written)?;
    copy_decrypted(&mut package, &cipher, &mut file)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    Ok(DecryptedPackage { file })
}

/// The cipher that the default password opens.
fn package_cipher(info: &[u8]) -> Option<PackageCipher> {
    let (version, rest) = info.split_first_chunk::<4>()?;
    match version {
        [4, 0, 4, 0] => agile::package_cipher(rest.get(4..)?, DEFAULT_PASSWORD),
        [2..=4, 0, 2, 0] => standard::package_cipher(rest.get(4..)?, DEFAULT_PASSWORD),
        _ => None,
    }
}

/// The package begins with its length in bytes; the last segment is filled up.
fn copy_decrypted(
    package: &mut impl Read,
    cipher: &PackageCipher,
    target: &mut File,
) -> Result<(), WorkbookFault> {
    let cut = |_| corrupt("its encrypted content is cut off");
    let mut length = [0; 8];
    package.read_exact(&mut length).map_err(cut)?;
    let mut left = u64::from_le_bytes(length);
    let mut target = BufWriter::new(target);
    let mut segment = Vec::with_capacity(SEGMENT_BYTES);
    for index in 0.. {
        if left == 0 {
            break;
        }
        segment.clear();
        package.by_ref().take(SEGMENT_BYTES as u64).read_to_end(&mut segment).map_err(cut)?;
        let whole = segment.len() / cipher::BLOCK_BYTES * cipher::BLOCK_BYTES;
        if whole == 0 {
            return Err(corrupt("its encrypted content is cut off"));
        }
        segment.truncate(whole);
        cipher.decrypt(index, &mut segment);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(segment.len());
        target.write_all(segment.get(..wanted).unwrap_or_default()).map_err(not_written)?;
        left -= wanted as u64;
    }
    target.flush().map_err(not_written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_description_opens_nothing() {
        let xml = b"\x04\0\x04\0\x40\0\0\0<encryption><keyData blockSize='16'/></encryption>";
        for info in [&b""[..], b"\x04\0\x04\0", b"\x03\0\x02\0\0\0\0\0\xFF\xFF\xFF\xFF", xml] {
            assert!(package_cipher(info).is_none(), "{info:?}");
        }
    }
}
