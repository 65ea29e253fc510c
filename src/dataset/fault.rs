//! What can be wrong with a definition file: always with the file, the line and the key.

/// A fault of a definition file, found when it is compiled or checked against the real table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {}{message}", At(*line), Lead(key))]
pub struct DefinitionFault {
    /// The file as it was named to the compiler: `datasets/products.toml`.
    pub file: String,
    /// The line, from 1; `None` when the fault is the whole file's.
    pub line: Option<usize>,
    /// Which key, for people: `` `table` ``, `` column `sku`, `max_length` ``; empty for the file.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

struct At(Option<usize>);

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

struct Lead<'a>(&'a str);

impl std::fmt::Display for Lead<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}

/// The candidate that is most like `word`, if any is like it at all.
///
/// Half of the letters must agree: enough for a slip of the finger, too little for a guess.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    let mut best: Option<(&str, f64)> = None;
    for candidate in candidates {
        let score = strsim::normalized_damerau_levenshtein(&word, &candidate.to_lowercase());
        if score >= 0.5 && best.is_none_or(|(_, most)| score > most) {
            best = Some((candidate, score));
        }
    }
    best.map(|(candidate, _)| candidate)
}

/// `words` between backticks, with commas: `` `a`, `b` ``.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
