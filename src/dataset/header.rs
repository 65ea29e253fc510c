//! Which header cell feeds which column: by the client's mapping, by name, title or alias, and last
//! by what is left of the cell without a unit.

mod fault;
pub(super) mod form;
mod suggestion;
mod unused;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use xxhash_rust::xxh3::xxh3_64;

use super::constants::{ConstantFault, Constants};
use super::messages::visible;
use super::model::{Column, Dataset};
use super::replacements::ReferenceReplacements;
pub use fault::HeaderFault;
pub(super) use form::normal_form;
use form::{column_named, without_unit};
pub use suggestion::{Suggestion, suggestions};
pub use unused::header_warnings;

use crate::domain::failed_list::is_own_column;
use crate::domain::known_header::{KnownColumn, KnownHeader};
use crate::domain::options::Options;
use crate::domain::similar::similarity;

/// Which header cell feeds which column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// For each header cell the index of the dataset's column, or nothing.
    pub columns: Vec<Option<usize>>,
    /// For each header cell the index of the column that it names, but that another cell feeds.
    pub outdone: Vec<Option<usize>>,
    /// The columns that no cell feeds, because the upload sets them.
    pub constants: Constants,
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

    /// True when every row has the column: a header cell feeds it, or the upload sets it.
    #[must_use]
    pub fn has(&self, column: usize) -> bool {
        self.columns.contains(&Some(column)) || self.constants.has(column)
    }
}

/// How a header cell names a column. Where several cells name the same column, the first of these
/// feeds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Naming {
    /// By its name, its title or an alias.
    Whole,
    /// By an alias that counts only where no better name is there, the first of them first.
    Fallback(usize),
    /// By its name or title, with a unit behind it.
    NameWithUnit,
    /// By an alias, with a unit behind it.
    AliasWithUnit,
    /// By a fallback alias, with a unit behind it.
    FallbackWithUnit(usize),
}

/// A name that a header may have.
#[derive(Debug, Clone, Copy)]
struct KnownName {
    column: usize,
    naming: Naming,
    with_unit: Naming,
}

/// The names of a dataset's columns, and what the client says of headers and columns.
#[derive(Debug)]
pub struct HeaderNames<'a> {
    dataset: &'a Dataset,
    mapping: &'a BTreeMap<String, String>,
    constants: Constants,
    constant_faults: Vec<ConstantFault>,
    known: HashMap<String, KnownName>,
}

impl<'a> HeaderNames<'a> {
    /// The names of `dataset`. Of the options `mapping` counts, header cell → column name, empty to
    /// leave the header out, and `set`, column → its value in every row.
    #[must_use]
    pub fn new(dataset: &'a Dataset, options: &'a Options) -> Self {
        let mut known = HashMap::new();
        let mut add = |name: &str, column, naming, with_unit| {
            known.entry(normal_form(name)).or_insert(KnownName { column, naming, with_unit });
        };
        // Names and titles beat aliases.
        for (index, column) in dataset.columns.iter().enumerate() {
            for name in [&column.name, &column.title] {
                add(name, index, Naming::Whole, Naming::NameWithUnit);
            }
        }
        for (index, column) in dataset.columns.iter().enumerate() {
            for alias in &column.aliases {
                add(alias, index, Naming::Whole, Naming::AliasWithUnit);
            }
        }
        for (index, column) in dataset.columns.iter().enumerate() {
            for (at, alias) in column.fallback_aliases.iter().enumerate() {
                add(alias, index, Naming::Fallback(at), Naming::FallbackWithUnit(at));
            }
        }
        let (constants, constant_faults) = Constants::read(dataset, &options.set);
        Self { dataset, mapping: &options.mapping, constants, constant_faults, known }
    }

    /// What the dataset knows of a row of a file that may be its header.
    #[must_use]
    pub fn read(&self, cells: &[&str]) -> KnownHeader {
        let matched = self.columns_of(cells, None);
        let mut required = self.dataset.columns.iter().enumerate().filter(|(_, it)| it.required);
        let is_complete = required.all(|(index, _)| matched.has(index));
        let cells = matched.columns.iter().map(|index| self.known_column((*index)?)).collect();
        KnownHeader { cells, is_complete }
    }

    fn known_column(&self, index: usize) -> Option<KnownColumn> {
        let column = self.dataset.columns.get(index)?;
        Some(KnownColumn { index, is_required: column.required })
    }

    /// The column of each header cell. What is wrong with the mapping is added to `faults`, if they
    /// are asked for.
    fn columns_of(&self, cells: &[&str], faults: Option<&mut Vec<HeaderFault>>) -> Match {
        let forms: Vec<String> = cells.iter().map(|cell| normal_form(cell)).collect();
        let mapped = mapped_columns(self.dataset, cells, &forms, self.mapping, faults);
        let is_taken = |column: usize| mapped.contains(&HeaderChoice::Feeds(column));
        let named: Vec<Option<(usize, Naming)>> = cells
            .iter()
            .zip(forms.iter().zip(&mapped))
            .map(|(cell, (form, decided))| match decided {
                HeaderChoice::Open => self.named(cell, form),
                HeaderChoice::LeftOut | HeaderChoice::Feeds(_) => None,
            })
            .collect();
        let best = |column| named.iter().flatten().filter(|it| it.0 == column).map(|it| it.1).min();
        let choices = mapped.iter().zip(&named).map(|(decided, named)| match (decided, named) {
            (HeaderChoice::Feeds(column), _) => (Some(*column), None),
            (_, Some((column, naming))) => {
                // A constant is a better one than a header that names the column somehow.
                let is_constant = self.constants.has(*column) && *naming != Naming::Whole;
                let feeds = !is_constant && !is_taken(*column) && best(*column) == Some(*naming);
                if feeds { (Some(*column), None) } else { (None, Some(*column)) }
            }
            _ => (None, None),
        });
        let (columns, outdone) = choices.unzip();
        Match { columns, outdone, constants: self.constants.clone() }
    }

    /// The column that a header cell names, and how.
    fn named(&self, cell: &str, form: &str) -> Option<(usize, Naming)> {
        // `_row` and `_error` stand in lists of failed rows: they are no names of columns.
        if form.is_empty() || is_own_column(cell) {
            return None;
        }
        if let Some(known) = self.known.get(form) {
            return Some((known.column, known.naming));
        }
        let known = self.known.get(&without_unit(cell)?)?;
        Some((known.column, known.with_unit))
    }
}

/// Finds the column of each header cell.
///
/// The option `mapping` (header cell → column name, empty to leave the header out) wins over everything:
/// what it feeds is fed by nothing else. Then names, titles and aliases count, then fallback aliases,
/// then what is left of a header without its unit. Headers that are not known feed nothing.
///
/// # Errors
/// Every fault of the header at once; for a header of which nothing is known, only that.
pub fn match_header(
    dataset: &Dataset,
    header: &[String],
    options: &Options,
) -> Result<Match, Vec<HeaderFault>> {
    let (matched, faults) = read_header(dataset, header, options);
    if faults.is_empty() { Ok(matched) } else { Err(faults) }
}

/// Like [`match_header`], but gives what could be matched together with the faults: several cells
/// may feed the same column then, and required columns may have none.
#[must_use]
pub fn read_header(
    dataset: &Dataset,
    header: &[String],
    options: &Options,
) -> (Match, Vec<HeaderFault>) {
    let mut names = HeaderNames::new(dataset, options);
    let of_constants = std::mem::take(&mut names.constant_faults).into_iter();
    let mut faults: Vec<HeaderFault> = of_constants.map(HeaderFault::from).collect();
    let of_replacements = ReferenceReplacements::read(dataset, &options.replace).err();
    faults.extend(of_replacements.into_iter().flatten().map(HeaderFault::from));
    let cells: Vec<&str> = header.iter().map(String::as_str).collect();
    let matched = names.columns_of(&cells, Some(&mut faults));
    let columns = &matched.columns;
    if !faults.is_empty() {
        // What the options mean must be clear first.
    } else if columns.iter().all(Option::is_none) {
        let required = dataset
            .columns
            .iter()
            .enumerate()
            .filter(|(at, column)| column.required && !matched.has(*at));
        let expected = required.map(|(_, column)| column.title.clone()).collect();
        faults.push(HeaderFault::NoHeader { found: found(header), expected });
    } else {
        let each = dataset.columns.iter().enumerate();
        faults.extend(each.filter_map(|(at, column)| column_fault(header, &matched, at, column)));
    }
    (matched, faults)
}

/// The same text for the same headers, whatever their order and spelling of letters.
#[must_use]
pub fn header_fingerprint(header: &[String]) -> String {
    let forms: BTreeSet<String> =
        header.iter().map(|cell| normal_form(cell)).filter(|form| !form.is_empty()).collect();
    let joined = forms.into_iter().collect::<Vec<_>>().join("\u{1f}");
    format!("{:016x}", xxh3_64(joined.as_bytes()))
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
    header: &[&str],
    forms: &[String],
    mapping: &BTreeMap<String, String>,
    mut faults: Option<&mut Vec<HeaderFault>>,
) -> Vec<HeaderChoice> {
    let mut mapped = vec![HeaderChoice::Open; header.len()];
    for (name, column) in mapping {
        let exact = header.iter().any(|cell| cell.trim() == name.trim());
        let form = normal_form(name);
        let is_meant = |(cell, cell_form): (&&str, &String)| {
            if exact { cell.trim() == name.trim() } else { !form.is_empty() && *cell_form == form }
        };
        let target = if column.trim().is_empty() { None } else { column_named(dataset, column) };
        if target.is_none()
            && !column.trim().is_empty()
            && let Some(faults) = &mut faults
        {
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
        if !is_there && let Some(faults) = &mut faults {
            faults.push(HeaderFault::UnknownHeader {
                header: visible(name),
                nearest: nearest_cell(header.iter().copied(), &[form]),
                found: found(header),
            });
        }
    }
    mapped
}

/// What is wrong with one column: nothing feeds it though it is required, or several cells do.
fn column_fault(
    header: &[String],
    matched: &Match,
    index: usize,
    column: &Column,
) -> Option<HeaderFault> {
    let fed = || header.iter().zip(&matched.columns);
    let feeding: Vec<&String> =
        fed().filter(|(_, column)| **column == Some(index)).map(|(cell, _)| cell).collect();
    let headers = || feeding.iter().map(|cell| visible(cell)).collect();
    if matched.constants.has(index) {
        let fault =
            HeaderFault::ConstantInFile { column: column.title.clone(), headers: headers() };
        return (!feeding.is_empty()).then_some(fault);
    }
    if feeding.len() > 1 {
        return Some(HeaderFault::Duplicate { column: column.title.clone(), headers: headers() });
    }
    if !column.required || !feeding.is_empty() {
        return None;
    }
    let names = [&column.name, &column.title].into_iter().chain(&column.aliases);
    let names: Vec<String> = names.map(|name| normal_form(name)).collect();
    let free = fed().filter(|(_, column)| column.is_none()).map(|(cell, _)| cell.as_str());
    Some(HeaderFault::Missing {
        column: column.title.clone(),
        nearest: nearest_cell(free, &names),
        found: found(header),
    })
}

/// The header cell that is most like one of `names` (in normal form), if any is like them.
fn nearest_cell<'a>(cells: impl Iterator<Item = &'a str>, names: &[String]) -> Option<String> {
    let likeness = |cell: &str| {
        let form = normal_form(cell);
        names.iter().filter_map(|name| similarity(name, &form)).max_by(f64::total_cmp)
    };
    let scored = cells.filter_map(|cell| Some((cell, likeness(cell)?)));
    // The first of several that are equally alike.
    let best = scored.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(cell, _)| visible(cell))
}

/// The header's cells as faults show them: shortened, empty ones left out.
fn found(header: &[impl AsRef<str>]) -> Vec<String> {
    header
        .iter()
        .map(|cell| visible(cell.as_ref().trim()))
        .filter(|cell| !cell.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
