//! `loadbay datasets show`: the columns of a dataset, and which of them the header of a file feeds.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::file;
use super::place::{PlaceArgs, definitions};
use crate::cli::exit::Exit;
use crate::dataset::model::{Column, Dataset, DateFormat};
use crate::dataset::{Compiled, Datasets, read_header};
use crate::domain::options::Options;
use crate::domain::similar::nearest;

/// What is shown.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The dataset.
    dataset: String,
    /// A file whose header is matched.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The dataset of that name.
pub(super) fn named<'d>(datasets: &'d Datasets, name: &str) -> anyhow::Result<&'d Compiled> {
    datasets.iter().find(|compiled| compiled.dataset.name == name).ok_or_else(|| {
        let near = nearest(name, datasets.names())
            .map_or_else(String::new, |near| format!(" did you mean `{near}`?"));
        let names: Vec<&str> = datasets.names().collect();
        anyhow!("there is no dataset `{name}`;{near} the datasets are {}", names.join(", "))
    })
}

pub(super) async fn run(args: &ShowArgs) -> anyhow::Result<Exit> {
    let config = args.place.read()?;
    let datasets = definitions(&config)?;
    let dataset = &named(&datasets, &args.dataset)?.dataset;
    match &args.file {
        Some(path) => {
            let cells = file::header(&config, path, dataset).await?;
            header(dataset, &cells)
        }
        None => columns(dataset).map(|()| Exit::Done),
    }
}

fn columns(dataset: &Dataset) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {} into table `{}`", dataset.name, dataset.title, dataset.table)?;
    let key = dataset.key.iter().filter_map(|index| dataset.columns.get(*index));
    let key: Vec<&str> = key.map(|column| column.name.as_str()).collect();
    writeln!(out, "key: {}\n", key.join(", "))?;
    let width = dataset.columns.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
    for column in &dataset.columns {
        writeln!(out, "{:width$}  {}", column.name, facts(column))?;
        let headers = column.aliases.iter().chain(&column.fallback_aliases);
        let headers: Vec<&str> =
            std::iter::once(&column.title).chain(headers).map(String::as_str).collect();
        writeln!(out, "{:width$}  headers: {}", "", headers.join(", "))?;
    }
    Ok(())
}

fn facts(column: &Column) -> String {
    let mut facts = vec![column.kind.to_string()];
    if column.required {
        facts.push("required".to_owned());
    }
    facts.extend(column.max_length.map(|length| format!("at most {length} characters")));
    if let Some(reference) = &column.reference {
        let makes = if reference.create { ", made when missing" } else { "" };
        let with: Vec<&str> = reference.also.iter().map(|part| part.column.as_str()).collect();
        let with =
            if with.is_empty() { String::new() } else { format!(" with {}", with.join(", ")) };
        facts.push(format!("names `{}.{}`{with}{makes}", reference.table, reference.match_column));
    }
    if let Some(join) = &column.join {
        let makes = if join.reference.create { ", made when missing" } else { "" };
        let (items, name) = (&join.reference.table, &join.reference.match_column);
        facts.push(format!("into `{}`; each names `{items}.{name}`{makes}", join.table));
    }
    facts.extend(column.part_of.as_ref().map(|main| format!("part of the name of `{main}`")));
    facts.extend(column.pattern.as_ref().map(|it| format!("of the form {}", it.as_str())));
    if !column.formats.is_empty() {
        let formats: Vec<&str> = column.formats.iter().map(DateFormat::as_str).collect();
        facts.push(format!("written as {}", formats.join(" or ")));
    }
    if !column.allowed.is_empty() {
        facts.push(format!("one of {}", column.allowed.join(", ")));
    }
    facts.join("; ")
}

/// Each header cell with its column, then what is wrong.
fn header(dataset: &Dataset, cells: &[String]) -> anyhow::Result<Exit> {
    let (matched, faults) = read_header(dataset, cells, &Options::default());
    let mut out = io::stdout().lock();
    let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    for ((cell, column), outdone) in cells.iter().zip(&matched.columns).zip(&matched.outdone) {
        let name = |index: usize| dataset.columns.get(index).map_or("", |it| it.name.as_str());
        let feeds = match (column, outdone) {
            (Some(column), _) => name(*column).to_owned(),
            (None, Some(column)) => format!("nothing: another header feeds {}", name(*column)),
            (None, None) => "nothing".to_owned(),
        };
        writeln!(out, "{cell:width$}  → {feeds}")?;
    }
    for fault in &faults {
        writeln!(out, "\n{fault}")?;
    }
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Usage })
}
