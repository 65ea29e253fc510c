//! One `[[column]]` of a definition file: its keys read, checked against each other, with defaults.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::cell_rules::CellRules;
use super::column_default::{self, DefaultKeys};
use super::column_rules::{self, only_for};
use super::join_table;
use super::messages::message;
use super::model::{Column, ColumnType};
use super::names::{Identifier, Text, Word, title_of};
use super::reference_keys;
use super::source::{DefinitionFile, DefinitionLines, Section};
use super::table_name::TableName;
use super::value::number::{Digits, NumberFault, parse};
use super::value::{self, CellContext, Scratch};
use crate::domain::detected::DecimalSeparator;
use crate::domain::limits::FIELD_BYTES_MAX;
use crate::domain::record::Value;
use crate::domain::row::CellKind;

/// The keys of a column.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnKeys {
    name: Option<Word>,
    title: Option<Text>,
    field: Option<Identifier>,
    #[serde(rename = "type")]
    kind: Option<ColumnType>,
    required: Option<bool>,
    max_length: Option<i64>,
    // Numbers, taken as they stand in the file.
    min: Option<Spanned<IgnoredAny>>,
    max: Option<Spanned<IgnoredAny>>,
    percent: Option<bool>,
    allowed: Option<Vec<Spanned<Text>>>,
    pattern: Option<String>,
    default: Option<DefaultKeys>,
    sensitive: Option<bool>,
    formats: Option<Vec<Spanned<Text>>>,
    aliases: Option<Vec<Text>>,
    fallback_aliases: Option<Vec<Text>>,
    description: Option<Text>,
    example: Option<Text>,
    // Read on its own, as a section.
    #[serde(rename = "references")]
    _reference: Option<IgnoredAny>,
    #[serde(rename = "into")]
    _join: Option<IgnoredAny>,
    history: Option<TableName>,
}

/// Columns of a table whose values Loadbay itself sets; no definition may feed them.
pub(super) const OWN_FIELDS: [&str; 3] = ["id", "created_at", "updated_at"];

/// Those of them that the store fills in every table that has them.
pub(crate) const OWN_TIMES: [&str; 2] = ["created_at", "updated_at"];

/// A column as read, and what the dataset still has to do with it.
#[derive(Debug)]
pub(super) struct Draft<'a, 'i> {
    /// The column.
    pub(super) column: Column,
    /// The history table that it names.
    pub(super) history: Option<String>,
    /// Where it stands.
    pub(super) section: Section<'a, 'i>,
}

/// Reads a column; `None` only together with a fault.
pub(super) fn read<'a, 'i>(
    file: &mut DefinitionFile<'_>,
    section: Section<'a, 'i>,
    lines: &mut DefinitionLines,
) -> Option<Draft<'a, 'i>> {
    let keys: ColumnKeys = section.read(file);
    section.missing(file, "name", "the column's name, such as `cost_price`");
    let name = keys.name?.0;
    lines.set(format!("column.{name}"), file.line(section.at));
    for (key, at) in section.keys() {
        lines.set(format!("column.{name}.{key}"), file.line(at));
    }
    let reference = reference_keys::read(file, &section);
    let join = join_table::read(file, &section);
    let history = keys.history.map(|table| table.to_string());
    let mut column = Column {
        title: keys.title.map_or_else(|| title_of(&name), |title| title.0),
        field: match &join {
            Some(join) => join_table::field(join),
            None => read_field(file, &section, keys.field, &name, reference.is_some()),
        },
        // A column is a text and may be empty unless the definition says otherwise.
        kind: keys.kind.unwrap_or_default(),
        required: keys.required.unwrap_or(false),
        max_length: None,
        min: None,
        max: None,
        percent: false,
        allowed: Vec::new(),
        pattern: None,
        formats: Vec::new(),
        aliases: keys.aliases.into_iter().flatten().map(|alias| alias.0).collect(),
        fallback_aliases: keys.fallback_aliases.into_iter().flatten().map(|it| it.0).collect(),
        default_when_empty: false,
        default: None,
        sensitive: keys.sensitive.unwrap_or(false),
        description: keys.description.map(|text| text.0),
        reference,
        part_of: None,
        join,
        example: keys.example.map(|text| text.0),
        name,
    };
    column.max_length = read_max_length(file, &section, &column, keys.max_length);
    column.min = read_bound(file, &section, &column, ("min", keys.min));
    column.max = read_bound(file, &section, &column, ("max", keys.max));
    check_bounds(file, &section, &column);
    let percent = only_for_numbers(file, &section, &column, ("percent", keys.percent));
    column.percent = percent.unwrap_or(false);
    column.pattern = column_rules::pattern(file, &section, &column, keys.pattern);
    column.formats = column_rules::formats(file, &section, &column, keys.formats);
    column.allowed = read_allowed(file, &section, &column, keys.allowed);
    check_reference(file, &section, &column, history.is_some());
    join_table::check(file, &section, &column, history.is_some());
    column.default = column_default::read(file, &section, &column, keys.default);
    column_rules::check_example(file, &section, &column);
    Some(Draft { column, history, section })
}

fn read_field(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    given: Option<Identifier>,
    name: &str,
    is_reference: bool,
) -> String {
    let key = if given.is_some() { "field" } else { "name" };
    let field = match given {
        Some(field) => field.0,
        None if is_reference => format!("{name}_id"),
        None => name.to_owned(),
    };
    if OWN_FIELDS.contains(&field.as_str()) {
        let message = format!("`{field}` is set by Loadbay itself; no column can feed it");
        section.fault(file, key, message);
    }
    field
}

fn check_reference(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    has_history: bool,
) {
    if column.reference.is_none() {
        return;
    }
    if column.kind != ColumnType::Text {
        let message = "a reference is named by a text; leave `type` out".to_owned();
        section.fault(file, "type", message);
    }
    if has_history {
        section.fault(file, "history", "a reference cannot have a history".to_owned());
    }
    if column.sensitive {
        let message = "a reference cannot be sensitive: the other table shows its names".to_owned();
        section.fault(file, "sensitive", message);
    }
}

/// The value of a key that only numbers can have.
fn only_for_numbers<T>(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    given: (&str, Option<T>),
) -> Option<T> {
    let fits = matches!(column.kind, ColumnType::Integer | ColumnType::Decimal { .. });
    only_for(file, section, given, fits, "integer or decimal")
}

fn read_max_length(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    given: Option<i64>,
) -> Option<u32> {
    let fits = column.kind == ColumnType::Text;
    let given = only_for(file, section, ("max_length", given), fits, "text")?;
    let most = i64::try_from(FIELD_BYTES_MAX).unwrap_or(i64::MAX);
    let length = u32::try_from(given).ok().filter(|_| (1..=most).contains(&given));
    if length.is_none() {
        let message = format!("takes a whole number from 1 to {most}, not `{given}`");
        section.fault(file, "max_length", message);
    }
    length
}

/// `min` or `max` in units of the last digit.
fn read_bound(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    (key, given): (&str, Option<Spanned<IgnoredAny>>),
) -> Option<i64> {
    let digits = match column.kind {
        ColumnType::Decimal { precision, scale } => Some(Digits { precision, scale }),
        ColumnType::Integer => Some(Digits::INTEGER),
        _ => None,
    };
    let given = only_for_numbers(file, section, column, (key, given))?;
    let value = file.digits(&given);
    let message = match parse(&value, digits?, DecimalSeparator::Point) {
        Ok(units) => return Some(units),
        Err(NumberFault::TooManyDecimals) => "has more decimals than the column",
        Err(NumberFault::Overflow) => "has more digits than the column",
        Err(NumberFault::NotANumber | NumberFault::Ambiguous) => "is not a plain number",
    };
    section.fault(file, key, format!("`{value}` {message}"));
    None
}

fn check_bounds(file: &mut DefinitionFile<'_>, section: &Section<'_, '_>, column: &Column) {
    if let (Some(least), Some(most)) = (column.min, column.max)
        && least > most
    {
        let (least, most) = (column.kind.number(least), column.kind.number(most));
        section.fault(file, "min", format!("{least} is above `max`, which is {most}"));
    }
}

fn read_allowed(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    given: Option<Vec<Spanned<Text>>>,
) -> Vec<String> {
    let fits = column.kind == ColumnType::Text;
    let given = only_for(file, section, ("allowed", given), fits, "text");
    let Some(values) = given else { return Vec::new() };
    if values.is_empty() {
        let message = "names no value, so that no cell could ever be right".to_owned();
        section.fault(file, "allowed", message);
    }
    let mut allowed: Vec<String> = Vec::new();
    for spanned in values {
        let (offset, Text(value)) = (spanned.span().start, spanned.into_inner());
        let mut scratch = Scratch::default();
        let rules = CellRules::of_definition();
        let context = CellContext { column, is_key: true, rules: &rules };
        // As cells are: trimmed, in NFC, not too long. What can never be met is a fault.
        let clean = match value::convert(context, &value, CellKind::Text, &mut scratch) {
            Ok(Value::Text(text)) => text.to_owned(),
            Ok(_) => value,
            Err(fault) => {
                let text = message(column, &value, &value, fault);
                file.fault(offset, section.key("allowed"), text);
                continue;
            }
        };
        if allowed.iter().any(|other| other.to_lowercase() == clean.to_lowercase()) {
            let message = format!("names `{clean}` twice; the letter case makes no difference");
            file.fault(offset, section.key("allowed"), message);
        }
        allowed.push(clean);
    }
    allowed
}
