//! A cgroup with a hard limit of memory for the server that is measured: the kernel ends a process in
//! it that needs more. Works with both versions of cgroups.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A cgroup below the root of its hierarchy; removed with this value.
#[derive(Debug)]
pub(crate) struct Cgroup(PathBuf);

impl Cgroup {
    /// Makes one whose processes have so many bytes.
    pub(crate) fn new(bytes: u64) -> Result<Self> {
        let first_version = Path::new("/sys/fs/cgroup/memory");
        let (root, limit) = if first_version.is_dir() {
            (first_version, "memory.limit_in_bytes")
        } else {
            (Path::new("/sys/fs/cgroup"), "memory.max")
        };
        let folder = root.join(format!("loadbay-bench-{}", std::process::id()));
        let help = "a cgroup cannot be made; run as root, or measure without --memory-limit";
        fs::create_dir(&folder).context(help)?;
        let cgroup = Self(folder);
        fs::write(cgroup.0.join(limit), bytes.to_string()).context(help)?;
        Ok(cgroup)
    }

    /// Moves a process into it.
    pub(crate) fn take_in(&self, process: u32) -> Result<()> {
        let list = self.0.join("cgroup.procs");
        fs::write(list, process.to_string()).context("the server cannot be put into the cgroup")
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // One that still has a process stays.
        let _ = fs::remove_dir(&self.0);
    }
}
