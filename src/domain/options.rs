//! The options of an upload, from query or form fields. An unknown name or value is refused by
//! name, with what would be right.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::detected::DecimalSeparator;

/// Which rows may change the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Create what is missing, update what is there.
    #[default]
    Upsert,
    /// Create only; a key that is there already is a row error.
    Insert,
    /// Update only; a key that is missing is a row error.
    Update,
}

/// What a row error means for the job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// Report the row, go on.
    #[default]
    Continue,
    /// End the job after the chunk with the first row error.
    Abort,
}

/// What an empty cell does to a stored value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blank {
    /// It clears the stored value.
    #[default]
    Clear,
    /// It leaves the stored value alone.
    Keep,
}

/// What the earlier ones of several rows with the same key are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    /// Superseded: the last one wins.
    #[default]
    Last,
    /// Failed: the last one is still written.
    Error,
}

/// Whether the job tells what became of every row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowEvents {
    /// Up to 10,000 rows, and when somebody asks while it runs.
    #[default]
    Auto,
    /// Always.
    All,
    /// Never.
    None,
}

/// Everything that a client may ask for an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    /// Which rows may change the table.
    pub mode: Mode,
    /// Do everything but keep nothing: counts and errors say what would happen.
    pub dry_run: bool,
    /// What a row error means for the job.
    pub on_error: OnError,
    /// End the job when more rows than this have failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_errors: Option<u64>,
    /// What an empty cell does to a stored value.
    pub blank: Blank,
    /// What the earlier ones of several rows with the same key are.
    pub duplicates: Duplicates,
    /// CSV: the delimiter, instead of detecting it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// CSV: the encoding's name, instead of detecting it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The decimal separator, instead of deriving it.
    pub decimal: DecimalSeparator,
    /// Workbook: the sheet's name, instead of the first visible one with data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The row of the header as a spreadsheet shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u32>,
    /// Header cell → column name, for headers that are not found by themselves; an empty column
    /// name leaves the header out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mapping: BTreeMap<String, String>,
    /// Higher goes first; -100 to 100.
    pub priority: i32,
    /// Whether the job tells what became of every row.
    pub rows: RowEvents,
    /// Keep what is needed to take the import back.
    pub undo: bool,
}

/// An option that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionFault {
    /// No option has this name.
    #[error("there is no option `{name}`; the options are {}", Options::NAMES.join(", "))]
    Unknown {
        /// The name as it was sent.
        name: String,
    },
    /// The option does not take this value.
    #[error("option `{name}` does not take `{value}`; it takes {takes}")]
    Value {
        /// The option.
        name: &'static str,
        /// The value as it was sent, shortened.
        value: String,
        /// What it takes.
        takes: &'static str,
    },
    /// The option was sent more than once.
    #[error("option `{name}` was given more than once")]
    Twice {
        /// The option.
        name: String,
    },
}

impl Options {
    /// Every option's name.
    pub const NAMES: &'static [&'static str] = &[
        "mode",
        "dryRun",
        "onError",
        "maxErrors",
        "blank",
        "duplicates",
        "delimiter",
        "encoding",
        "decimal",
        "sheet",
        "headerRow",
        "mapping",
        "priority",
        "rows",
        "undo",
    ];

    /// Reads options from name and value pairs.
    ///
    /// # Errors
    /// Every fault found: unknown names, values that an option does not take, repetitions.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<OptionFault>> {
        let mut options = Self::default();
        let mut faults = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if seen.contains(&name) {
                faults.push(OptionFault::Twice { name: super::row_error::shown(name) });
                continue;
            }
            seen.push(name);
            if let Err(fault) = options.set(name, value) {
                faults.push(fault);
            }
        }
        if faults.is_empty() { Ok(options) } else { Err(faults) }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), OptionFault> {
        match name {
            "mode" => {
                self.mode = choice(
                    "mode",
                    value,
                    "upsert, insert or update",
                    &[("upsert", Mode::Upsert), ("insert", Mode::Insert), ("update", Mode::Update)],
                )?;
            }
            "dryRun" => {
                self.dry_run =
                    choice("dryRun", value, "true or false", &[("true", true), ("false", false)])?;
            }
            "onError" => {
                self.on_error = choice(
                    "onError",
                    value,
                    "continue or abort",
                    &[("continue", OnError::Continue), ("abort", OnError::Abort)],
                )?;
            }
            "maxErrors" => {
                self.max_errors = Some(number("maxErrors", value, "a whole number from 0")?);
            }
            "blank" => {
                self.blank = choice(
                    "blank",
                    value,
                    "clear or keep",
                    &[("clear", Blank::Clear), ("keep", Blank::Keep)],
                )?;
            }
            "duplicates" => {
                self.duplicates = choice(
                    "duplicates",
                    value,
                    "last or error",
                    &[("last", Duplicates::Last), ("error", Duplicates::Error)],
                )?;
            }
            "rows" => {
                self.rows = choice(
                    "rows",
                    value,
                    "auto, all or none",
                    &[
                        ("auto", RowEvents::Auto),
                        ("all", RowEvents::All),
                        ("none", RowEvents::None),
                    ],
                )?;
            }
            "undo" => {
                self.undo =
                    choice("undo", value, "true or false", &[("true", true), ("false", false)])?;
            }
            "sheet" => self.sheet = Some(value.to_owned()),
            "encoding" => self.encoding = Some(value.to_ascii_lowercase()),
            _ => return self.set_shape(name, value),
        }
        Ok(())
    }

    /// The options that say how the file is to be read.
    fn set_shape(&mut self, name: &str, value: &str) -> Result<(), OptionFault> {
        match name {
            "delimiter" => {
                let takes = "one of `,` `;` `|` or `tab`";
                self.delimiter = Some(choice(
                    "delimiter",
                    value,
                    takes,
                    &[
                        (",", ','),
                        (";", ';'),
                        ("|", '|'),
                        ("\t", '\t'),
                        ("tab", '\t'),
                        ("\\t", '\t'),
                        ("comma", ','),
                        ("semicolon", ';'),
                        ("pipe", '|'),
                    ],
                )?);
            }
            "decimal" => {
                self.decimal = choice(
                    "decimal",
                    value,
                    "point or comma",
                    &[
                        ("point", DecimalSeparator::Point),
                        (".", DecimalSeparator::Point),
                        ("comma", DecimalSeparator::Comma),
                        (",", DecimalSeparator::Comma),
                    ],
                )?;
            }
            "headerRow" => {
                let takes = "a row number from 1 to 1000";
                let row: u32 = number("headerRow", value, takes)?;
                if !(1..=1000).contains(&row) {
                    return Err(fault("headerRow", value, takes));
                }
                self.header_row = Some(row);
            }
            "mapping" => {
                let takes = "a JSON object of header to column name";
                self.mapping =
                    serde_json::from_str(value).map_err(|_| fault("mapping", value, takes))?;
            }
            "priority" => {
                let takes = "a whole number from -100 to 100";
                let priority: i32 = number("priority", value, takes)?;
                if !(-100..=100).contains(&priority) {
                    return Err(fault("priority", value, takes));
                }
                self.priority = priority;
            }
            _ => return Err(OptionFault::Unknown { name: super::row_error::shown(name) }),
        }
        Ok(())
    }
}

fn fault(name: &'static str, value: &str, takes: &'static str) -> OptionFault {
    OptionFault::Value { name, value: super::row_error::shown(value), takes }
}

fn choice<T: Copy>(
    name: &'static str,
    value: &str,
    takes: &'static str,
    choices: &[(&str, T)],
) -> Result<T, OptionFault> {
    choices
        .iter()
        .find(|(word, _)| *word == value)
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| fault(name, value, takes))
}

fn number<T: std::str::FromStr>(
    name: &'static str,
    value: &str,
    takes: &'static str,
) -> Result<T, OptionFault> {
    value.trim().parse().map_err(|_| fault(name, value, takes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_an_option() {
        for name in Options::NAMES {
            let fault = Options::parse([(*name, "\u{1}")]).err();
            let unknown = fault.is_some_and(|f| matches!(f[0], OptionFault::Unknown { .. }));
            assert!(!unknown, "{name} is listed but not read");
        }
    }

    #[test]
    fn faults_name_the_value_and_the_rule() {
        let faults = Options::parse([("mode", "mirror"), ("colour", "red"), ("mode", "insert")]);
        let texts: Vec<_> = faults.unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts[0],
            "option `mode` does not take `mirror`; it takes upsert, insert or update"
        );
        assert!(texts[1].starts_with("there is no option `colour`; the options are mode, dryRun"));
        assert_eq!(texts[2], "option `mode` was given more than once");
    }

    #[test]
    fn options_survive_their_storage() {
        let options = Options::parse([
            ("mode", "insert"),
            ("delimiter", "tab"),
            ("mapping", r#"{"Art.-Nr.":"sku"}"#),
            ("priority", "-5"),
        ])
        .unwrap();
        let stored = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&stored).unwrap(), options);
    }
}
