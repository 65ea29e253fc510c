//! A small disk of the rig's own, in memory, that can be filled and emptied. Needs the right to
//! mount one, which only root has; without it this harm is left out.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Ends with this value; whoever has files on it must be gone by then.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) path: PathBuf,
}

impl Disk {
    /// Mounts one at `path`, a folder that is there; nothing where that is refused.
    pub(crate) fn mount(path: &Path, megabytes: u32) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=700"), "loadbay-rig"])
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self { path: path.to_owned() })
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }

    /// Leaves about so many bytes free. Others write at the same time, so it may take some tries.
    pub(crate) fn fill(&self, leave: u64) {
        let filler = File::create(self.filler()).expect("a file on the disk");
        for _ in 0..50 {
            let disk = statvfs(&self.path).expect("the disk answers");
            let free = (disk.f_bavail * disk.f_frsize).saturating_sub(leave);
            let length = filler.metadata().expect("its size").len();
            if free == 0 || fallocate(&filler, FallocateFlags::empty(), length, free).is_ok() {
                return;
            }
        }
    }

    /// Makes room again.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.filler()).expect("the file was there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).status();
    }
}
