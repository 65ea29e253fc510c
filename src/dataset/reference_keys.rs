//! `references` of a column, or of the join table of a list: which records of another table its cells name.

use serde::Deserialize;

use super::model::{Reference, ReferencePart};
use super::names::{Identifier, Word};
use super::source::{DefinitionFile, Section};
use super::table_name::TableName;

/// The keys of `references`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferenceKeys {
    table: Option<TableName>,
    #[serde(rename = "match")]
    match_columns: Option<MatchColumns>,
    with: Option<Vec<Word>>,
    key: Option<Identifier>,
    create: Option<bool>,
}

/// The section `references` of a column, or of the join table of a list.
pub(super) fn read(file: &mut DefinitionFile<'_>, section: &Section<'_, '_>) -> Option<Reference> {
    let inner = section.section(file, "references")?;
    let keys: ReferenceKeys = inner.read(file);
    inner.missing(file, "table", "the table whose records the cells name");
    let matched = keys.match_columns.map_or_else(|| vec!["name".to_owned()], |columns| columns.0);
    let mut matched = matched.into_iter();
    let match_column = matched.next()?;
    let also: Vec<String> = matched.collect();
    // Columns that are called as those of the other table, unless the definition says otherwise.
    let with: Vec<String> =
        keys.with.map_or_else(|| also.clone(), |with| with.into_iter().map(|it| it.0).collect());
    if with.len() != also.len() {
        let message = format!(
            "names {} of this dataset, but `match` has {} behind its first one; each needs the other",
            counted_columns(with.len()),
            counted_columns(also.len())
        );
        inner.fault(file, "with", message);
    }
    let parts = also.into_iter().zip(with);
    Some(Reference {
        table: keys.table?.to_string(),
        match_column,
        also: parts.map(|(match_column, column)| ReferencePart { match_column, column }).collect(),
        key: keys.key.map_or_else(|| "id".to_owned(), |column| column.0),
        // A missing record is a row error unless the definition says otherwise.
        create: keys.create.unwrap_or(false),
    })
}

fn counted_columns(count: usize) -> String {
    if count == 1 { "one column".to_owned() } else { format!("{count} columns") }
}

/// The column of the other table, or several.
#[derive(Debug, Deserialize)]
#[serde(try_from = "MatchText")]
struct MatchColumns(Vec<String>);

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "takes the name of a column, or a list of names")]
enum MatchText {
    One(String),
    Several(Vec<String>),
}

impl TryFrom<MatchText> for MatchColumns {
    type Error = String;

    fn try_from(text: MatchText) -> Result<Self, String> {
        let names = match text {
            MatchText::One(name) => vec![name],
            MatchText::Several(names) if names.is_empty() => {
                return Err("names no column".to_owned());
            }
            MatchText::Several(names) => names,
        };
        let names = names.into_iter().map(|name| Identifier::try_from(name).map(|name| name.0));
        names.collect::<Result<_, _>>().map(Self)
    }
}
