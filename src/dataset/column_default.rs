//! The key `default` of a column: read and checked.

use serde::Deserialize;

use super::constants;
use super::model::{Column, ColumnDefault, ColumnType, LetterCase};
use super::names::listed;
use super::source::{DefinitionFile, Section};
use crate::domain::similar::nearest;

/// Characters of a UUID.
const UUID_CHARS: u32 = 36;

/// The value of the key `default`.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "takes a value, `{ column = \"name\" }` or `{ generate = \"now\" }`")]
pub(super) enum DefaultKeys {
    Text(String),
    Flag(bool),
    Integer(i64),
    Float(f64),
    Column(OtherColumn),
    Generated(Generated),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherColumn {
    column: String,
    #[serde(default)]
    case: LetterCase,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Generated {
    generate: Generator,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Generator {
    Now,
    Uuid,
}

/// Reads the default of a column; `None` where it has none, or together with a fault.
pub(super) fn read(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    given: Option<DefaultKeys>,
) -> Option<ColumnDefault> {
    let given = given?;
    if column.required {
        let message = "is never used in a column that is required; leave one of them out";
        section.fault(file, "default", message.to_owned());
    }
    let text = match given {
        DefaultKeys::Text(text) => text,
        DefaultKeys::Flag(flag) => flag.to_string(),
        DefaultKeys::Integer(number) => number.to_string(),
        DefaultKeys::Float(number) => number.to_string(),
        DefaultKeys::Column(OtherColumn { column, case }) => {
            return Some(ColumnDefault::Column { name: column, case });
        }
        DefaultKeys::Generated(Generated { generate }) => {
            return generated(file, section, column, &generate);
        }
    };
    if text.trim().is_empty() {
        section.fault(file, "default", "is empty".to_owned());
    }
    match constants::read(column, false, &text) {
        Ok(constant) => Some(ColumnDefault::Constant(constant)),
        Err(message) => {
            section.fault(file, "default", message);
            None
        }
    }
}

fn generated(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    generator: &Generator,
) -> Option<ColumnDefault> {
    let fault = match generator {
        Generator::Now if matches!(column.kind, ColumnType::Date | ColumnType::DateTime) => {
            return Some(ColumnDefault::Now);
        }
        Generator::Now => "`now` is for columns of type date or datetime only".to_owned(),
        Generator::Uuid if column.kind != ColumnType::Text || column.reference.is_some() => {
            "`uuid` is for columns of type text only".to_owned()
        }
        Generator::Uuid if column.max_length.is_some_and(|most| most < UUID_CHARS) => {
            format!("a UUID has {UUID_CHARS} characters; raise `max_length`")
        }
        Generator::Uuid => return Some(ColumnDefault::Uuid),
    };
    section.fault(file, "default", fault);
    None
}

/// Checks the columns that defaults are taken from: they are there, and have no default themselves.
pub(super) fn check_columns(
    file: &mut DefinitionFile<'_>,
    columns: &[(&Column, &Section<'_, '_>)],
) {
    for (column, section) in columns {
        let Some(ColumnDefault::Column { name, case }) = &column.default else { continue };
        let mut others = columns.iter().map(|(other, _)| *other);
        let other = others.find(|other| other.name == *name);
        let fault = match other {
            None => {
                let known = columns.iter().map(|(column, _)| column.name.as_str());
                let hint = nearest(name, known.clone()).map_or_else(
                    || format!("the columns are {}", listed(known)),
                    |near| format!("did you mean `{near}`?"),
                );
                format!("there is no column `{name}`; {hint}")
            }
            Some(other) if other.default.is_some() => {
                format!("`{name}` has a default itself; name a column without one")
            }
            Some(other) if other.sensitive && !column.sensitive => {
                format!("`{name}` is sensitive, so this column must be `sensitive`, too")
            }
            Some(_) if *case != LetterCase::Same && column.kind != ColumnType::Text => {
                "`case` is for columns of type text only".to_owned()
            }
            Some(_) => continue,
        };
        section.fault(file, "default", fault);
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::compile;

    #[test]
    fn faults_of_defaults_are_said() {
        for (keys, part) in [
            ("required = true, default = 'x'", "is never used in a column that is required"),
            ("default = ''", "is empty"),
            ("max_length = 2, default = 'abc'", "takes at most 2"),
            ("type = 'integer', default = 1.5", "not a whole number"),
            ("default = { column = 'z' }", "there is no column `z`"),
            ("default = { column = 'c' }", "has a default itself"),
            ("type = 'integer', default = { column = 'a', case = 'upper' }", "`case` is for"),
            ("default = { generate = 'now' }", "`now` is for columns of type date"),
            ("max_length = 35, default = { generate = 'uuid' }", "has 36 characters"),
            ("default = { generate = 'moon' }", "takes a value, `{ column"),
            ("default = { column = 's' }", "must be `sensitive`, too"),
            ("default = [1]", "takes a value, `{ column"),
        ] {
            let text = format!(
                "name = 'd'\ntable = 'd'\nkey = ['a']\ncolumn = [{{ name = 'a', required = true }}, \
                 {{ name = 'b', {keys} }}, {{ name = 'c', default = 'x' }}, {{ name = 's', sensitive = true }}]"
            );
            let faults = compile("d.toml", &text).unwrap_err();
            assert!(faults[0].message.contains(part), "{keys}: {faults:?}");
        }
    }
}
