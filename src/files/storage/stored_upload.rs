//! An upload that is stored to stay. It is removed again unless it is kept for a job.

use std::fs;

use uuid::Uuid;

use super::bucket::transfer;
use super::{Backend, Storage};
use crate::faults::fault;
use crate::files::FileError;
use crate::files::blocking::blocking;
use crate::files::upload_file::{self, TempUpload};

/// A file that is stored to stay: whatever happens to the power, it is there.
///
/// Dropped without [`keep`](StoredUpload::keep), it is removed again.
#[derive(Debug)]
pub struct StoredUpload {
    /// The name of its folder.
    pub uuid: Uuid,
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal in lower case.
    pub sha256: String,
    /// True when all of it is valid UTF-8.
    pub valid_utf8: bool,
    storage: Storage,
    kept: bool,
}

impl Storage {
    /// Stores an upload durably: a power cut does not lose it. It is removed again when the value is
    /// dropped without [`StoredUpload::keep`].
    ///
    /// # Errors
    /// What the storage refuses; nothing is left behind then.
    pub async fn store(&self, upload: TempUpload) -> Result<StoredUpload, FileError> {
        self.store_as(Uuid::new_v4(), upload).await
    }

    /// The same under a name that is there already; a file that lies there is replaced.
    ///
    /// # Errors
    /// As of [`store`](Self::store).
    pub async fn store_as(
        &self,
        uuid: Uuid,
        upload: TempUpload,
    ) -> Result<StoredUpload, FileError> {
        let action = "store the upload";
        // From here on whatever is there already goes with this value.
        let received = StoredUpload::begin(self.clone(), uuid, &upload);
        match &self.backend {
            Backend::Local(local) => {
                let local = local.clone();
                let store = move || upload.give(|file, path| local.store(uuid, file, path));
                self.in_local(action, store).await?;
            }
            Backend::Bucket(bucket) => {
                let stored = bucket.store_source(uuid, &upload.path, upload.size).await;
                stored.map_err(|fault| transfer(action, fault))?;
                // Removed at once: the disk needs the space.
                let remove = move || upload.give(|_, path| fs::remove_file(path));
                blocking(action, remove).await?;
            }
        }
        fault!("receive.durable", FileError::broken(action));
        Ok(received)
    }

    /// Removes an unneeded upload in the background. The sweep removes it later when that fails.
    fn remove_soon(&self, uuid: Uuid) {
        match &self.backend {
            Backend::Local(local) => upload_file::remove_soon(local.job_dir(uuid)),
            Backend::Bucket(bucket) => {
                let bucket = bucket.clone();
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(async move {
                        if let Err(fault) = bucket.remove(uuid).await {
                            tracing::warn!(
                                event = "upload_left",
                                %uuid,
                                error = %fault,
                                "unneeded upload could not be removed"
                            );
                        }
                    });
                }
            }
        }
    }
}

impl StoredUpload {
    /// A file that is about to be stored under this name; whatever of it is there already is
    /// removed again unless it is kept.
    fn begin(storage: Storage, uuid: Uuid, upload: &TempUpload) -> Self {
        Self {
            uuid,
            size: upload.size,
            sha256: upload.sha256.clone(),
            valid_utf8: upload.valid_utf8,
            storage,
            kept: false,
        }
    }

    /// The file belongs to a job now: it stays.
    pub fn keep(mut self) -> Uuid {
        self.kept = true;
        self.uuid
    }
}

impl Drop for StoredUpload {
    fn drop(&mut self) {
        if !self.kept {
            self.storage.remove_soon(self.uuid);
        }
    }
}
