//! One `[[column]]` of a definition file: its keys read, checked against each other, with defaults.

use super::messages::{message, scale};
use super::model::{Column, ColumnType, Reference};
use super::source::{At, Lines, Section, Source};
use super::value::number::{Digits, NumberFault, parse, written};
use super::value::{self, CellContext, Scratch};
use crate::domain::detected::DecimalSeparator;
use crate::domain::limits::FIELD_BYTES_MAX;
use crate::domain::row::CellKind;

/// The keys of a column.
pub(super) const KEYS: [&str; 14] = [
    "name",
    "title",
    "field",
    "type",
    "required",
    "max_length",
    "min",
    "max",
    "allowed",
    "aliases",
    "description",
    "example",
    "references",
    "history",
];

/// Columns of a table whose values Loadbay itself sets; no definition may feed them.
pub(super) const OWN_FIELDS: [&str; 3] = ["id", "created_at", "updated_at"];

/// Those of them that the store fills in every table that has them.
pub(super) const OWN_TIMES: [&str; 2] = ["created_at", "updated_at"];

/// Letters that a name may have: PostgreSQL cuts longer ones.
const NAME_CHARS_MAX: usize = 63;

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
    source: &mut Source<'_>,
    mut section: Section<'a, 'i>,
    lines: &mut Lines,
) -> Option<Draft<'a, 'i>> {
    let name = section.needed(source, "name", "the column's name, such as `cost_price`");
    if let Some(name) = &name {
        section.label = format!("column `{}`", name.value);
    }
    section.only(source, &KEYS);
    let name = word(source, &section, "name", name?)?;
    lines.set(format!("column.{name}"), source.line(section.at));
    for (key, at) in section.keys() {
        lines.set(format!("column.{name}.{key}"), source.line(at));
    }
    let reference = read_reference(source, &section);
    let mut column = Column {
        title: read_text(source, &section, "title").unwrap_or_else(|| title_of(&name)),
        field: read_field(source, &section, &name, reference.is_some()),
        kind: read_type(source, &section),
        required: section.flag(source, "required").unwrap_or(false),
        max_length: None,
        min: None,
        max: None,
        allowed: Vec::new(),
        aliases: section.texts(source, "aliases").into_iter().map(|alias| alias.value).collect(),
        description: read_text(source, &section, "description"),
        reference,
        example: read_text(source, &section, "example"),
        name,
    };
    column.max_length = read_max_length(source, &section, &column);
    (column.min, column.max) = read_bounds(source, &section, &column);
    column.allowed = read_allowed(source, &section, &column);
    let history = section
        .text(source, "history")
        .and_then(|table| identifier(source, &section, "history", table));
    check_reference(source, &section, &column, history.is_some());
    check_example(source, &section, &column);
    Some(Draft { column, history, section })
}

fn read_text(source: &mut Source<'_>, section: &Section<'_, '_>, key: &str) -> Option<String> {
    section.text(source, key).map(|text| text.value.trim().to_owned())
}

fn read_field(
    source: &mut Source<'_>,
    section: &Section<'_, '_>,
    name: &str,
    is_reference: bool,
) -> String {
    let given = section.text(source, "field");
    let default = if is_reference { format!("{name}_id") } else { name.to_owned() };
    let key = if given.is_some() { "field" } else { "name" };
    let field = match given {
        Some(field) => identifier(source, section, "field", field).unwrap_or(default),
        None => default,
    };
    if OWN_FIELDS.contains(&field.as_str()) {
        let message = format!("`{field}` is set by Loadbay itself; no column can feed it");
        source.fault(section.offset(key), section.key(key), message);
    }
    field
}

fn read_type(source: &mut Source<'_>, section: &Section<'_, '_>) -> ColumnType {
    let Some(At { value, offset }) = section.text(source, "type") else { return ColumnType::Text };
    match parse_type(&value) {
        Ok(kind) => kind,
        Err(message) => {
            source.fault(offset, section.key("type"), message);
            ColumnType::Text
        }
    }
}

fn parse_type(text: &str) -> Result<ColumnType, String> {
    let solid: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = solid.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')'));
    if let Some((precision, scale)) = digits.and_then(|digits| digits.split_once(',')) {
        return match (precision.parse::<u8>(), scale.parse::<u8>()) {
            (Ok(precision @ 1..=18), Ok(scale)) if scale <= precision => {
                Ok(ColumnType::Decimal { precision, scale })
            }
            _ => Err(format!(
                "`{text}` is not possible: a decimal has 1 to 18 digits in all and at most as many \
                 after the point"
            )),
        };
    }
    match solid.as_str() {
        "text" => Ok(ColumnType::Text),
        "integer" => Ok(ColumnType::Integer),
        "boolean" => Ok(ColumnType::Boolean),
        "date" => Ok(ColumnType::Date),
        "datetime" => Ok(ColumnType::DateTime),
        "json" => Ok(ColumnType::Json),
        "list" => Ok(ColumnType::List),
        _ => Err(format!(
            "there is no type `{text}`; the types are text, integer, decimal(12,2), boolean, date, \
             datetime, json and list"
        )),
    }
}

fn read_reference(source: &mut Source<'_>, section: &Section<'_, '_>) -> Option<Reference> {
    let inner = section.section(source, "references")?;
    inner.only(source, &["table", "match", "create"]);
    let table = inner
        .needed(source, "table", "the table whose records the cells name")
        .and_then(|table| identifier(source, &inner, "table", table));
    let match_column = inner
        .text(source, "match")
        .map_or(Some("name".to_owned()), |column| identifier(source, &inner, "match", column));
    let create = inner.flag(source, "create").unwrap_or(false);
    Some(Reference { table: table?, match_column: match_column?, create })
}

fn check_reference(
    source: &mut Source<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    has_history: bool,
) {
    if column.reference.is_none() {
        return;
    }
    if column.kind != ColumnType::Text {
        let message = "a reference is named by a text; leave `type` out".to_owned();
        source.fault(section.offset("type"), section.key("type"), message);
    }
    if has_history {
        let message = "a reference cannot have a history".to_owned();
        source.fault(section.offset("history"), section.key("history"), message);
    }
}

/// Makes `key` a fault when the column's type cannot have it.
fn only_for(
    source: &mut Source<'_>,
    section: &Section<'_, '_>,
    key: &str,
    fits: bool,
    types: &str,
) -> bool {
    let is_there = section.keys().any(|(name, _)| name == key);
    if is_there && !fits {
        let message = format!("is for columns of type {types} only");
        source.fault(section.offset(key), section.key(key), message);
    }
    is_there && fits
}

fn read_max_length(
    source: &mut Source<'_>,
    section: &Section<'_, '_>,
    column: &Column,
) -> Option<u32> {
    if !only_for(source, section, "max_length", column.kind == ColumnType::Text, "text") {
        return None;
    }
    let At { value, offset } = section.number(source, "max_length")?;
    match value.parse::<u32>() {
        Ok(length) if length > 0 && usize::try_from(length).is_ok_and(|l| l <= FIELD_BYTES_MAX) => {
            Some(length)
        }
        _ => {
            let message =
                format!("takes a whole number from 1 to {FIELD_BYTES_MAX}, not `{value}`");
            source.fault(offset, section.key("max_length"), message);
            None
        }
    }
}

/// `min` and `max` in units of the last digit.
fn read_bounds(
    source: &mut Source<'_>,
    section: &Section<'_, '_>,
    column: &Column,
) -> (Option<i64>, Option<i64>) {
    let digits = if let ColumnType::Decimal { precision, scale } = column.kind {
        Some(Digits { precision, scale })
    } else {
        (column.kind == ColumnType::Integer).then_some(Digits::INTEGER)
    };
    let mut bound = |key: &str| {
        if !only_for(source, section, key, digits.is_some(), "integer or decimal") {
            return None;
        }
        let At { value, offset } = section.number(source, key)?;
        let units = parse(&value, digits?, DecimalSeparator::Point);
        let message = match units {
            Ok(units) => return Some(units),
            Err(NumberFault::TooManyDecimals) => "has more decimals than the column",
            Err(NumberFault::Overflow) => "has more digits than the column",
            Err(NumberFault::NotANumber | NumberFault::Ambiguous) => "is not a plain number",
        };
        source.fault(offset, section.key(key), format!("`{value}` {message}"));
        None
    };
    let (min, max) = (bound("min"), bound("max"));
    if let (Some(least), Some(most)) = (min, max)
        && least > most
    {
        let (least, most) = (written(least, scale(column)), written(most, scale(column)));
        let message = format!("{least} is above `max`, which is {most}");
        source.fault(section.offset("min"), section.key("min"), message);
    }
    (min, max)
}

fn read_allowed(
    source: &mut Source<'_>,
    section: &Section<'_, '_>,
    column: &Column,
) -> Vec<String> {
    if !only_for(source, section, "allowed", column.kind == ColumnType::Text, "text") {
        return Vec::new();
    }
    let mut allowed: Vec<String> = Vec::new();
    let values = section.texts(source, "allowed");
    if values.is_empty() {
        let message = "names no value, so that no cell could ever be right".to_owned();
        source.fault(section.offset("allowed"), section.key("allowed"), message);
    }
    for At { value, offset } in values {
        let mut scratch = Scratch::default();
        let context = CellContext { column, is_key: true, decimal: DecimalSeparator::Point };
        // As cells are: trimmed, in NFC, not too long. What can never be met is a fault.
        let clean = match value::convert(context, &value, CellKind::Text, &mut scratch) {
            Ok(crate::domain::record::Value::Text(text)) => text.to_owned(),
            Ok(_) => value,
            Err(fault) => {
                let words = message(column, &value, &value, fault);
                source.fault(offset, section.key("allowed"), words);
                continue;
            }
        };
        if allowed.iter().any(|other| other.to_lowercase() == clean.to_lowercase()) {
            let message = format!("names `{clean}` twice; the letter case makes no difference");
            source.fault(offset, section.key("allowed"), message);
        }
        allowed.push(clean);
    }
    allowed
}

/// The example must be a value that the column takes: people copy it.
fn check_example(source: &mut Source<'_>, section: &Section<'_, '_>, column: &Column) {
    let Some(example) = &column.example else { return };
    let mut scratch = Scratch::default();
    let context = CellContext { column, is_key: false, decimal: DecimalSeparator::Undeclared };
    if let Err(fault) = value::convert(context, example, CellKind::Text, &mut scratch) {
        let words = message(column, example, example, fault);
        source.fault(section.offset("example"), section.key("example"), words);
    }
}

/// A name of datasets and columns: `a` to `z`, digits and `_`, as addresses and options spell it.
pub(super) fn word(
    source: &mut Source<'_>,
    section: &Section<'_, '_>,
    key: &str,
    text: At<String>,
) -> Option<String> {
    let is_word = text.value.starts_with(|c: char| c.is_ascii_lowercase())
        && text.value.len() <= NAME_CHARS_MAX
        && text.value.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
    if is_word {
        return Some(text.value);
    }
    let message = format!(
        "`{}` is not a name: it begins with a letter and has lower-case letters, digits and `_`, at \
         most {NAME_CHARS_MAX}",
        text.value
    );
    source.fault(text.offset, section.key(key), message);
    None
}

/// A name of the database: letters of either case, digits and `_`.
pub(super) fn identifier(
    source: &mut Source<'_>,
    section: &Section<'_, '_>,
    key: &str,
    text: At<String>,
) -> Option<String> {
    let is_identifier = text.value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.value.len() <= NAME_CHARS_MAX
        && text.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_identifier {
        return Some(text.value);
    }
    let message = format!(
        "`{}` cannot be the name of a table or column: it has letters, digits and `_`, at most \
         {NAME_CHARS_MAX}, and no digit first",
        text.value
    );
    source.fault(text.offset, section.key(key), message);
    None
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
