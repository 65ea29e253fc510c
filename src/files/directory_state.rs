//! A look at a folder that changes nothing: whether a server could use it, and whether one does.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Access, access};

/// How a folder stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryState {
    /// It is not there.
    Missing,
    /// A server uses it.
    Used,
    /// It can be used.
    Free,
    /// It can be used, and belongs to somebody else.
    Strange {
        /// The number of the user.
        owner: u32,
    },
    /// Others may write to it.
    Open {
        /// Its rights.
        mode: u32,
    },
    /// It cannot be used.
    Closed {
        /// What the system says.
        fault: String,
    },
}

impl DirectoryState {
    /// Looks at a folder.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        let found = match fs::metadata(root) {
            Ok(found) => found,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Self::Missing,
            Err(fault) => return Self::Closed { fault: fault.to_string() },
        };
        if !found.is_dir() {
            return Self::Closed { fault: "it is no folder".to_owned() };
        }
        if let Err(fault) = access(root, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
            return Self::Closed { fault: fault.to_string() };
        }
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o022 != 0 {
            return Self::Open { mode };
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Self::Strange { owner: found.uid() };
        }
        if is_locked(root) { Self::Used } else { Self::Free }
    }
}

fn is_locked(root: &Path) -> bool {
    let lock = File::open(root.join("server-id"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::DataDir;

    #[test]
    fn a_folder_says_whether_a_server_could_use_it() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("data");
        assert_eq!(DirectoryState::of(&root), DirectoryState::Missing);
        let data_dir = DataDir::open(&root).unwrap();
        assert_eq!(DirectoryState::of(&root), DirectoryState::Used);
        drop(data_dir);
        assert_eq!(DirectoryState::of(&root), DirectoryState::Free);
        fs::set_permissions(&root, fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(DirectoryState::of(&root), DirectoryState::Open { mode: 0o770 });
        let file = root.join("server-id");
        assert!(matches!(DirectoryState::of(&file), DirectoryState::Closed { .. }));
    }
}
