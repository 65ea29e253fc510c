//! The names in a storage, and what it lists.

use std::time::Duration;

use uuid::Uuid;

/// The file or object that says to which database the files belong.
pub(super) const OWNER: &str = "database-id";

/// The name of an uploaded file in its folder.
pub(super) const SOURCE: &str = "source";

/// The files of a job, as a storage lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobDir {
    /// The folder's name.
    pub uuid: Uuid,
    /// How long nothing was added to it.
    pub age: Duration,
}
