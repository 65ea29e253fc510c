//! To which database the files of a storage belong. Its name lies beside them, so that a server on
//! another database (a mistyped address, a test system on the storage of the real one) leaves files
//! alone of which it knows no job. Knows nothing of databases but that each has a name.

use uuid::Uuid;

use super::bucket::transfer;
use super::layout::OWNER;
use super::{Backend, Storage};
use crate::files::FileError;
use crate::files::blocking::blocking;

const ACTION: &str = "read to which database the files belong";

impl Storage {
    /// True when the files here belong to the database of this name; files that belong to none yet
    /// belong to it from now on.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn belongs_to(&self, database: Uuid) -> Result<bool, FileError> {
        let owner = match &self.backend {
            Backend::Local(local) => {
                let local = local.clone();
                blocking(ACTION, move || local.owner(database)).await?
            }
            Backend::Bucket(bucket) => {
                bucket.owner(database).await.map_err(|fault| transfer(ACTION, fault))?
            }
        };
        Ok(owner == Some(database))
    }

    /// Where the name of the database lies, for the one who is to remove it.
    #[must_use]
    pub fn owner_file(&self) -> String {
        match &self.backend {
            Backend::Local(local) => local.owner_file().display().to_string(),
            Backend::Bucket(_) => format!("{}/{OWNER}", self.shown),
        }
    }
}
