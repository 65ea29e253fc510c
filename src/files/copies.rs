//! A job's folder that is made from another one's: the same file under a second name, and small
//! files beside it.

use std::fs;
use std::io::{self, Write};

use uuid::Uuid;

use super::{FileError, Folder, create_private, sync_folder};

impl Folder {
    /// Gives the job `to` the uploaded file of the job `from`, to stay. Takes no room: it is the same
    /// file under a second name, and nobody changes an uploaded file. Blocks.
    ///
    /// # Errors
    /// What the disk refuses; a file that is gone.
    pub fn copy_source(&self, from: Uuid, to: Uuid) -> Result<(), FileError> {
        let failed = |source| FileError::store("keep the file for another job", source);
        let home = self.upload(to);
        create_private(&home).map_err(failed)?;
        fs::hard_link(self.source(from), self.source(to)).map_err(failed)?;
        sync_folder(&home).map_err(failed)?;
        sync_folder(&self.root.join("uploads")).map_err(failed)
    }

    /// Writes a small file beside the uploaded one, to stay; one that is there is replaced. Blocks.
    ///
    /// # Errors
    /// What the disk refuses.
    pub fn put(&self, uuid: Uuid, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let failed = |source| FileError::store("keep a file beside the upload", source);
        let mut file = tempfile::NamedTempFile::new_in(self.tmp()).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        let home = self.upload(uuid);
        file.persist(home.join(name)).map_err(|fault| failed(fault.error))?;
        sync_folder(&home).map_err(failed)
    }

    /// Reads a small file beside the uploaded one. Blocks.
    ///
    /// # Errors
    /// What the disk refuses; a file that is not there.
    pub fn get(&self, uuid: Uuid, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.upload(uuid).join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_outlives_the_file_it_was_made_from() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let (from, to) = (Uuid::new_v4(), Uuid::new_v4());
        fs::create_dir_all(folder.upload(from)).unwrap();
        fs::write(folder.source(from), "a,b\n").unwrap();
        folder.copy_source(from, to).unwrap();
        folder.put(to, "rows", &[1, 0, 0, 0]).unwrap();
        folder.remove(from).unwrap();
        assert_eq!(fs::read(folder.source(to)).unwrap(), b"a,b\n");
        assert_eq!(folder.get(to, "rows").unwrap(), [1, 0, 0, 0]);
        assert!(folder.copy_source(from, Uuid::new_v4()).is_err());
    }
}
