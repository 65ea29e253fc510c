//! Definition file → compiled dataset. Every fault is found in one go, with its line and key.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeTable;

use super::absent;
use super::column::{self, Draft};
use super::column_default;
use super::fault::DefinitionFault;
use super::header::normal_form;
use super::join_table;
use super::model::{Column, ColumnType, Dataset, History, Run};
use super::names::{Identifier, Text, Word, listed, singular, title_of};
use super::reference_parts;
use super::source::{DefinitionFile, DefinitionLines, Section};
use super::table_name::TableName;
use crate::domain::similar::nearest;

/// A dataset and where its keys stand in the definition file, so that faults which are found later
/// can name the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The file as it was named to [`compile`].
    pub file: String,
    /// The dataset.
    pub dataset: std::sync::Arc<Dataset>,
    /// The lines of the file's keys.
    pub lines: DefinitionLines,
    /// The definition is part of the program.
    pub is_built_in: bool,
    /// Its tables are those of a built-in dataset: of itself, or of the one that it replaces.
    pub has_built_in_tables: bool,
}

/// The keys of the whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatasetKeys {
    name: Option<Word>,
    title: Option<Text>,
    table: Option<TableName>,
    key: Option<Vec<Spanned<Text>>>,
    create_table: Option<bool>,
    run: Option<Run>,
    version_column: Option<Spanned<Text>>,
    max_running_jobs: Option<i64>,
    // Read on their own, section by section.
    #[serde(rename = "mirror")]
    _mirror: Option<IgnoredAny>,
    #[serde(rename = "column")]
    _columns: Option<IgnoredAny>,
    #[serde(rename = "history")]
    _histories: Option<IgnoredAny>,
}

/// The keys of a `[[history]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryKeys {
    table: Option<TableName>,
    owner: Option<Identifier>,
}

/// Compiles the definition file `file` with the content `toml_text`.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn compile(file: &str, toml_text: &str) -> Result<Compiled, Vec<DefinitionFault>> {
    let mut definition = DefinitionFile::new(file, toml_text);
    let (document, errors) = DeTable::parse_recoverable(toml_text);
    for error in errors {
        // A fault without a place is the whole file's: its first line.
        let at = error.span().map_or(0, |span| span.start);
        definition.fault(at, "", error.message().to_owned());
    }
    if !definition.faults.is_empty() {
        return Err(definition.faults);
    }
    let root = Section::root(document.get_ref());
    let mut lines = DefinitionLines::default();
    let dataset = read(&mut definition, &root, &mut lines);
    match dataset {
        Some(dataset) if definition.faults.is_empty() => Ok(Compiled {
            file: file.to_owned(),
            dataset: std::sync::Arc::new(dataset),
            lines,
            is_built_in: false,
            has_built_in_tables: false,
        }),
        _ => {
            definition.faults.sort_by_key(|fault| fault.line);
            Err(definition.faults)
        }
    }
}

/// Names that stand where a dataset's name would in an address.
const RESERVED: [&str; 7] = ["jobs", "status", "events", "bulk", "bulks", "infer", "reload"];

/// Reads the whole file; `None` only together with a fault.
fn read(
    file: &mut DefinitionFile<'_>,
    root: &Section<'_, '_>,
    lines: &mut DefinitionLines,
) -> Option<Dataset> {
    for (key, at) in root.keys() {
        lines.set(key.to_owned(), file.line(at));
    }
    let keys: DatasetKeys = root.read(file);
    root.missing(file, "name", "the dataset's name in addresses, such as `products`");
    root.missing(file, "table", "the table that the rows go into");
    let name = keys.name.map(|name| name.0);
    if let Some(reserved) = name.as_deref().filter(|name| RESERVED.contains(name)) {
        let message = format!("`{reserved}` has another meaning in the addresses of the API");
        root.fault(file, "name", message);
    }
    let table = keys.table.map(|table| table.to_string());
    let running_max = running_max(file, root, keys.max_running_jobs);
    let sections = root.sections(file, "column");
    let mut drafts: Vec<Draft<'_, '_>> =
        sections.into_iter().filter_map(|section| column::read(file, section, lines)).collect();
    if drafts.is_empty() && file.faults.is_empty() {
        root.missing(file, "column", "a dataset needs at least one column");
    }
    reference_parts::link(file, &mut drafts);
    let lists = drafts.iter_mut();
    let mut lists = lists.filter_map(|it| Some((it.column.join.as_mut()?, &it.section)));
    join_table::complete(file, table.as_deref(), &mut lists);
    unique_names(file, &drafts);
    let columns: Vec<_> = drafts.iter().map(|it| (&it.column, &it.section)).collect();
    column_default::check_columns(file, &columns);
    let key = read_key(file, root, keys.key.as_deref(), &drafts);
    let version = read_version(file, keys.version_column.as_ref(), &key, &drafts);
    let histories = read_histories(file, root, table.as_deref(), &drafts, lines);
    let absent = absent::read(file, root, &key, &drafts);
    let name = name?;
    let title = keys.title.map_or_else(|| title_of(&name), |title| title.0);
    // Jobs run in the background unless the definition says otherwise.
    let run = keys.run.unwrap_or(Run::Background);
    let columns = drafts.into_iter().map(|draft| draft.column).collect();
    Some(Dataset {
        name,
        title,
        table: table?,
        key,
        version,
        absent,
        // The tables are the user's unless the definition says otherwise.
        create_table: keys.create_table.unwrap_or(false),
        run,
        running_max,
        columns,
        histories,
    })
}

/// The column whose values are compared by `mode=newer`.
fn read_version(
    file: &mut DefinitionFile<'_>,
    given: Option<&Spanned<Text>>,
    key: &[usize],
    drafts: &[Draft<'_, '_>],
) -> Option<usize> {
    let (name, at) = given.map(|given| (&given.get_ref().0, given.span().start))?;
    let found = drafts.iter().position(|draft| draft.column.name == *name);
    let fault = match found.and_then(|index| Some((index, drafts.get(index)?))) {
        None => format!("there is no column `{name}`"),
        Some((index, _)) if key.contains(&index) => {
            format!("`{name}` is part of the key, which is the same in every version")
        }
        Some((_, draft)) if !has_order(&draft.column) => format!(
            "`{name}` has no order that says which of two values is newer; a version is an integer, \
             a decimal, a date or a datetime"
        ),
        Some((index, _)) => return Some(index),
    };
    file.fault(at, "version_column", fault);
    None
}

fn has_order(column: &Column) -> bool {
    use ColumnType::{Date, DateTime, Decimal, Integer};
    column.reference.is_none() && matches!(column.kind, Integer | Decimal { .. } | Date | DateTime)
}

/// One, unless the definition says more: jobs that write to one table at the same time wait for each
/// other's rows, and which of them wins is a matter of luck.
fn running_max(file: &mut DefinitionFile<'_>, root: &Section<'_, '_>, given: Option<i64>) -> u32 {
    let Some(given) = given else { return 1 };
    if let Ok(number @ 1..=64) = u32::try_from(given) {
        return number;
    }
    root.fault(file, "max_running_jobs", format!("takes a number from 1 to 64, not `{given}`"));
    1
}

/// A header must lead to one column: no two names, titles or aliases may look the same.
fn unique_names(file: &mut DefinitionFile<'_>, drafts: &[Draft<'_, '_>]) {
    let mut seen: Vec<(String, usize)> = Vec::new();
    let mut fields: Vec<&str> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let column = &draft.column;
        let own = [("name", &column.name), ("title", &column.title)];
        let aliases = column.aliases.iter().map(|alias| ("aliases", alias));
        let fallbacks = column.fallback_aliases.iter().map(|alias| ("fallback_aliases", alias));
        for (key, text) in own.into_iter().chain(aliases).chain(fallbacks) {
            let form = normal_form(text);
            let other = seen.iter().find(|(known, _)| *known == form).map(|(_, owner)| *owner);
            match other.and_then(|owner| Some((owner, drafts.get(owner)?))) {
                // The title that is the name in other letters is no news, an alias is.
                Some((owner, _)) if owner == index && !key.ends_with("aliases") => {}
                Some((_, other)) => {
                    let message = format!(
                        "a header `{text}` is taken already by column `{}`",
                        other.column.name
                    );
                    draft.section.fault(file, key, message);
                }
                None if form.is_empty() => {
                    let message = format!("`{text}` has no letter or digit to be found by");
                    draft.section.fault(file, key, message);
                }
                None => seen.push((form, index)),
            }
        }
        if !column.has_field() {
            continue;
        }
        if fields.contains(&column.field.as_str()) {
            let message = format!("the field `{}` is fed by another column already", column.field);
            draft.section.fault(file, "field", message);
        }
        fields.push(&column.field);
    }
}

/// Indexes of the key's columns, each required and comparable.
fn read_key(
    file: &mut DefinitionFile<'_>,
    root: &Section<'_, '_>,
    names: Option<&[Spanned<Text>]>,
    drafts: &[Draft<'_, '_>],
) -> Vec<usize> {
    let purpose = "the columns that tell one record from another, such as `key = [\"sku\"]`";
    root.missing(file, "key", purpose);
    let Some(names) = names else { return Vec::new() };
    if names.is_empty() {
        let message = "is empty: name the columns that tell one record from another".to_owned();
        root.fault(file, "key", message);
    }
    let mut key = Vec::with_capacity(names.len());
    for spanned in names {
        let (name, offset) = (&spanned.get_ref().0, spanned.span().start);
        match drafts.iter().enumerate().find(|(_, draft)| draft.column.name == *name) {
            Some((index, _)) if key.contains(&index) => {
                file.fault(offset, "`key`", format!("names `{name}` twice"));
            }
            Some((index, draft)) => {
                check_key_column(file, offset, draft);
                key.push(index);
            }
            None => {
                let known = drafts.iter().map(|draft| draft.column.name.as_str());
                let hint = nearest(name, known.clone()).map_or_else(
                    || format!("the columns are {}", listed(known)),
                    |near| format!("did you mean `{near}`?"),
                );
                file.fault(offset, "`key`", format!("there is no column `{name}`; {hint}"));
            }
        }
    }
    key
}

fn check_key_column(file: &mut DefinitionFile<'_>, offset: usize, draft: &Draft<'_, '_>) {
    let Column { name, kind, required, reference, .. } = &draft.column;
    let message = if !required {
        format!("column `{name}` needs `required = true`: a record without its key cannot be found")
    } else if reference.is_some() {
        format!("column `{name}` is a reference, which cannot be part of the key")
    } else if draft.column.part_of.is_some() {
        format!("column `{name}` is part of a reference, which cannot be part of the key")
    } else if matches!(kind, ColumnType::Json | ColumnType::List) {
        format!("column `{name}` has a type that cannot be compared, so it cannot be in the key")
    } else if draft.column.sensitive {
        format!("column `{name}` is sensitive, but a key names its row in errors, events and lists")
    } else if draft.history.is_some() {
        format!("column `{name}` has a history, but a key never changes; take one of them away")
    } else {
        return;
    };
    file.fault(offset, "`key`", message);
}

/// The history tables in the order in which the columns name them.
fn read_histories(
    file: &mut DefinitionFile<'_>,
    root: &Section<'_, '_>,
    table: Option<&str>,
    drafts: &[Draft<'_, '_>],
    lines: &mut DefinitionLines,
) -> Vec<History> {
    // Without a table, which is a fault of its own, the owner is never asked for.
    let owner = format!("{}_id", singular(&TableName::of(table.unwrap_or_default()).name));
    let mut histories: Vec<History> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let Some(table) = &draft.history else { continue };
        match histories.iter_mut().find(|history| history.table == *table) {
            Some(history) => history.columns.push(index),
            None => histories.push(History {
                table: table.clone(),
                owner: owner.clone(),
                columns: vec![index],
            }),
        }
    }
    let mut seen: Vec<String> = Vec::new();
    for section in root.sections(file, "history") {
        let keys: HistoryKeys = section.read(file);
        section.missing(file, "table", "the history table that this is about");
        let Some(table) = keys.table.map(|table| table.to_string()) else { continue };
        lines.set(format!("history.{table}"), file.line(section.at));
        let history = histories.iter_mut().find(|history| history.table == table);
        if seen.contains(&table) {
            section.fault(file, "table", format!("`{table}` was described already"));
        } else if let Some(history) = history {
            history.owner = keys.owner.map_or_else(|| history.owner.clone(), |owner| owner.0);
        } else {
            section.fault(file, "table", format!("no column has `history = \"{table}\"`"));
        }
        seen.push(table);
    }
    histories
}

#[cfg(test)]
mod tests;
