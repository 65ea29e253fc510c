//! Options from query or form fields. An unknown name or value is refused by name, with what would be
//! right.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{
    Blank, Currency, Duplicates, Hidden, Mode, NullWords, OnError, Options, Replacements,
    RowEventMode, RowLimit,
};
use crate::domain::detected::{DateOrder, DecimalSeparator};
use crate::domain::row_error::shown;
use crate::domain::saved_mapping::MappingName;

/// Characters of the name of a meeting.
const MEETING_CHARS: usize = 255;

/// The words of the modes.
const MODES: [(&str, Mode); 5] = [
    ("upsert", Mode::Upsert),
    ("insert", Mode::Insert),
    ("update", Mode::Update),
    ("newer", Mode::Newer),
    ("mirror", Mode::Mirror),
];

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
        "scope",
        "mirrorMax",
        "atomic",
        "blank",
        "nulls",
        "duplicates",
        "delimiter",
        "encoding",
        "decimal",
        "dates",
        "currency",
        "sheet",
        "headerRow",
        "hidden",
        "mapping",
        "set",
        "replace",
        "savedMapping",
        "saveMapping",
        "priority",
        "rows",
        "undo",
        "strict",
        "meeting",
        "includeEvents",
        "excludeEvents",
        "onlyIfChanged",
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
                faults.push(OptionFault::Twice { name: shown(name) });
                continue;
            }
            seen.push(name);
            if let Err(fault) = options.set(name, value) {
                faults.push(fault);
            }
        }
        if faults.is_empty() { Ok(options) } else { Err(faults) }
    }

    /// Reads the option `replace` on its own.
    ///
    /// # Errors
    /// The text is no such object.
    pub fn parse_replace(value: &str) -> Result<Replacements, OptionFault> {
        let takes = "a JSON object of column to an object of name to name";
        serde_json::from_str(value).map_err(|_| fault("replace", value, takes))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), OptionFault> {
        match name {
            "mode" => {
                self.mode =
                    choice("mode", value, "upsert, insert, update, newer or mirror", &MODES)?;
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
                let takes = "a whole number from 0, or a share of the rows such as 5%";
                let limit = RowLimit::parse(value);
                self.max_errors = Some(limit.ok_or_else(|| fault("maxErrors", value, takes))?);
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
                        ("auto", RowEventMode::Auto),
                        ("all", RowEventMode::All),
                        ("none", RowEventMode::None),
                    ],
                )?;
            }
            "undo" => {
                self.undo =
                    choice("undo", value, "true or false", &[("true", true), ("false", false)])?;
            }
            "strict" => {
                self.strict =
                    choice("strict", value, "true or false", &[("true", true), ("false", false)])?;
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
            "headerRow" => {
                let takes = "a row number from 1 to 1000";
                let row: u32 = number("headerRow", value, takes)?;
                if !(1..=1000).contains(&row) {
                    return Err(fault("headerRow", value, takes));
                }
                self.header_row = Some(row);
            }
            "hidden" => {
                self.hidden = choice(
                    "hidden",
                    value,
                    "import or skip",
                    &[("import", Hidden::Import), ("skip", Hidden::Skip)],
                )?;
            }
            "mapping" => {
                let takes = "a JSON object of header to column name";
                self.mapping =
                    serde_json::from_str(value).map_err(|_| fault("mapping", value, takes))?;
            }
            "set" => self.set = constants(value)?,
            "replace" => self.replace = Self::parse_replace(value)?,
            "savedMapping" => self.saved_mapping = Some(mapping_name("savedMapping", value)?),
            "saveMapping" => self.save_mapping = Some(mapping_name("saveMapping", value)?),
            "priority" => {
                let takes = "a whole number from -100 to 100";
                let priority: i32 = number("priority", value, takes)?;
                if !(-100..=100).contains(&priority) {
                    return Err(fault("priority", value, takes));
                }
                self.priority = priority;
            }
            _ => return self.set_cells(name, value),
        }
        Ok(())
    }

    /// The options that say what the cells mean.
    fn set_cells(&mut self, name: &str, value: &str) -> Result<(), OptionFault> {
        match name {
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
            "dates" => {
                self.dates = Some(choice(
                    "dates",
                    value,
                    "dmy, mdy or ymd",
                    &[("dmy", DateOrder::Dmy), ("mdy", DateOrder::Mdy), ("ymd", DateOrder::Ymd)],
                )?);
            }
            "currency" => {
                self.currency = choice(
                    "currency",
                    value,
                    "refuse or strip",
                    &[("refuse", Currency::Refuse), ("strip", Currency::Strip)],
                )?;
            }
            "nulls" => {
                self.nulls = NullWords::parse(value)
                    .ok_or_else(|| fault("nulls", value, NullWords::TAKES))?;
            }
            _ => return self.set_whole(name, value),
        }
        Ok(())
    }

    /// The options about a file as a whole.
    fn set_whole(&mut self, name: &str, value: &str) -> Result<(), OptionFault> {
        match name {
            "atomic" => {
                self.atomic =
                    choice("atomic", value, "true or false", &[("true", true), ("false", false)])?;
            }
            "scope" => self.scope = scope(value)?,
            "mirrorMax" => {
                let takes = "a whole number from 0, or a share of the records in scope such as 10%";
                let limit = RowLimit::parse(value);
                self.mirror_max = Some(limit.ok_or_else(|| fault("mirrorMax", value, takes))?);
            }
            _ => return self.set_events(name, value),
        }
        Ok(())
    }

    /// The options of a meet definition list, and of a file that is downloaded.
    fn set_events(&mut self, name: &str, value: &str) -> Result<(), OptionFault> {
        match name {
            "meeting" => {
                let takes = "a name of 1 to 255 characters";
                let meeting = value.trim();
                if !(1..=MEETING_CHARS).contains(&meeting.chars().count()) {
                    return Err(fault("meeting", value, takes));
                }
                self.meeting = Some(meeting.to_owned());
            }
            "includeEvents" => self.include_events = numbers("includeEvents", value)?,
            "excludeEvents" => self.exclude_events = numbers("excludeEvents", value)?,
            "onlyIfChanged" => {
                self.only_if_changed = choice(
                    "onlyIfChanged",
                    value,
                    "true or false",
                    &[("true", true), ("false", false)],
                )?;
            }
            _ => return Err(OptionFault::Unknown { name: shown(name) }),
        }
        Ok(())
    }
}

/// Columns and their values, as a JSON object of texts, numbers and truth values.
fn scope(text: &str) -> Result<BTreeMap<String, String>, OptionFault> {
    let takes = "a JSON object of column name to value";
    let refused = || fault("scope", text, takes);
    let values: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(text).map_err(|_| refused())?;
    let read = |(column, value): (String, Box<RawValue>)| {
        // The digits of a number as they were sent.
        let json = value.get();
        let text = match serde_json::from_str(json) {
            Ok(Value::String(text)) => text,
            Ok(Value::Number(_) | Value::Bool(_)) => json.to_owned(),
            _ => return Err(refused()),
        };
        Ok((column, text))
    };
    values.into_iter().map(read).collect()
}

fn mapping_name(name: &'static str, value: &str) -> Result<MappingName, OptionFault> {
    MappingName::parse(value).ok_or_else(|| fault(name, value, MappingName::TAKES))
}

/// Texts, numbers and truth values as a file has them; `null` is an empty cell.
fn constants(value: &str) -> Result<BTreeMap<String, String>, OptionFault> {
    let takes = "a JSON object of column to text, number, true, false or null";
    // Numbers are taken as they are written.
    let read: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(value).map_err(|_| fault("set", value, takes))?;
    let text = |raw: &str| match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).ok(),
        Some(b'[' | b'{') | None => None,
        Some(b'n') => Some(String::new()),
        Some(_) => Some(raw.to_owned()),
    };
    let read = read.into_iter().map(|(column, raw)| Some((column, text(raw.get())?)));
    read.collect::<Option<_>>().ok_or_else(|| fault("set", value, takes))
}

/// Numbers, written as `1,2,3` or as a JSON array.
fn numbers(name: &'static str, value: &str) -> Result<Vec<u32>, OptionFault> {
    let list = value.trim();
    let inner = list.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(list).trim();
    if inner.is_empty() {
        return Ok(Vec::new());
    }
    inner.split(',').map(|it| number(name, it, "numbers of events, such as 1,2,3")).collect()
}

fn fault(name: &'static str, value: &str, takes: &'static str) -> OptionFault {
    OptionFault::Value { name, value: shown(value), takes }
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
    fn constants_are_taken_as_they_are_written() {
        let set = |text: &str| Options::parse([("set", text)]).map(|options| options.set);
        let read = set(r#"{"a": "x \"y\"", "b": 1.50, "c": true, "d": null}"#).unwrap();
        let read: Vec<_> = read.values().map(String::as_str).collect();
        assert_eq!(read, ["x \"y\"", "1.50", "true", ""]);
        for text in ["", "a=b", "[]", r#"{"a": {}}"#, r#"{"a": [1]}"#] {
            assert!(set(text).is_err(), "{text}");
        }
    }

    #[test]
    fn replacements_stand_by_column() {
        let read = Options::parse([("replace", r#"{"brand": {"Acmee": "ACME"}}"#)]).unwrap();
        assert_eq!(read.replace["brand"]["Acmee"], "ACME");
        for text in ["", "[]", r#"{"brand": "ACME"}"#, r#"{"brand": {"Acmee": 1}}"#] {
            assert!(Options::parse([("replace", text)]).is_err(), "{text}");
        }
    }

    #[test]
    fn faults_name_the_value_and_the_rule() {
        let faults = Options::parse([("mode", "merge"), ("colour", "red"), ("mode", "insert")]);
        let texts: Vec<_> = faults.unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts[0],
            "option `mode` does not take `merge`; it takes upsert, insert, update, newer or mirror"
        );
        assert!(texts[1].starts_with("there is no option `colour`; the options are mode, dryRun"));
        assert_eq!(texts[2], "option `mode` was given more than once");
    }
}
