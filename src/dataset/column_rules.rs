//! The rules of a column for its values that are written as texts: the pattern, the forms of dates, and the
//! example, which must keep all rules.

use toml::Spanned;

use super::cell_rules::CellRules;
use super::date_format::{DateFormat, FORMATS_MAX};
use super::messages::message;
use super::model::{Column, ColumnType};
use super::names::Text;
use super::pattern::Pattern;
use super::source::{DefinitionFile, Section};
use super::value::{self, CellContext, Scratch};
use crate::domain::row::CellKind;

/// The value of `key`; that it is there is a fault when the column's type cannot have it.
pub(super) fn only_for<T>(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    (key, value): (&str, Option<T>),
    fits: bool,
    types: &str,
) -> Option<T> {
    if value.is_some() && !fits {
        section.fault(file, key, format!("is for columns of type {types} only"));
    }
    value.filter(|_| fits)
}

/// The regular expression that texts must match.
pub(super) fn pattern(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    given: Option<String>,
) -> Option<Pattern> {
    let fits = column.kind == ColumnType::Text;
    let text = only_for(file, section, ("pattern", given), fits, "text")?;
    match Pattern::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(fault) => {
            section.fault(file, "pattern", fault);
            None
        }
    }
}

/// The forms of dates. No text may have two readings by them.
pub(super) fn formats(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    given: Option<Vec<Spanned<Text>>>,
) -> Vec<DateFormat> {
    let fits = matches!(column.kind, ColumnType::Date | ColumnType::DateTime);
    let given = only_for(file, section, ("formats", given), fits, "date or datetime");
    let Some(texts) = given else { return Vec::new() };
    if texts.is_empty() || texts.len() > FORMATS_MAX {
        let message = format!("takes 1 to {FORMATS_MAX} forms, such as `%d.%m.%Y`");
        section.fault(file, "formats", message);
    }
    let is_day = column.kind == ColumnType::Date;
    let mut formats: Vec<DateFormat> = Vec::new();
    for spanned in texts.into_iter().take(FORMATS_MAX) {
        let (offset, Text(text)) = (spanned.span().start, spanned.into_inner());
        let fault = match DateFormat::new(&text, is_day) {
            Err(fault) => fault,
            Ok(format) => {
                let clash = formats.iter().find_map(|other| {
                    let text = format.clash(other, is_day).or_else(|| other.clash(&format, is_day));
                    Some((other.as_str(), text?))
                });
                let Some((other, text)) = clash else {
                    formats.push(format);
                    continue;
                };
                format!("`{}` and `{other}` read `{text}` differently", format.as_str())
            }
        };
        file.fault(offset, section.key("formats"), fault);
    }
    formats
}

/// The example must be a value that the column takes: people copy it. One that matches a pattern cannot
/// be made up.
pub(super) fn check_example(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
) {
    let Some(example) = &column.example else {
        if column.pattern.is_some() && column.allowed.is_empty() {
            section.missing(file, "example", "a value that matches the pattern, for the template");
        }
        return;
    };
    let mut scratch = Scratch::default();
    let rules = CellRules::of_definition();
    let context = CellContext { column, is_key: false, rules: &rules };
    if let Err(fault) = value::convert(context, example, CellKind::Text, &mut scratch) {
        let text = message(column, example, example, fault);
        section.fault(file, "example", text);
    }
}
