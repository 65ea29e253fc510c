//! The folder `uploads`: a folder for each job, in the data directory or in one that servers share.
//! Everything here blocks.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;
use uuid::Uuid;

use crate::files::{create_private, remove_all, sync_folder};

/// The name of an uploaded file in its folder.
pub(super) const SOURCE: &str = "source";

/// A folder with a folder for each job.
#[derive(Debug, Clone)]
pub(in crate::files) struct Tree {
    root: PathBuf,
}

impl Tree {
    pub(in crate::files) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder of a job.
    pub(in crate::files) fn home(&self, uuid: Uuid) -> PathBuf {
        self.root.join(uuid.to_string())
    }

    /// The uploaded file of a job.
    pub(super) fn source(&self, uuid: Uuid) -> PathBuf {
        self.home(uuid).join(SOURCE)
    }

    /// Moves a file here as the source of a new job; it stays, whatever happens to the power. First
    /// its bytes are made durable, then its names.
    pub(super) fn keep(&self, uuid: Uuid, file: &File, path: &Path) -> io::Result<()> {
        file.sync_all()?;
        let home = self.home(uuid);
        create_private(&home)?;
        match fs::rename(path, self.source(uuid)) {
            Err(fault) if fault.kind() == io::ErrorKind::CrossesDevices => {
                self.copy_in(uuid, path)?;
                fs::remove_file(path)?;
            }
            moved => moved?,
        }
        self.sync_names(uuid)
    }

    /// Copies a file here from another disk, under another name until it is whole and durable.
    fn copy_in(&self, uuid: Uuid, path: &Path) -> io::Result<()> {
        let mut copy = NamedTempFile::new_in(self.home(uuid))?;
        io::copy(&mut File::open(path)?, copy.as_file_mut())?;
        copy.as_file().sync_all()?;
        copy.persist(self.source(uuid))?;
        Ok(())
    }

    /// Gives the job `to` the source of the job `from`: the same bytes under a second name, or a
    /// copy where the disk knows no second names.
    pub(super) fn copy_source(&self, from: Uuid, to: Uuid) -> io::Result<()> {
        create_private(&self.home(to))?;
        let (source, target) = (self.source(from), self.source(to));
        match fs::hard_link(&source, &target) {
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {}
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Err(fault),
            Err(_) => self.copy_in(to, &source)?,
            Ok(()) => {}
        }
        self.sync_names(to)
    }

    /// Writes a file of a job, to stay; one that is there already is replaced. `name` may have one
    /// folder before it.
    pub(super) fn put(&self, uuid: Uuid, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.home(uuid).join(name);
        let folder = path.parent().unwrap_or(&self.root).to_owned();
        if !folder.is_dir() {
            create_private(&folder)?;
            self.sync_names(uuid)?;
        }
        let mut file = NamedTempFile::new_in(&folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync_folder(&folder)
    }

    /// Reads a file of a job.
    pub(super) fn get(&self, uuid: Uuid, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.home(uuid).join(name))
    }

    /// The files of a job with these names.
    pub(super) fn paths(&self, uuid: Uuid, names: &[String]) -> Vec<PathBuf> {
        let home = self.home(uuid);
        names.iter().map(|name| home.join(name)).collect()
    }

    /// Removes everything of a job; a folder that is gone already is fine.
    pub(super) fn remove(&self, uuid: Uuid) -> io::Result<()> {
        remove_all(&self.home(uuid))
    }

    /// The jobs that have a folder which nobody changed for `older_than`.
    pub(super) fn folders(&self, older_than: Duration) -> io::Result<Vec<Uuid>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(uuid) = name.to_str().and_then(|name| Uuid::parse_str(name).ok()) else {
                continue;
            };
            let changed = match entry.metadata() {
                // Removed meanwhile.
                Err(fault) if fault.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?.modified()?,
            };
            // A folder of the future, by this clock, is a young one.
            if changed.elapsed().unwrap_or_default() >= older_than {
                found.push(uuid);
            }
        }
        Ok(found)
    }

    /// Makes the names of a job's folder and of what is in it survive a power cut.
    fn sync_names(&self, uuid: Uuid) -> io::Result<()> {
        sync_folder(&self.home(uuid))?;
        sync_folder(&self.root)
    }
}
