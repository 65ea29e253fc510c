//! The folder `uploads`: a folder for each job, in the data directory or in one that servers share.
//! Everything here blocks.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use uuid::Uuid;

use super::layout::{JobDir, OWNER, SOURCE};
use crate::files::folders::{create_private, remove_all, sync_folder};

/// A folder with a folder for each job.
#[derive(Debug, Clone)]
pub(super) struct LocalStorage {
    root: PathBuf,
}

impl LocalStorage {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder `uploads` itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The file beside it that says to which database the files belong.
    pub(super) fn owner_file(&self) -> PathBuf {
        self.root.with_file_name(OWNER)
    }

    /// The database that the files belong to; when that is none yet, `database` from now on. What
    /// cannot be read is no database.
    pub(super) fn owner(&self, database: Uuid) -> io::Result<Option<Uuid>> {
        self.present()?;
        let path = self.owner_file();
        if !fs::exists(&path)? {
            write_once(&path, database)?;
        }
        Ok(Uuid::parse_str(fs::read_to_string(&path)?.trim()).ok())
    }

    /// The folder of a job.
    pub(super) fn job_dir(&self, uuid: Uuid) -> PathBuf {
        self.root.join(uuid.to_string())
    }

    /// The uploaded file of a job.
    pub(super) fn source(&self, uuid: Uuid) -> PathBuf {
        self.job_dir(uuid).join(SOURCE)
    }

    /// Makes sure that the folder is there. A shared one is gone while its disk is not mounted: that
    /// passes, and nothing may be written to where it belongs meanwhile.
    pub(super) fn present(&self) -> io::Result<()> {
        if self.root.is_dir() {
            return Ok(());
        }
        let gone = format!("{} is gone; is it mounted?", self.root.display());
        Err(io::Error::new(io::ErrorKind::NotConnected, gone))
    }

    /// Moves a file here as the source of a new job; it stays, whatever happens to the power. First
    /// its bytes are made durable, then its names.
    pub(super) fn store(&self, uuid: Uuid, file: &File, path: &Path) -> io::Result<()> {
        file.sync_all()?;
        self.present()?;
        create_private(&self.job_dir(uuid))?;
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
        let mut copy = NamedTempFile::new_in(self.job_dir(uuid))?;
        io::copy(&mut File::open(path)?, copy.as_file_mut())?;
        copy.as_file().sync_all()?;
        copy.persist(self.source(uuid))?;
        Ok(())
    }

    /// Gives the job `to` the source of the job `from`: the same bytes under a second name, or a
    /// copy where the disk knows no second names.
    pub(super) fn copy_source(&self, from: Uuid, to: Uuid) -> io::Result<()> {
        self.present()?;
        create_private(&self.job_dir(to))?;
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
        self.present()?;
        let path = self.job_dir(uuid).join(name);
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
        self.present()?;
        fs::read(self.job_dir(uuid).join(name))
    }

    /// The files of a job with these names.
    pub(super) fn paths(&self, uuid: Uuid, names: &[String]) -> Vec<PathBuf> {
        let job_dir = self.job_dir(uuid);
        names.iter().map(|name| job_dir.join(name)).collect()
    }

    /// Removes everything of a job and gives the bytes that this frees; a folder that is gone
    /// already is fine.
    pub(super) fn remove(&self, uuid: Uuid) -> io::Result<u64> {
        let job_dir = self.job_dir(uuid);
        let bytes = bytes_of(&job_dir);
        remove_all(&job_dir).map(|()| bytes)
    }

    /// The folders of jobs, each with the time since it was changed.
    pub(super) fn job_dirs(&self) -> io::Result<Vec<JobDir>> {
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
            found.push(JobDir { uuid, age: changed.elapsed().unwrap_or_default() });
        }
        Ok(found)
    }

    /// Makes the names of a job's folder and of what is in it survive a power cut.
    fn sync_names(&self, uuid: Uuid) -> io::Result<()> {
        sync_folder(&self.job_dir(uuid))?;
        sync_folder(&self.root)
    }
}

/// Bytes of the files below a folder that have no second name elsewhere, as far as can be seen.
fn bytes_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_of(&entry.path()),
        Ok(found) if found.nlink() == 1 => found.len(),
        Ok(_) | Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// Writes a name into a new file, to stay. Where another server was faster, its name is the one.
pub(super) fn write_once(path: &Path, name: Uuid) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(format!("{name}\n").as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(fault) if fault.error.kind() != io::ErrorKind::AlreadyExists => Err(fault.error),
        _ => sync_folder(folder),
    }
}
