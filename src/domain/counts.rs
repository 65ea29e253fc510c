//! What became of the rows of a job. The counts and the unprocessed rows add up to the rows
//! of the file: the identity that every test ends with.

use serde::{Deserialize, Serialize};

/// Rows by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Rows whose key was not in the table.
    pub created: u64,
    /// Rows whose key was in the table with other values.
    pub updated: u64,
    /// Rows whose key was in the table with the same values.
    pub unchanged: u64,
    /// Valid rows superseded by a later row of the same file with the same key.
    pub superseded: u64,
    /// Rows that could not be taken; each has at least one row error.
    pub failed: u64,
    /// Rows of the table that a rollback took out again, or that a mirror removed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub removed: u64,
    /// Those of them that a mirror removed: the file does not have them, so that they are none of its
    /// rows.
    #[serde(skip)]
    pub absent: u64,
}

impl Counts {
    /// Each outcome by its name, with its rows.
    #[must_use]
    pub fn by_outcome(&self) -> [(&'static str, u64); 6] {
        [
            ("created", self.created),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("superseded", self.superseded),
            ("failed", self.failed),
            ("removed", self.removed),
        ]
    }

    /// What came to these counts after `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            created: self.created.saturating_sub(before.created),
            updated: self.updated.saturating_sub(before.updated),
            unchanged: self.unchanged.saturating_sub(before.unchanged),
            superseded: self.superseded.saturating_sub(before.superseded),
            failed: self.failed.saturating_sub(before.failed),
            removed: self.removed.saturating_sub(before.removed),
            absent: self.absent.saturating_sub(before.absent),
        }
    }

    /// All rows that have an outcome.
    #[must_use]
    pub fn processed(&self) -> u64 {
        let of_file = self.created + self.updated + self.unchanged + self.superseded + self.failed;
        of_file + self.removed.saturating_sub(self.absent)
    }

    /// Rows whose values are in the table now, or were superseded by such a row.
    #[must_use]
    pub fn succeeded(&self) -> u64 {
        self.processed() - self.failed
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.superseded += other.superseded;
        self.failed += other.failed;
        self.removed += other.removed;
        self.absent += other.absent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up() {
        let mut sum = Counts {
            created: 1,
            updated: 2,
            unchanged: 3,
            superseded: 4,
            failed: 5,
            removed: 6,
            absent: 0,
        };
        sum += Counts { created: 10, ..Counts::default() };
        assert_eq!(sum.created, 11);
        let before = Counts { created: 10, ..Counts::default() };
        assert_eq!(sum.since(&before).by_outcome().map(|(_, rows)| rows), [1, 2, 3, 4, 5, 6]);
        assert_eq!(sum.processed(), 31);
        assert_eq!(sum.succeeded(), 26);
        sum += Counts { removed: 7, absent: 7, ..Counts::default() };
        assert_eq!((sum.removed, sum.processed()), (13, 31), "they are no rows of the file");
    }
}
