//! Names and texts of definition files: which ones datasets, columns and tables may have, and how
//! they are shown.

use serde::Deserialize;

/// Letters that a name may have: PostgreSQL cuts longer ones.
const NAME_CHARS_MAX: usize = 63;

/// A text that holds more than white space.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Text(pub(super) String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let trimmed = text.trim();
        if trimmed.is_empty() { Err("is empty") } else { Ok(Self(trimmed.to_owned())) }
    }
}

/// A name of datasets and columns: `a` to `z`, digits and `_`, as addresses and options spell it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Word(pub(super) String);

impl TryFrom<String> for Word {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_word = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.len() <= NAME_CHARS_MAX
            && text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
        if is_word {
            return Ok(Self(text));
        }
        Err(format!(
            "`{text}` is not a name: it begins with a letter and has lower-case letters, digits and \
             `_`, at most {NAME_CHARS_MAX}"
        ))
    }
}

/// A name of the database, as the database itself has it: any characters, letter case counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Identifier(pub(super) String);

impl TryFrom<String> for Identifier {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match identifier_fault(&text) {
            None => Ok(Self(text)),
            Some(fault) => Err(format!("`{text}` cannot be the name of a column: {fault}")),
        }
    }
}

/// What the names of the staged rows' own columns begin with.
const OWN_PREFIX: &str = "loadbay_";

/// Why no table or column can have this name.
pub(super) fn identifier_fault(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("it is empty".to_owned())
    } else if name.len() > NAME_CHARS_MAX {
        Some(format!("a name has at most {NAME_CHARS_MAX} bytes"))
    } else if name.chars().any(char::is_control) {
        Some("it has a control character".to_owned())
    } else if name.starts_with(OWN_PREFIX) {
        Some(format!("names that begin with `{OWN_PREFIX}` are used by Loadbay itself"))
    } else {
        None
    }
}

/// `words` between backticks, with commas: `` `a`, `b` ``.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// The words of a name, each with a capital: `cost_price` → `Cost Price`.
pub(super) fn title_of(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect::<String>()
        })
    };
    name.split('_').filter(|word| !word.is_empty()).map(capital).collect::<Vec<_>>().join(" ")
}

/// One of many: `products` → `product`, `categories` → `category`, `boxes` → `box`.
#[must_use]
pub fn singular(plural: &str) -> String {
    if let Some(stem) = plural.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if let Some(stem) = plural.strip_suffix(ending) {
            return format!("{stem}{}", ending.trim_end_matches("es"));
        }
    }
    match plural.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') => stem.to_owned(),
        _ => plural.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_have_a_singular() {
        for (many, one) in [
            ("products", "product"),
            ("categories", "category"),
            ("boxes", "box"),
            ("addresses", "address"),
            ("branches", "branch"),
            ("prices", "price"),
            ("address", "address"),
            ("stock", "stock"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
