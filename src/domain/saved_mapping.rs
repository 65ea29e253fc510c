//! A mapping that is remembered: what the headers of a supplier's file mean. Knows no dataset.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::row_error::shown;

/// Characters of the name of a saved mapping.
const NAME_CHARS_MAX: usize = 100;

/// The name of a saved mapping: 1 to 100 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct MappingName(String);

impl MappingName {
    /// What a name is.
    pub const TAKES: &'static str = "a name of 1 to 100 characters";

    /// Reads a name; `None` when the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim();
        let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
        (fits && !name.contains(char::is_control)).then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a mapping that is stored.
    #[must_use]
    pub fn of_stored(name: String) -> Self {
        Self(name)
    }
}

impl std::fmt::Display for MappingName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

/// A mapping to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMapping {
    /// The dataset.
    pub dataset: String,
    /// Its name, unique in the dataset.
    pub name: MappingName,
    /// Of the headers of the file, if they are known.
    pub fingerprint: Option<String>,
    /// The headers of the file, from left to right; empty if they are not known.
    pub headers: Vec<String>,
    /// Header → column name; an empty column name leaves the header out.
    pub mapping: BTreeMap<String, String>,
    /// The client that saves it.
    pub created_by: Option<String>,
}

/// A mapping that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMapping {
    /// What was saved.
    pub saved: NewMapping,
    /// When it was saved first.
    pub created_at: DateTime<Utc>,
    /// When it was saved last.
    pub updated_at: DateTime<Utc>,
    /// When a file was last read with it.
    pub last_used_at: Option<DateTime<Utc>>,
}
