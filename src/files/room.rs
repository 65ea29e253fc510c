//! Is there room on the data directory's disk? Looked at before room is taken, so that there is
//! always a rest for what must be written whatever comes: the end of a job, a cancel.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::error::DATA;
use super::{FileError, Folder, private_file};

/// Bytes that are held back for what must be written on a full disk: some dozens of cancels.
const RESERVE_BYTES: usize = 1 << 20;

impl Folder {
    /// Sets how many bytes must stay free on the disk.
    #[must_use]
    pub fn with_min_free(mut self, bytes: u64) -> Self {
        self.min_free = bytes;
        self
    }

    /// Makes sure that `wanted` bytes may be written. Asks the system and waits for nothing.
    ///
    /// # Errors
    /// [`FileError::NoRoom`] when less than the rest would stay free.
    pub fn has_room(&self, wanted: u64) -> Result<(), FileError> {
        let free = free(self.root()).map_err(|fault| FileError::store(ASK, fault))?;
        self.leaves_rest(DATA, free, wanted)
    }

    /// Makes sure that of `free` bytes in a place of this kind enough are left besides `wanted`.
    pub(super) fn leaves_rest(
        &self,
        place: &'static str,
        free: u64,
        wanted: u64,
    ) -> Result<(), FileError> {
        let needed = wanted.saturating_add(self.min_free);
        if free >= needed { Ok(()) } else { Err(FileError::NoRoom { place, free, needed }) }
    }

    /// Holds some room back, unless that is done already. Writes a megabyte at most.
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
            let _was_there = self.give_reserve();
        }
        held
    }

    /// Gives the room free that was held back; true when there was some. The database may lie on
    /// this disk: what a person asks for on a full disk needs a few pages of it.
    #[must_use]
    pub fn give_reserve(&self) -> bool {
        std::fs::remove_file(self.reserve()).is_ok()
    }

    /// True while room is held back.
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
pub(super) fn free(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

static ZEROS: [u8; RESERVE_BYTES] = [0; RESERVE_BYTES];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_what_stays_free_behind_what_is_wanted() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        assert!(folder.has_room(1).is_ok());
        let refused = folder.has_room(1 << 60).unwrap_err();
        assert_eq!(refused.code().as_str(), "storage_full");
        let said = refused.to_string();
        assert!(said.contains("data directory") && said.contains("LOADBAY_MIN_FREE"), "{said}");
        assert!(folder.with_min_free(1 << 60).has_room(0).is_err());
    }

    #[test]
    fn the_reserve_is_held_once_and_given_once() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        assert!(!folder.give_reserve());
        folder.hold_reserve().unwrap();
        folder.hold_reserve().unwrap();
        let held = std::fs::metadata(folder.reserve()).unwrap().len();
        assert_eq!(held, RESERVE_BYTES as u64);
        assert!(folder.give_reserve());
        assert!(!folder.give_reserve());
    }
}
