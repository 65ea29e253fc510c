//! Is there room on the data directory's disk? Looked at before room is taken, so that there is
//! always a rest for what must be written whatever comes: the end of a job, a cancel.

use rustix::fs::statvfs;

use super::{FileError, Folder};

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
        let system = |fault: rustix::io::Errno| {
            FileError::store("ask how much room is left in the data directory", fault.into())
        };
        let disk = statvfs(self.root()).map_err(system)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let needed = wanted.saturating_add(self.min_free);
        if free >= needed { Ok(()) } else { Err(FileError::NoRoom { free, needed }) }
    }
}

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
        assert!(folder.with_min_free(1 << 60).has_room(0).is_err());
    }
}
