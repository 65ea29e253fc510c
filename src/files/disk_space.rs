//! The free space of the data directory's disk, checked before anything is written, so that there is
//! always a rest for what must be written whatever comes: the end of a job, a cancel.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::error::DATA;
use super::folders::private_file;
use super::{DataDir, FileError};

/// Bytes that are held back for what must be written on a full disk: some dozens of cancels.
const RESERVE_BYTES: usize = 1 << 20;

impl DataDir {
    /// Sets how many bytes must stay free on the disk.
    #[must_use]
    pub fn with_min_free(mut self, bytes: u64) -> Self {
        self.min_free = bytes;
        self
    }

    /// Checks that `wanted` bytes may be written. Asks the system and waits for nothing.
    ///
    /// # Errors
    /// [`FileError::InsufficientSpace`] when less than the minimum would stay free.
    pub fn check_free_space(&self, wanted: u64) -> Result<(), FileError> {
        let free = free_bytes(self.root()).map_err(|fault| FileError::store(ASK, fault))?;
        self.check_remaining(DATA, free, wanted)
    }

    /// Checks that of the `free` bytes in this directory enough are left after `wanted` are written.
    pub(super) fn check_remaining(
        &self,
        directory: &'static str,
        free: u64,
        wanted: u64,
    ) -> Result<(), FileError> {
        let needed = wanted.saturating_add(self.min_free);
        if free >= needed {
            Ok(())
        } else {
            Err(FileError::InsufficientSpace { directory, free, needed })
        }
    }

    /// Reserves a megabyte on the disk, unless that is done already.
    ///
    /// # Errors
    /// What the system refused.
    pub fn hold_reserve(&self) -> io::Result<()> {
        let path = self.reserve();
        if path.exists() {
            return Ok(());
        }
        let held = private_file().open(&path).and_then(|mut file| file.write_all(&ZEROS));
        if held.is_err() {
            // Half of it is of no use, and may be what others lack.
            let _was_there = self.release_reserve();
        }
        held
    }

    /// Frees the reserve; true when there was one. The database may lie on this disk: a command of a
    /// person needs a few pages of it even when the disk is full.
    #[must_use]
    pub fn release_reserve(&self) -> bool {
        std::fs::remove_file(self.reserve()).is_ok()
    }

    /// True while there is a reserve.
    #[must_use]
    pub fn has_reserve(&self) -> bool {
        self.reserve().exists()
    }

    fn reserve(&self) -> PathBuf {
        self.root().join("reserve")
    }
}

/// What is being done when the system is asked.
pub(super) const ASK: &str = "ask how much room is left";

/// Bytes that are free on the disk of a folder. Blocks when that is behind a network.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

static ZEROS: [u8; RESERVE_BYTES] = [0; RESERVE_BYTES];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_what_stays_free_behind_what_is_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(dir.path()).unwrap();
        assert!(data_dir.check_free_space(1).is_ok());
        let refused = data_dir.check_free_space(1 << 60).unwrap_err();
        assert_eq!(refused.code().as_str(), "storage_full");
        let said = refused.to_string();
        assert!(said.contains("data directory") && said.contains("LOADBAY_MIN_FREE"), "{said}");
        assert!(data_dir.with_min_free(1 << 60).check_free_space(0).is_err());
    }

    #[test]
    fn the_reserve_is_held_once_and_given_once() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(dir.path()).unwrap();
        assert!(!data_dir.release_reserve());
        data_dir.hold_reserve().unwrap();
        data_dir.hold_reserve().unwrap();
        let held = std::fs::metadata(data_dir.reserve()).unwrap().len();
        assert_eq!(held, RESERVE_BYTES as u64);
        assert!(data_dir.release_reserve());
        assert!(!data_dir.release_reserve());
    }
}
