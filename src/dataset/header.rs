//! Which header cell feeds which column: by the client's mapping, by name or title, by alias.

use std::collections::{BTreeMap, HashMap};

use unicode_normalization::UnicodeNormalization;

use super::messages::visible;
use super::model::{Column, Dataset};
use super::names::listed;
use super::value::text::is_invisible;
use crate::domain::error_code::ErrorCode;
use crate::domain::failed_list::is_own_column;
use crate::domain::similar::similarity;
use crate::domain::warning::{WarningCode, Warnings};

/// Which header cell feeds which column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// For each header cell the index of the dataset's column, or nothing.
    pub columns: Vec<Option<usize>>,
}

impl Match {
    /// For each header cell the name of the column, as it is stored with the job.
    #[must_use]
    pub fn names(&self, dataset: &Dataset) -> Vec<Option<String>> {
        let name = |index: &Option<usize>| {
            index.and_then(|index| dataset.columns.get(index)).map(|column| column.name.clone())
        };
        self.columns.iter().map(name).collect()
    }
}

/// Why a file's header cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// No cell is the name of a column.
    #[error(
        "no column of the dataset was recognized; found {}, expected at least {}",
        Found(found),
        listed(expected.iter().map(String::as_str))
    )]
    NoHeader {
        /// The header's cells.
        found: Vec<String>,
        /// The titles of the required columns.
        expected: Vec<String>,
    },
    /// A required column is not there.
    #[error("the required column `{column}` is missing; {}found {}", Near(nearest.as_deref()), Found(found))]
    Missing {
        /// The title of the column.
        column: String,
        /// The header cell that is most like it, if any is like it.
        nearest: Option<String>,
        /// The header's cells.
        found: Vec<String>,
    },
    /// Several header cells feed the same column.
    #[error(
        "{} all feed the column `{column}`; rename or remove all but one, or decide with the \
         option `mapping`",
        listed(headers.iter().map(String::as_str))
    )]
    Duplicate {
        /// The title of the column.
        column: String,
        /// The header cells, from left to right.
        headers: Vec<String>,
    },
    /// The mapping names a header that the file does not have.
    #[error("`mapping` names the header `{header}`, which the file does not have; {}found {}", Near(nearest.as_deref()), Found(found))]
    UnknownHeader {
        /// The header as the mapping has it.
        header: String,
        /// The header cell that is most like it, if any is like it.
        nearest: Option<String>,
        /// The header's cells.
        found: Vec<String>,
    },
    /// The mapping names a column that the dataset does not have.
    #[error(
        "`mapping` sends the header `{header}` to the column `{column}`, which the dataset does not \
         have; its columns are {}",
        listed(columns.iter().map(String::as_str))
    )]
    UnknownColumn {
        /// The header as the mapping has it.
        header: String,
        /// The column as the mapping has it.
        column: String,
        /// The names of the dataset's columns.
        columns: Vec<String>,
    },
}

impl HeaderFault {
    /// The code that the upload is refused with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NoHeader { .. } => ErrorCode::NoHeader,
            Self::Missing { .. } => ErrorCode::MissingColumn,
            Self::Duplicate { .. } => ErrorCode::DuplicateColumn,
            Self::UnknownHeader { .. } | Self::UnknownColumn { .. } => ErrorCode::BadMapping,
        }
    }
}

/// Header cells that a sentence shows before it says how many more there are.
const SHOWN_CELLS: usize = 30;

struct Found<'a>(&'a [String]);

impl std::fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let more = self.0.len().saturating_sub(SHOWN_CELLS);
        match self.0 {
            [] => f.write_str("nothing"),
            cells => f.write_str(&listed(cells.iter().take(SHOWN_CELLS).map(String::as_str))),
        }?;
        if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
    }
}

struct Near<'a>(Option<&'a str>);

impl std::fmt::Display for Near<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |near| write!(f, "did you mean `{near}`? "))
    }
}

/// The form in which headers are compared: NFKC, case folded, without invisible characters and
/// without what stands between words (white space, `_`, `-`, `.`, `/`).
pub(super) fn normal_form(header: &str) -> String {
    let seen = header.nfkc().filter(|c| !is_invisible(*c) && !c.is_control());
    let solid: String = seen.filter(|c| !is_between_words(*c)).collect();
    // Upper case first: that takes `ß` and `ss`, `ς` and `σ` to the same letters.
    solid.to_uppercase().to_lowercase().nfkc().collect()
}

fn is_between_words(c: char) -> bool {
    c.is_whitespace() || matches!(c, '_' | '-' | '.' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Every name of every column in normal form; names and titles beat aliases.
fn known_names(dataset: &Dataset) -> HashMap<String, usize> {
    let mut known = HashMap::new();
    for (index, column) in dataset.columns.iter().enumerate() {
        for name in [&column.name, &column.title] {
            known.entry(normal_form(name)).or_insert(index);
        }
    }
    for (index, column) in dataset.columns.iter().enumerate() {
        for alias in &column.aliases {
            known.entry(normal_form(alias)).or_insert(index);
        }
    }
    known
}

/// How many columns of the dataset the cells of a line name: the line and the delimiter with the
/// highest score are the header's.
#[must_use]
pub fn header_score(dataset: &Dataset, header: &[&str]) -> usize {
    let known = known_names(dataset);
    let mut seen: Vec<usize> =
        header.iter().filter_map(|cell| known.get(&normal_form(cell)).copied()).collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

/// Finds the column of each header cell.
///
/// `mapping` (header cell → column name, empty to leave the header out) wins over everything: what
/// it feeds is fed by nothing else. Then names and titles count, then aliases. Headers that are not
/// known feed nothing.
///
/// # Errors
/// Every fault of the header at once; for a header of which nothing is known, only that.
pub fn match_header(
    dataset: &Dataset,
    header: &[String],
    mapping: &BTreeMap<String, String>,
) -> Result<Match, Vec<HeaderFault>> {
    let (matched, faults) = read_header(dataset, header, mapping);
    if faults.is_empty() { Ok(matched) } else { Err(faults) }
}

/// What a person should see of a header that was matched: the columns of the file that feed nothing.
#[must_use]
pub fn header_warnings(header: &[String], columns: &[Option<usize>]) -> Warnings {
    let mut warnings = Warnings::default();
    for (cell, column) in header.iter().zip(columns) {
        if column.is_none() && !cell.trim().is_empty() && !is_own_column(cell) {
            warnings.add(WarningCode::UnusedColumns, None, None, Some(cell.trim()));
        }
    }
    warnings
}

/// Like [`match_header`], but gives what could be matched together with the faults: several cells
/// may feed the same column then, and required columns may have none.
#[must_use]
pub fn read_header(
    dataset: &Dataset,
    header: &[String],
    mapping: &BTreeMap<String, String>,
) -> (Match, Vec<HeaderFault>) {
    let forms: Vec<String> = header.iter().map(|cell| normal_form(cell)).collect();
    let known = known_names(dataset);
    let mut faults = Vec::new();
    let mapped = mapped_columns(dataset, header, &forms, mapping, &mut faults);
    let is_taken = |column: &usize| mapped.contains(&HeaderChoice::Feeds(*column));
    let column_of = |(cell, (form, decided)): (&String, (&String, &HeaderChoice))| match decided {
        HeaderChoice::Feeds(column) => Some(*column),
        // `_row` and `_error` stand in lists of failed rows: they are no names of columns.
        HeaderChoice::Open if !is_own_column(cell) => {
            known.get(form).copied().filter(|column| !is_taken(column))
        }
        HeaderChoice::LeftOut | HeaderChoice::Open => None,
    };
    let columns: Vec<Option<usize>> =
        header.iter().zip(forms.iter().zip(&mapped)).map(column_of).collect();
    if !faults.is_empty() {
        // What the mapping means must be clear first.
    } else if columns.iter().all(Option::is_none) {
        let required = dataset.columns.iter().filter(|column| column.required);
        let expected = required.map(|column| column.title.clone()).collect();
        faults.push(HeaderFault::NoHeader { found: found(header), expected });
    } else {
        let each = dataset.columns.iter().enumerate();
        faults.extend(each.filter_map(|(at, column)| column_fault(header, &columns, at, column)));
    }
    (Match { columns }, faults)
}

/// What the mapping says about a header cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeaderChoice {
    /// Nothing: its name counts.
    Open,
    /// It feeds no column.
    LeftOut,
    /// It feeds this column.
    Feeds(usize),
}

/// What the mapping says about each header cell.
fn mapped_columns(
    dataset: &Dataset,
    header: &[String],
    forms: &[String],
    mapping: &BTreeMap<String, String>,
    faults: &mut Vec<HeaderFault>,
) -> Vec<HeaderChoice> {
    let mut mapped = vec![HeaderChoice::Open; header.len()];
    for (name, column) in mapping {
        let exact = header.iter().any(|cell| cell.trim() == name.trim());
        let form = normal_form(name);
        let is_meant = |(cell, cell_form): (&String, &String)| {
            if exact { cell.trim() == name.trim() } else { !form.is_empty() && *cell_form == form }
        };
        let target = if column.trim().is_empty() { None } else { by_name(dataset, column) };
        if target.is_none() && !column.trim().is_empty() {
            faults.push(HeaderFault::UnknownColumn {
                header: visible(name),
                column: visible(column),
                columns: dataset.columns.iter().map(|column| column.name.clone()).collect(),
            });
        }
        let mut is_there = false;
        for (slot, cell) in mapped.iter_mut().zip(header.iter().zip(forms)) {
            // The exact name of a header decides before one that is only alike.
            if is_meant(cell) && (exact || *slot == HeaderChoice::Open) {
                *slot = target.map_or(HeaderChoice::LeftOut, HeaderChoice::Feeds);
            }
            is_there |= is_meant(cell);
        }
        if !is_there {
            faults.push(HeaderFault::UnknownHeader {
                header: visible(name),
                nearest: nearest_cell(header.iter(), &[form]),
                found: found(header),
            });
        }
    }
    mapped
}

/// What is wrong with one column: nothing feeds it though it is required, or several cells do.
fn column_fault(
    header: &[String],
    columns: &[Option<usize>],
    index: usize,
    column: &Column,
) -> Option<HeaderFault> {
    let fed = || header.iter().zip(columns);
    let feeding: Vec<&String> =
        fed().filter(|(_, column)| **column == Some(index)).map(|(cell, _)| cell).collect();
    if feeding.len() > 1 {
        let headers = feeding.iter().map(|cell| visible(cell)).collect();
        return Some(HeaderFault::Duplicate { column: column.title.clone(), headers });
    }
    if !column.required || !feeding.is_empty() {
        return None;
    }
    let names = [&column.name, &column.title].into_iter().chain(&column.aliases);
    let names: Vec<String> = names.map(|name| normal_form(name)).collect();
    let free = fed().filter(|(_, column)| column.is_none()).map(|(cell, _)| cell);
    Some(HeaderFault::Missing {
        column: column.title.clone(),
        nearest: nearest_cell(free, &names),
        found: found(header),
    })
}

/// The header cell that is most like one of `names` (in normal form), if any is like them.
fn nearest_cell<'a>(cells: impl Iterator<Item = &'a String>, names: &[String]) -> Option<String> {
    let likeness = |cell: &str| {
        let form = normal_form(cell);
        names.iter().filter_map(|name| similarity(name, &form)).max_by(f64::total_cmp)
    };
    let scored = cells.filter_map(|cell| Some((cell, likeness(cell)?)));
    // The first of several that are equally alike.
    let best = scored.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(cell, _)| visible(cell))
}

fn by_name(dataset: &Dataset, name: &str) -> Option<usize> {
    let form = normal_form(name);
    let is_meant = |column: &Column| column.name == name.trim();
    let is_like =
        |column: &Column| [&column.name, &column.title].iter().any(|n| normal_form(n) == form);
    let columns = &dataset.columns;
    columns.iter().position(is_meant).or_else(|| columns.iter().position(is_like))
}

/// The header's cells as faults show them: shortened, empty ones left out.
fn found(header: &[String]) -> Vec<String> {
    header.iter().map(|cell| visible(cell.trim())).filter(|cell| !cell.is_empty()).collect()
}

#[cfg(test)]
mod tests;
