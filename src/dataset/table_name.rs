//! The name of a table as definitions write it: `suppliers`, `shop.suppliers`, `"Price list".items`.
//! A part that has a point or a double quote of its own stands in double quotes.

use std::fmt;

use serde::Deserialize;

use super::names::identifier_fault;

/// A table of the database, with its schema if one is named.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TableName {
    /// The schema; without one the search path decides.
    pub schema: Option<String>,
    /// The table.
    pub name: String,
}

impl TableName {
    /// The table that a checked definition names.
    #[must_use]
    pub fn of(written: &str) -> Self {
        let parsed = Self::try_from(written.to_owned());
        parsed.unwrap_or_else(|_| Self { schema: None, name: written.to_owned() })
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", written(schema))?;
        }
        f.write_str(&written(&self.name))
    }
}

impl TryFrom<String> for TableName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut parts = parts(&text).ok_or_else(|| {
            format!("`{text}` is no name of a table: a double quote in it has no partner")
        })?;
        for part in &parts {
            if let Some(fault) = identifier_fault(part) {
                return Err(format!("`{text}` cannot be the name of a table: {fault}"));
            }
        }
        match (parts.pop(), parts.pop(), parts.pop()) {
            (Some(name), schema, None) => Ok(Self { schema, name }),
            _ => Err(format!(
                "`{text}` has more parts than schema and table; a name with a point in it stands in \
                 double quotes"
            )),
        }
    }
}

fn written(part: &str) -> String {
    if part.contains(['.', '"']) {
        format!("\"{}\"", part.replace('"', "\"\""))
    } else {
        part.to_owned()
    }
}

/// The parts between the points; `None` when a quote is open at the end.
fn parts(text: &str) -> Option<Vec<String>> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                part.push('"');
            }
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(std::mem::take(&mut part)),
            letter => part.push(letter),
        }
    }
    parts.push(part);
    (!is_quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<TableName, String> {
        TableName::try_from(text.to_owned())
    }

    #[test]
    fn a_name_has_a_schema_or_none() {
        for (text, schema, table) in [
            ("suppliers", None, "suppliers"),
            ("shop.Suppliers", Some("shop"), "Suppliers"),
            ("\"price.list\"", None, "price.list"),
            ("\"my \"\"shop\"\"\".\"a.b\"", Some("my \"shop\""), "a.b"),
            ("Order Details", None, "Order Details"),
        ] {
            let read = name(text).unwrap();
            assert_eq!((read.schema.as_deref(), read.name.as_str()), (schema, table), "{text}");
            assert_eq!(name(&read.to_string()), Ok(read));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "a.", ".a", "a.b.c", "\"a", "a\u{0}", "a\nb"] {
            assert!(name(text).is_err(), "{text}");
        }
        assert!(name(&"x".repeat(64)).is_err());
    }
}
