//! Definition file → compiled dataset. Every fault is found in one go, with its line and key.

use toml::de::DeTable;

use super::column::{self, Draft};
use super::fault::{DefinitionFault, listed, nearest};
use super::header::normal_form;
use super::model::{Column, ColumnType, Dataset, History, Run};
use super::source::{At, Lines, Section, Source};

/// A dataset and where its keys stand in the definition file, so that faults which are found later
/// can name the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The file as it was named to [`compile`].
    pub file: String,
    /// The dataset.
    pub dataset: std::sync::Arc<Dataset>,
    /// The lines of the file's keys.
    pub lines: Lines,
}

/// Compiles the definition file `file` with the content `toml_text`.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn compile(file: &str, toml_text: &str) -> Result<Compiled, Vec<DefinitionFault>> {
    let mut source = Source::new(file, toml_text);
    let (document, errors) = DeTable::parse_recoverable(toml_text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        source.fault(at, "", error.message().to_owned());
    }
    if !source.faults.is_empty() {
        return Err(source.faults);
    }
    let root = Section::root(document.get_ref());
    let mut lines = Lines::default();
    let dataset = read(&mut source, &root, &mut lines);
    match dataset {
        Some(dataset) if source.faults.is_empty() => {
            Ok(Compiled { file: file.to_owned(), dataset: std::sync::Arc::new(dataset), lines })
        }
        _ => {
            source.faults.sort_by_key(|fault| fault.line);
            Err(source.faults)
        }
    }
}

/// Names that stand where a dataset's name would in an address.
const RESERVED: [&str; 4] = ["jobs", "status", "events", "bulk"];

/// Reads the whole file; `None` only together with a fault.
fn read(source: &mut Source<'_>, root: &Section<'_, '_>, lines: &mut Lines) -> Option<Dataset> {
    root.only(
        source,
        &["name", "title", "table", "key", "run", "max_running_jobs", "column", "history"],
    );
    for (key, at) in root.keys() {
        lines.set(key.to_owned(), source.line(at));
    }
    let name = root
        .needed(source, "name", "the dataset's name in addresses, such as `products`")
        .and_then(|name| column::word(source, root, "name", name));
    if let Some(reserved) = name.as_deref().filter(|name| RESERVED.contains(name)) {
        let message = format!("`{reserved}` has another meaning in the addresses of the API");
        source.fault(root.offset("name"), root.key("name"), message);
    }
    let title = root.text(source, "title").map(|title| title.value);
    let table = root
        .needed(source, "table", "the table that the rows go into")
        .and_then(|table| column::identifier(source, root, "table", table));
    let run = read_run(source, root);
    let running_max = read_running_max(source, root);
    let drafts: Vec<Draft<'_, '_>> = root
        .sections(source, "column")
        .into_iter()
        .filter_map(|section| column::read(source, section, lines))
        .collect();
    if drafts.is_empty() && source.faults.is_empty() {
        source.fault(0, "`column`", "is missing: a dataset needs at least one column".to_owned());
    }
    unique_names(source, &drafts);
    let key = read_key(source, root, &drafts);
    let histories = read_histories(source, root, table.as_deref(), &drafts, lines);
    let name = name?;
    let title = title.unwrap_or_else(|| column::title_of(&name));
    let columns = drafts.into_iter().map(|draft| draft.column).collect();
    Some(Dataset { name, title, table: table?, key, run, running_max, columns, histories })
}

fn read_run(source: &mut Source<'_>, root: &Section<'_, '_>) -> Run {
    let Some(run) = root.text(source, "run") else { return Run::Background };
    match run.value.as_str() {
        "background" => Run::Background,
        "inline" => Run::Inline,
        other => {
            let message = format!("takes `background` or `inline`, not `{other}`");
            source.fault(run.offset, "`run`", message);
            Run::Background
        }
    }
}

/// One, unless the definition says more: jobs that write to one table at the same time wait for each
/// other's rows, and which of them wins is a matter of luck.
fn read_running_max(source: &mut Source<'_>, root: &Section<'_, '_>) -> u32 {
    let Some(given) = root.number(source, "max_running_jobs") else { return 1 };
    if let Ok(number @ 1..=64) = given.value.parse() {
        return number;
    }
    let message = format!("takes a number from 1 to 64, not `{}`", given.value);
    source.fault(given.offset, "`max_running_jobs`", message);
    1
}

/// A header must lead to one column: no two names, titles or aliases may look the same.
fn unique_names(source: &mut Source<'_>, drafts: &[Draft<'_, '_>]) {
    let mut seen: Vec<(String, usize)> = Vec::new();
    let mut fields: Vec<&str> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let column = &draft.column;
        let own = [("name", &column.name), ("title", &column.title)];
        let aliases = column.aliases.iter().map(|alias| ("aliases", alias));
        for (key, text) in own.into_iter().chain(aliases) {
            let form = normal_form(text);
            let other = seen.iter().find(|(known, _)| *known == form).map(|(_, owner)| *owner);
            match other.and_then(|owner| Some((owner, drafts.get(owner)?))) {
                // The title that is the name in other letters is no news, an alias is.
                Some((owner, _)) if owner == index && key != "aliases" => {}
                Some((_, other)) => {
                    let message = format!(
                        "a header `{text}` is taken already by column `{}`",
                        other.column.name
                    );
                    source.fault(draft.section.offset(key), draft.section.key(key), message);
                }
                None if form.is_empty() => {
                    let message = format!("`{text}` has no letter or digit to be found by");
                    source.fault(draft.section.offset(key), draft.section.key(key), message);
                }
                None => seen.push((form, index)),
            }
        }
        if fields.contains(&column.field.as_str()) {
            let message = format!("the field `{}` is fed by another column already", column.field);
            source.fault(draft.section.offset("field"), draft.section.key("field"), message);
        }
        fields.push(&column.field);
    }
}

/// Indexes of the key's columns, each required and comparable.
fn read_key(
    source: &mut Source<'_>,
    root: &Section<'_, '_>,
    drafts: &[Draft<'_, '_>],
) -> Vec<usize> {
    let names = root.texts(source, "key");
    if root.keys().all(|(key, _)| key != "key") {
        let message = "is missing: the columns that tell one record from another, such as \
                       `key = [\"sku\"]`";
        source.fault(0, "`key`", message.to_owned());
    } else if names.is_empty() && source.faults.is_empty() {
        let message = "is empty: name the columns that tell one record from another".to_owned();
        source.fault(root.offset("key"), "`key`", message);
    }
    let mut key = Vec::with_capacity(names.len());
    for At { value: name, offset } in names {
        match drafts.iter().position(|draft| draft.column.name == name) {
            Some(index) if key.contains(&index) => {
                source.fault(offset, "`key`", format!("names `{name}` twice"));
            }
            Some(index) => {
                if let Some(draft) = drafts.get(index) {
                    check_key_column(source, offset, draft);
                }
                key.push(index);
            }
            None => {
                let known = drafts.iter().map(|draft| draft.column.name.as_str());
                let hint = nearest(&name, known.clone()).map_or_else(
                    || format!("the columns are {}", listed(known)),
                    |near| format!("did you mean `{near}`?"),
                );
                source.fault(offset, "`key`", format!("there is no column `{name}`; {hint}"));
            }
        }
    }
    key
}

fn check_key_column(source: &mut Source<'_>, offset: usize, draft: &Draft<'_, '_>) {
    let Column { name, kind, required, reference, .. } = &draft.column;
    let message = if !required {
        format!("column `{name}` needs `required = true`: a record without its key cannot be found")
    } else if reference.is_some() {
        format!("column `{name}` is a reference, which cannot be part of the key")
    } else if matches!(kind, ColumnType::Json | ColumnType::List) {
        format!("column `{name}` has a type that cannot be compared, so it cannot be in the key")
    } else if draft.history.is_some() {
        format!("column `{name}` has a history, but a key never changes; take one of them away")
    } else {
        return;
    };
    source.fault(offset, "`key`", message);
}

/// The history tables in the order in which the columns name them.
fn read_histories(
    source: &mut Source<'_>,
    root: &Section<'_, '_>,
    table: Option<&str>,
    drafts: &[Draft<'_, '_>],
    lines: &mut Lines,
) -> Vec<History> {
    let owner = format!("{}_id", singular(table.unwrap_or_default()));
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
    for section in root.sections(source, "history") {
        section.only(source, &["table", "owner"]);
        let needed = section.needed(source, "table", "the history table that this is about");
        let Some(At { value: table, offset }) = needed else { continue };
        lines.set(format!("history.{table}"), source.line(section.at));
        let owner = section
            .text(source, "owner")
            .and_then(|owner| column::identifier(source, &section, "owner", owner));
        let history = histories.iter_mut().find(|history| history.table == table);
        if seen.contains(&table) {
            source.fault(offset, section.key("table"), format!("`{table}` was described already"));
        } else if let Some(history) = history {
            history.owner = owner.unwrap_or_else(|| history.owner.clone());
        } else {
            let message = format!("no column has `history = \"{table}\"`");
            source.fault(offset, section.key("table"), message);
        }
        seen.push(table);
    }
    histories
}

/// One of many: `products` → `product`, `categories` → `category`, `boxes` → `box`.
fn singular(plural: &str) -> String {
    if let Some(stem) = plural.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if plural.ends_with(ending) {
            return plural.strip_suffix("es").unwrap_or(plural).to_owned();
        }
    }
    match plural.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') => stem.to_owned(),
        _ => plural.to_owned(),
    }
}

#[cfg(test)]
mod tests;
