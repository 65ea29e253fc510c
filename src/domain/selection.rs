//! Which rows of a file a job takes, when not all of them. Pure: where numbers and rows lie is not
//! known here.

use serde::{Deserialize, Serialize};

/// A part of the rows of a file, as an earlier job over the same file left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rows", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Selection {
    /// The rows that failed; their numbers lie beside the file.
    Failed,
    /// The rows that had no outcome yet: in each partition those behind the last committed one.
    Unprocessed {
        /// The last committed row of each partition, 0 when it has none; empty when the job that left
        /// the rows never divided them.
        partitions: Vec<u32>,
        /// Only of rows whose numbers lie beside the file.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        of_failed: bool,
    },
}

/// Which rows of a job are to be imported again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryRows {
    /// All that the job took.
    All,
    /// Those that failed.
    Failed,
    /// Those without an outcome.
    Unprocessed,
}

impl RetryRows {
    /// Every choice, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::All, Self::Failed, Self::Unprocessed];

    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Failed => "failed",
            Self::Unprocessed => "unprocessed",
        }
    }

    /// Reads the word of the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rows| rows.as_str() == word)
    }
}

impl Selection {
    /// The word of the API.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Failed => RetryRows::Failed.as_str(),
            Self::Unprocessed { .. } => RetryRows::Unprocessed.as_str(),
        }
    }

    /// What a job left that took `taken` of its file and committed each partition up to `partitions`.
    ///
    /// A job that takes such a selection divides its rows as the job that left them did: behind both
    /// checkpoints is behind the later one.
    ///
    /// # Panics
    /// When the job divided its rows otherwise.
    #[must_use]
    pub fn left_by(taken: Option<&Self>, mut partitions: Vec<u32>) -> Self {
        let of_failed = taken.is_some_and(Self::has_numbers);
        let before = taken.map_or(&[][..], Self::partitions);
        if partitions.is_empty() {
            partitions = before.to_vec();
        } else if !before.is_empty() {
            assert_eq!(before.len(), partitions.len(), "a job keeps the partitions of its parent");
            for (row, before) in partitions.iter_mut().zip(before) {
                *row = (*row).max(*before);
            }
        }
        Self::Unprocessed { partitions, of_failed }
    }

    /// The row of each partition behind which a row must lie; empty when it may lie anywhere.
    #[must_use]
    pub fn partitions(&self) -> &[u32] {
        match self {
            Self::Failed => &[],
            Self::Unprocessed { partitions, .. } => partitions,
        }
    }

    /// True when the numbers of the rows lie beside the file.
    #[must_use]
    pub fn has_numbers(&self) -> bool {
        match self {
            Self::Failed => true,
            Self::Unprocessed { of_failed, .. } => *of_failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_left_of_what_another_left_is_behind_both() {
        let first = Selection::left_by(None, vec![10, 7]);
        let never_began = Selection::left_by(Some(&first), Vec::new());
        assert_eq!(never_began.partitions(), [10, 7]);
        let second = Selection::left_by(Some(&never_began), vec![9, 40]);
        assert_eq!(second.partitions(), [10, 40]);
        assert!(!second.has_numbers());
    }

    #[test]
    fn what_is_left_of_failed_rows_needs_their_numbers() {
        let left = Selection::left_by(Some(&Selection::Failed), vec![4]);
        assert!(left.has_numbers());
        assert!(Selection::left_by(Some(&left), vec![5]).has_numbers());
        assert_eq!(left.as_str(), "unprocessed");
    }

    #[test]
    fn a_selection_survives_its_storage() {
        let left = Selection::left_by(Some(&Selection::Failed), vec![4]);
        let left = Selection::left_by(Some(&left), vec![5]);
        for selection in [Selection::Failed, left, Selection::left_by(None, vec![3])] {
            let text = serde_json::to_string(&selection).unwrap();
            assert_eq!(serde_json::from_str::<Selection>(&text).unwrap(), selection, "{text}");
        }
        let plain = r#"{"rows":"unprocessed","partitions":[3]}"#;
        assert_eq!(serde_json::to_string(&Selection::left_by(None, vec![3])).unwrap(), plain);
    }

    #[test]
    fn every_choice_has_a_word() {
        for rows in RetryRows::ALL {
            assert_eq!(RetryRows::parse(rows.as_str()), Some(rows));
        }
        assert_eq!(RetryRows::parse("some"), None);
    }
}
