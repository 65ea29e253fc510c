//! The option `nulls`: words that stand for no value.

use serde::{Deserialize, Serialize};

/// Words that an upload may name.
const WORDS_MAX: usize = 50;

/// Characters of such a word.
const WORD_CHARS_MAX: usize = 50;

/// Words that stand for no value where a cell has nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct NullWords(Vec<String>);

impl Default for NullWords {
    /// What databases and programs write when they export a missing value.
    fn default() -> Self {
        Self(
            ["NULL", "\\N", "nan", "None", "N/A", "(null)", "[NULL]", "<NA>"]
                .map(str::to_owned)
                .to_vec(),
        )
    }
}

impl NullWords {
    /// What the option takes.
    pub(super) const TAKES: &'static str =
        "up to 50 words of up to 50 characters, separated by commas, or nothing";

    /// Reads words that are separated by commas; an empty text is no word.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let words: Vec<String> = words.map(str::to_owned).collect();
        let fits = words.len() <= WORDS_MAX
            && words.iter().all(|word| word.chars().count() <= WORD_CHARS_MAX);
        fits.then_some(Self(words))
    }

    /// No word stands for no value.
    #[must_use]
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_separated_by_commas() {
        let words = |text: &str| NullWords::parse(text).map(|it| it.0);
        assert_eq!(words("NULL, -,keine "), Some(["NULL", "-", "keine"].map(str::to_owned).into()));
        assert_eq!(words(""), Some(Vec::new()));
        assert_eq!(words(&"a,".repeat(51)), None);
        assert_eq!(words(&"a".repeat(51)), None);
    }
}
