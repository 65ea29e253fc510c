//! What can be wrong with a definition file: always with the file, the line and the key.

/// A fault of a definition file, found when it is compiled or checked against the real table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {}{message}", LinePart(*line), KeyPart(key))]
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

struct LinePart(Option<usize>);

impl std::fmt::Display for LinePart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

struct KeyPart<'a>(&'a str);

impl std::fmt::Display for KeyPart<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}
