//! A row as JSON: what the journal keeps of it, and what the table holds now. Values stay the texts
//! that the database wrote, so that no digit is lost on the way.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// The values of a row by the names of their columns.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(in crate::store) struct Image(BTreeMap<String, Box<RawValue>>);

impl Image {
    /// Reads an image; `None` when the text is none.
    pub(in crate::store) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A value as JSON; `None` when the row has no such column.
    pub(in crate::store) fn get(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(|value| value.get())
    }

    /// A value as people read it; what SQLite stores as a real has no `.0`.
    pub(in crate::store) fn text(&self, column: &str, is_sqlite: bool) -> String {
        let json = self.get(column).unwrap_or("null");
        match serde_json::from_str(json) {
            Ok(Value::Null) => String::new(),
            Ok(Value::String(text)) => text,
            // A blob, or a real that JSON does not know.
            Ok(Value::Object(object)) if is_sqlite => {
                object.values().filter_map(Value::as_str).collect()
            }
            _ if is_sqlite => json.strip_suffix(".0").unwrap_or(json).to_owned(),
            _ => json.to_owned(),
        }
    }

    /// A value as text that is the same for the same value; `None` for null and where there is no
    /// such column.
    pub(in crate::store) fn stored_text(&self, column: &str) -> Option<String> {
        match serde_json::from_str(self.get(column)?) {
            Ok(Value::Null) => None,
            Ok(Value::String(text)) => Some(text),
            Ok(Value::Object(object)) => Some(object.values().filter_map(Value::as_str).collect()),
            _ => self.get(column).map(str::to_owned),
        }
    }

    /// The keys of the items that a list of the row has.
    pub(in crate::store) fn item_keys(&self, list: &str) -> Vec<String> {
        let keys = self.stored_text(list).map(|keys| serde_json::from_str(&keys));
        keys.and_then(Result::ok).unwrap_or_default()
    }

    /// Gives a column this value, which is JSON.
    pub(in crate::store) fn set(&mut self, column: &str, json: &str) {
        let value = RawValue::from_string(json.to_owned());
        assert!(value.is_ok(), "`{json}` is no JSON");
        if let Ok(value) = value {
            self.0.insert(column.to_owned(), value);
        }
    }

    /// All values, as the journal keeps them.
    pub(in crate::store) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The values of some columns.
    pub(in crate::store) fn part(&self, columns: &[&str]) -> Self {
        let value = |name: &&str| Some(((*name).to_owned(), self.0.get(*name)?.clone()));
        Self(columns.iter().filter_map(value).collect())
    }

    /// Takes a value from another image of the row.
    pub(in crate::store) fn copy(&mut self, column: &str, from: &Self) {
        match from.0.get(column) {
            Some(value) => self.0.insert(column.to_owned(), value.clone()),
            None => self.0.remove(column),
        };
    }

    /// True when both hold the same value in a column.
    pub(in crate::store) fn agrees(&self, other: &Self, column: &str) -> bool {
        self.get(column).map(significant) == other.get(column).map(significant)
    }

    /// True when both have the same columns with the same values, `but` one.
    pub(in crate::store) fn is_same_row(&self, other: &Self, but: Option<&str>) -> bool {
        self.0.len() == other.0.len()
            && self.0.keys().all(|column| {
                other.0.contains_key(column) && (but == Some(column) || self.agrees(other, column))
            })
    }
}

/// A number without the zeros at the end of its fraction: a column that has more decimals by now
/// shows the same number with more of them.
fn significant(json: &str) -> &str {
    let is_fraction = json.starts_with(|it: char| it == '-' || it.is_ascii_digit())
        && json.contains('.')
        && !json.contains(['e', 'E']);
    if is_fraction { json.trim_end_matches('0').trim_end_matches('.') } else { json }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> Image {
        Image::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_compared_to_their_last_digit() {
        let now = image(r#"{"a":1234567890123456.78,"b":1.50,"c":"1.50"}"#);
        let other = image(r#"{"a":1234567890123456.79,"b":1.5,"c":"1.5"}"#);
        assert!(!now.agrees(&other, "a"));
        assert!(now.agrees(&other, "b"));
        assert!(!now.agrees(&other, "c"), "a text is no number");
        assert!(now.agrees(&other, "d"), "neither has it");
    }

    #[test]
    fn a_row_is_the_same_when_all_columns_but_one_are() {
        let now = image(r#"{"a":1,"updated_at":2}"#);
        let later = image(r#"{"a":1,"updated_at":3}"#);
        assert!(now.is_same_row(&later, Some("updated_at")));
        assert!(!now.is_same_row(&later, None));
        assert!(!now.is_same_row(&image(r#"{"a":1,"b":3}"#), Some("updated_at")));
        assert!(!now.is_same_row(&image(r#"{"a":1}"#), None));
    }
}
