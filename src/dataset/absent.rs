//! The `[mirror]` of a definition file: what becomes of records that a mirrored file does not have.

use serde::Deserialize;
use toml::Spanned;

use super::column::Draft;
use super::constants;
use super::model::{Absent, ColumnType};
use super::names::Text;
use super::source::{DefinitionFile, Section};

/// The keys of `[mirror]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MirrorKeys {
    absent: Option<AbsentWord>,
    column: Option<Spanned<Text>>,
    value: Option<Spanned<toml::Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AbsentWord {
    Deactivate,
    Delete,
}

/// Reads `[mirror]`; `None` where there is none, or with a fault.
pub(super) fn read(
    file: &mut DefinitionFile<'_>,
    root: &Section<'_, '_>,
    key: &[usize],
    drafts: &[Draft<'_, '_>],
) -> Option<Absent> {
    let section = root.has("mirror").then(|| root.section(file, "mirror")).flatten()?;
    let keys: MirrorKeys = section.read(file);
    section.missing(
        file,
        "absent",
        "what becomes of records that the file does not have, `deactivate` or `delete`",
    );
    match keys.absent? {
        AbsentWord::Delete => {
            for key in ["column", "value"] {
                if section.has(key) {
                    let message = "belongs to `absent = \"deactivate\"`".to_owned();
                    section.fault(file, key, message);
                }
            }
            Some(Absent::Delete)
        }
        AbsentWord::Deactivate => {
            section.missing(file, "column", "the column that says that a record is gone");
            section.missing(file, "value", "the value of the column in a record that is gone");
            let (column, value) = (keys.column?, keys.value?.into_inner());
            let value = match value {
                toml::Value::String(text) => text,
                other => other.to_string(),
            };
            let column = read_column(file, &section, &column.get_ref().0, key, drafts)?;
            check_value(file, &section, drafts.get(column)?, &value);
            Some(Absent::Deactivate { column, value })
        }
    }
}

fn read_column(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    name: &str,
    key: &[usize],
    drafts: &[Draft<'_, '_>],
) -> Option<usize> {
    let found = drafts.iter().position(|draft| draft.column.name == name);
    let fault = match found.and_then(|index| Some((index, &drafts.get(index)?.column))) {
        None => format!("there is no column `{name}`"),
        Some((index, _)) if key.contains(&index) => {
            format!("`{name}` is part of the key, which never changes")
        }
        Some((_, column)) if column.reference.is_some() || column.part_of.is_some() => {
            format!(
                "`{name}` names records of another table; name a column with a value of its own"
            )
        }
        Some((_, column)) if matches!(column.kind, ColumnType::Json | ColumnType::List) => {
            format!("`{name}` holds JSON or lists, which cannot be compared")
        }
        Some((index, _)) => return Some(index),
    };
    section.fault(file, "column", fault);
    None
}

fn check_value(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    draft: &Draft<'_, '_>,
    value: &str,
) {
    let fault = match constants::read(&draft.column, true, value) {
        Ok(read) if read.value().is_empty() => "is empty; name a value".to_owned(),
        Ok(_) => return,
        Err(fault) => fault,
    };
    section.fault(file, "value", fault);
}
