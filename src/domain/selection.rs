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
        /// The last committed row of each partition; 0 when it has none.
        partitions: Vec<u32>,
        /// The same of earlier jobs that divided the rows among other numbers of partitions: a row is
        /// behind in all of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier: Vec<Vec<u32>>,
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
    /// Behind two checkpoints of equally many partitions is behind the later one, so that this stays
    /// small however often rows are left.
    #[must_use]
    pub fn left_by(taken: Option<&Self>, mut partitions: Vec<u32>) -> Self {
        let (mut earlier, mut of_failed) = (Vec::new(), false);
        match taken {
            None => {}
            Some(Self::Failed) => of_failed = true,
            Some(before @ Self::Unprocessed { of_failed: among, .. }) => {
                of_failed = *among;
                for checkpoint in before.checkpoints() {
                    if checkpoint.len() == partitions.len() {
                        for (row, before) in partitions.iter_mut().zip(checkpoint) {
                            *row = (*row).max(*before);
                        }
                    } else {
                        earlier.push(checkpoint.to_vec());
                    }
                }
            }
        }
        Self::Unprocessed { partitions, earlier, of_failed }
    }

    /// The checkpoints behind all of which a row must lie: for each the last row of its partitions.
    pub fn checkpoints(&self) -> impl Iterator<Item = &[u32]> {
        let (partitions, earlier): (_, &[_]) = match self {
            Self::Failed => (None, &[]),
            Self::Unprocessed { partitions, earlier, .. } => (Some(partitions), earlier),
        };
        partitions.into_iter().chain(earlier).map(Vec::as_slice)
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
        let second = Selection::left_by(Some(&first), vec![30]);
        assert_eq!(second.checkpoints().collect::<Vec<_>>(), [&[30][..], &[10, 7]]);
        let third = Selection::left_by(Some(&second), vec![9, 40]);
        assert_eq!(third.checkpoints().collect::<Vec<_>>(), [&[10, 40][..], &[30]]);
        assert!(!third.has_numbers());
    }

    #[test]
    fn what_is_left_of_failed_rows_needs_their_numbers() {
        let left = Selection::left_by(Some(&Selection::Failed), vec![4]);
        assert!(left.has_numbers());
        assert!(Selection::left_by(Some(&left), vec![5, 6]).has_numbers());
        assert_eq!(left.as_str(), "unprocessed");
    }

    #[test]
    fn a_selection_survives_its_storage() {
        let left = Selection::left_by(Some(&Selection::Failed), vec![4]);
        let left = Selection::left_by(Some(&left), vec![5, 6]);
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
