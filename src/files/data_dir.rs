//! The data directory: its lock, who the server is, and where its files lie.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::blocking::blocking;
use super::error::{DATA, FileError};
use super::folders::{create_private, private_file, remove_all};

/// The data directory, locked for this server as long as the value lives.
#[derive(Debug)]
pub struct DataDir {
    root: PathBuf,
    server_id: Uuid,
    /// Bytes that must stay free on its disk.
    pub(super) min_free: u64,
    /// Held for its lock.
    _lock: File,
}

impl DataDir {
    /// Opens the data directory, creates what is missing (mode 0700) and locks it.
    ///
    /// # Errors
    /// [`FileError::InUse`] when another server uses it, [`FileError::Unusable`] when others may write
    /// to it or the system refuses.
    pub fn open(root: &Path) -> Result<Self, FileError> {
        let unusable = |why: &str, source: Option<io::Error>| FileError::Unusable {
            directory: DATA,
            path: root.to_owned(),
            why: why.to_owned(),
            source,
        };
        let system = |why: &'static str| move |source| unusable(why, Some(source));
        create_private(root).map_err(system("it cannot be created"))?;
        let root_path = root.canonicalize().map_err(system("it cannot be opened"))?;
        let mode = fs::metadata(&root_path).map_err(system("it cannot be opened"))?.permissions();
        if mode.mode() & 0o022 != 0 {
            return Err(unusable("others may write to it; run `chmod 700` on it", None));
        }
        for folder in ["uploads", "tmp", "downloads"] {
            create_private(&root_path.join(folder)).map_err(system("it cannot be written to"))?;
        }
        let mut lock = private_file()
            .open(root_path.join("server-id"))
            .map_err(system("it cannot be written to"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(FileError::InUse { path: root.to_owned() });
            }
            Err(fs::TryLockError::Error(source)) => {
                return Err(unusable("it cannot be locked", Some(source)));
            }
        }
        let server_id = identity(&mut lock).map_err(system("`server-id` cannot be used"))?;
        Ok(Self { root: root_path, server_id, min_free: 0, _lock: lock })
    }

    /// Who this server is: the same after a restart on the same directory.
    #[must_use]
    pub fn server_id(&self) -> Uuid {
        self.server_id
    }

    /// The directory itself, as an absolute path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the SQLite database lies.
    #[must_use]
    pub fn sqlite(&self) -> PathBuf {
        Self::sqlite_in(&self.root)
    }

    /// Where the SQLite database of a data directory lies, for a command beside its server.
    #[must_use]
    pub fn sqlite_in(root: &Path) -> PathBuf {
        root.join("loadbay.sqlite")
    }

    /// Where unfinished files lie; emptied at start.
    #[must_use]
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Where files lie that are being downloaded: each in a folder with the name of its job.
    #[must_use]
    pub fn downloads(&self) -> PathBuf {
        self.root.join("downloads")
    }

    /// Removes what a stopped server did not finish; what cannot be removed is named in the log.
    /// Only before the first upload is taken.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub async fn empty_tmp(&self) -> Result<(), FileError> {
        let tmp = self.tmp();
        let empty = move || {
            for entry in fs::read_dir(tmp)? {
                let path = entry?.path();
                if let Err(fault) = remove_all(&path) {
                    tracing::warn!(
                        event = "unfinished_file_left",
                        path = %path.display(),
                        error = %fault,
                        "unfinished file cannot be removed"
                    );
                }
            }
            Ok(())
        };
        blocking("remove unfinished files", empty).await
    }
}

fn identity(file: &mut File) -> io::Result<Uuid> {
    let mut text = String::new();
    file.take(100).read_to_string(&mut text)?;
    if let Ok(uuid) = Uuid::parse_str(text.trim()) {
        return Ok(uuid);
    }
    let uuid = Uuid::new_v4();
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{uuid}")?;
    file.sync_all()?;
    Ok(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_folder_is_private_and_belongs_to_one_server() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("a/b");
        let data_dir = DataDir::open(&root).unwrap();
        for path in [root.clone(), data_dir.tmp(), data_dir.downloads(), root.join("uploads")] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
        }
        let refused = DataDir::open(&root).unwrap_err().to_string();
        assert!(refused.contains("another server uses it"), "{refused}");
        let id = data_dir.server_id();
        drop(data_dir);
        assert_eq!(DataDir::open(&root).unwrap().server_id(), id);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o770)).unwrap();
        let refused = DataDir::open(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("others may write to it"), "{refused}");
    }

    #[tokio::test]
    async fn what_was_not_finished_is_removed_at_start() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(dir.path()).unwrap();
        fs::write(data_dir.tmp().join("half"), "a").unwrap();
        fs::create_dir(data_dir.tmp().join("folder")).unwrap();
        data_dir.empty_tmp().await.unwrap();
        assert_eq!(fs::read_dir(data_dir.tmp()).unwrap().count(), 0);
    }
}
