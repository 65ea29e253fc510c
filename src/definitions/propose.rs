//! Proposals of definitions from what is there: the tables of the database, and the rows of a file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Definitions;
use super::error::DefinitionsError;
use crate::dataset::{
    FileColumns, Proposal, ProposalFault, TableDetails, infer_from_file, infer_from_table,
    key_choices,
};
use crate::domain::detected::Conventions;
use crate::domain::known_header::{KnownColumn, KnownHeader};
use crate::domain::options::Options;
use crate::domain::row::RawRow;
use crate::domain::similar::nearest;
use crate::reader::{self, ReadError, ReadPermit, Upload};
use crate::store::Store;

/// Tables that are listed; looking at one costs some questions to the database.
const TABLES_MAX: usize = 500;

/// A table, and whether files can be imported into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTable {
    /// The table, as a definition writes it.
    pub table: String,
    /// How many columns it has.
    pub columns: usize,
    /// The sets of columns that could be the key.
    pub keys: Vec<Vec<String>>,
    /// Why nothing can be imported.
    pub fault: Option<ProposalFault>,
}

/// The tables of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableList {
    /// The tables, in the order of their names.
    pub tables: Vec<ListedTable>,
    /// Tables that are left out because there are too many.
    pub more: usize,
}

/// Where the rows of a workbook go on their way.
#[derive(Debug, Clone, Copy)]
pub struct FileToSee<'a> {
    /// The file.
    pub upload: Upload<'a>,
    /// How it is read.
    pub options: &'a Options,
    /// The encoding that a guess prefers.
    pub home_encoding: Option<&'a str>,
    /// A folder for the rows of a workbook.
    pub folder: &'a Path,
}

impl Definitions {
    /// The tables that are not Loadbay's own.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tables(self: &Arc<Self>) -> Result<TableList, DefinitionsError> {
        self.on_runtime(|definitions| async move {
            let store = &definitions.store;
            let names = store.tables().await?;
            let more = names.len().saturating_sub(TABLES_MAX);
            let mut tables = Vec::with_capacity(names.len() - more);
            for name in names.into_iter().take(TABLES_MAX) {
                // A table that went away meanwhile is none.
                if let Some(details) = store.details(&name).await? {
                    tables.push(listed(name, &details, store.decimal_digits_max()));
                }
            }
            Ok(TableList { tables, more })
        })
        .await
    }

    /// Proposes a definition from a table.
    ///
    /// # Errors
    /// When there is no such table, or nothing can be proposed.
    pub async fn propose(
        self: &Arc<Self>,
        table: String,
        name: Option<String>,
        key: Option<Vec<String>>,
    ) -> Result<Proposal, DefinitionsError> {
        self.on_runtime(|definitions| async move {
            propose(&definitions.store, &table, name.as_deref(), key.as_deref()).await
        })
        .await
    }
}

fn listed(table: String, details: &TableDetails, max_digits: u8) -> ListedTable {
    let keys = key_choices(&details.shape);
    let key = keys.first().map(Vec::as_slice);
    let fault = infer_from_table(details, None, key, max_digits).err();
    ListedTable { table, columns: details.shape.columns.len(), keys, fault }
}

/// Proposes a definition from a table of the database.
///
/// # Errors
/// When there is no such table, or nothing can be proposed.
pub async fn propose(
    store: &Store,
    table: &str,
    name: Option<&str>,
    key: Option<&[String]>,
) -> Result<Proposal, DefinitionsError> {
    let table = store.as_definitions_mean(table).await?;
    if let Some(mut details) = store.details(&table).await? {
        store.add_joins(&mut details).await?;
        return Ok(infer_from_table(&details, name, key, store.decimal_digits_max())?);
    }
    let tables = store.tables().await?;
    let near = nearest(&table, tables.iter().map(String::as_str)).map(str::to_owned);
    Err(DefinitionsError::NoTable { table, near })
}

/// What all rows of a file hold, until `stop` is set. Blocks.
///
/// # Errors
/// When the file cannot be read.
pub fn see_file(
    file: FileToSee<'_>,
    permit: &ReadPermit,
    stop: &AtomicBool,
) -> Result<FileColumns, ReadError> {
    let FileToSee { upload, options, home_encoding, folder } = file;
    let inspection = reader::inspect(&upload, options, home_encoding, &any_header, permit, stop)?;
    let header = inspection.header.clone();
    let columns = vec![None; header.len()];
    let detected = inspection.into_detected(columns, Conventions::default());
    let spool = folder.join("rows");
    let path = if reader::is_workbook(detected.format) {
        reader::convert(upload.path, &detected, &spool, permit, stop)?;
        spool.as_path()
    } else {
        upload.path
    };
    let mut rows = reader::open(path, &detected)?;
    let (mut seen, mut row) = (FileColumns::new(&header), RawRow::new());
    while !stop.load(Ordering::Relaxed) && rows.next(&mut row)? {
        seen.look(&row);
    }
    Ok(seen)
}

/// A proposal from a file that was seen; the file's name is that of the dataset, unless `name` is.
///
/// # Errors
/// When nothing can be proposed.
pub fn propose_from(
    seen: &FileColumns,
    file_name: &str,
    name: Option<&str>,
    key: Option<&[String]>,
) -> Result<Proposal, ProposalFault> {
    let stem = Path::new(file_name).file_stem().and_then(|stem| stem.to_str());
    infer_from_file(seen, name.or(stem).unwrap_or("rows"), key)
}

/// A row of texts may be a header; numbers are not.
fn any_header(cells: &[&str]) -> KnownHeader {
    // What separates other cells shows that a row is not divided as it should be.
    let is_name = |cell: &&str| {
        cell.chars().any(char::is_alphabetic) && !cell.contains([';', '\t', '|', ','])
    };
    let cell = |(index, cell): (usize, &&str)| {
        is_name(cell).then_some(KnownColumn { index, is_required: false })
    };
    let is_number = |cell: &&str| !cell.trim().is_empty() && !cell.chars().any(char::is_alphabetic);
    let is_complete = cells.iter().any(is_name) && !cells.iter().any(is_number);
    KnownHeader { cells: cells.iter().enumerate().map(cell).collect(), is_complete }
}
