//! Files on disk: uploads on their way in, the failed rows of jobs on their way out.
//!
//! Owns the data directory and its layout. Knows no database, no dataset and no HTTP.
//!
//! ```text
//! <data>/loadbay.sqlite                          the database, where it is SQLite
//! <data>/server-id                               who this server is; locked while it runs
//! <data>/tmp/                                    whatever is not finished; emptied at start
//! <data>/uploads/<uuid>/source                   the uploaded file of a job
//! <data>/uploads/<uuid>/failed/<chunk>.jsonl     the failed rows of one of its chunks
//! ```

mod copies;
mod error;
mod failed_rows;
mod receive;
mod utf8;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

pub use error::FileError;
pub use failed_rows::FailedRows;
pub(crate) use receive::hex;
pub use receive::{Arrived, Received, Receiver};

/// The data directory, locked for this server as long as the value lives.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    server_id: Uuid,
    /// Held for its lock.
    _lock: File,
}

/// What a sweep removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Entries of `tmp/`.
    pub unfinished: usize,
    /// Folders of `uploads/` that no job knows.
    pub unknown: usize,
}

impl Folder {
    /// Opens the data directory, creates what is missing (mode 0700) and locks it.
    ///
    /// # Errors
    /// [`FileError::Unusable`] when others may write to it, another server uses it, or the system
    /// refuses.
    pub fn open(root: &Path) -> Result<Self, FileError> {
        let unusable = |why: &str, source: Option<io::Error>| FileError::Unusable {
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
        for folder in ["uploads", "tmp"] {
            create_private(&root_path.join(folder)).map_err(system("it cannot be written to"))?;
        }
        let mut lock = private_file()
            .open(root_path.join("server-id"))
            .map_err(system("it cannot be written to"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(unusable(
                    "another server uses it; give this one its own LOADBAY_DATA_DIR",
                    None,
                ));
            }
            Err(fs::TryLockError::Error(source)) => {
                return Err(unusable("it cannot be locked", Some(source)));
            }
        }
        let server_id = identity(&mut lock).map_err(system("`server-id` cannot be used"))?;
        Ok(Self { root: root_path, server_id, _lock: lock })
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
        self.root.join("loadbay.sqlite")
    }

    /// Where unfinished files lie; emptied at start.
    #[must_use]
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// The uploaded file of the job `uuid`.
    #[must_use]
    pub fn source(&self, uuid: Uuid) -> PathBuf {
        self.upload(uuid).join("source")
    }

    fn upload(&self, uuid: Uuid) -> PathBuf {
        self.root.join("uploads").join(uuid.to_string())
    }

    /// Removes everything that the job `uuid` left on disk. Blocks.
    ///
    /// # Errors
    /// What the system refused; a folder that is gone already is fine.
    pub fn remove(&self, uuid: Uuid) -> io::Result<()> {
        remove_all(&self.upload(uuid))
    }

    /// Removes what a stopped server left behind: everything in `tmp/`, and uploads of which no job
    /// is `known`. Only before the first upload is taken. Blocks.
    ///
    /// # Errors
    /// What the system refused.
    pub fn sweep(&self, known: impl Fn(Uuid) -> bool) -> io::Result<Swept> {
        let mut swept = Swept::default();
        for entry in fs::read_dir(self.tmp())? {
            remove_all(&entry?.path())?;
            swept.unfinished += 1;
        }
        for entry in fs::read_dir(self.root.join("uploads"))? {
            let entry = entry?;
            let uuid = entry.file_name().to_str().and_then(|name| Uuid::parse_str(name).ok());
            // What does not look like ours is left alone.
            if uuid.is_some_and(|uuid| !known(uuid)) {
                remove_all(&entry.path())?;
                swept.unknown += 1;
            }
        }
        Ok(swept)
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
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

fn remove_all(path: &Path) -> io::Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(fault) => Err(fault),
    };
    match gone {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes the names in a folder survive a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_folder_is_private_and_belongs_to_one_server() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("a/b");
        let folder = Folder::open(&root).unwrap();
        for path in [root.clone(), folder.tmp(), root.join("uploads")] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
        }
        let refused = Folder::open(&root).unwrap_err().to_string();
        assert!(refused.contains("another server uses it"), "{refused}");
        let id = folder.server_id();
        drop(folder);
        assert_eq!(Folder::open(&root).unwrap().server_id(), id);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o770)).unwrap();
        let refused = Folder::open(place.path()).unwrap_err().to_string();
        assert!(refused.contains("others may write to it"), "{refused}");
    }

    #[test]
    fn a_sweep_keeps_the_uploads_that_jobs_know() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let (known, unknown) = (Uuid::new_v4(), Uuid::new_v4());
        for uuid in [known, unknown] {
            fs::create_dir_all(folder.upload(uuid)).unwrap();
            fs::write(folder.source(uuid), "a,b\n").unwrap();
        }
        fs::write(folder.tmp().join("half"), "a").unwrap();
        let swept = folder.sweep(|uuid| uuid == known).unwrap();
        assert_eq!(swept, Swept { unfinished: 1, unknown: 1 });
        assert!(folder.source(known).exists());
        assert!(!folder.upload(unknown).exists());
    }
}
