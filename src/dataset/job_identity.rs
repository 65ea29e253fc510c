//! What values are made of that no row of the file has: the same at every run of a job.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::row_number::RowNumber;

/// A job, as far as defaults follow from it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct JobIdentity {
    /// The job's.
    pub(super) uuid: Uuid,
    /// When the job was created.
    pub(super) created_at: DateTime<Utc>,
}

impl JobIdentity {
    /// The UUID of a column in a row of the job: version 8, made of a SHA-256.
    pub(super) fn uuid_of(&self, row: RowNumber, column: &str) -> Uuid {
        let mut hash = Sha256::new();
        hash.update(self.uuid.as_bytes());
        hash.update(row.get().to_be_bytes());
        hash.update(column.as_bytes());
        let hash = hash.finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_follows_from_job_row_and_column() {
        let job = JobIdentity { uuid: Uuid::from_u128(1), ..JobIdentity::default() };
        let uuid = |row, column| job.uuid_of(RowNumber::new(row), column);
        assert_eq!(uuid(2, "a"), uuid(2, "a"));
        assert_eq!(uuid(2, "a").get_version_num(), 8);
        assert!(uuid(2, "a") != uuid(3, "a") && uuid(2, "a") != uuid(2, "b"));
    }
}
