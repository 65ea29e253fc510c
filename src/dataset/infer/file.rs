//! A proposal from a file alone: what its columns hold is seen in all of its rows.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::table::own_names;
use super::words::{add_aliases, word};
use super::{KeyCandidate, Proposal, ProposalFault, ProposedColumn};
use crate::dataset::cell_rules::CellRules;
use crate::dataset::column::OWN_FIELDS;
use crate::dataset::model::{Column, ColumnType};
use crate::dataset::names::{singular, title_of};
use crate::dataset::value::date::DateFault;
use crate::dataset::value::number::NumberFault;
use crate::dataset::value::{self, CellContext, CellFault, Scratch};
use crate::domain::record::Value;
use crate::domain::row::{CellKind, RawRow};

/// Types that the cells of a column may have, the narrowest first.
const KINDS: [ColumnType; 5] = [
    ColumnType::Integer,
    ColumnType::Decimal { precision: 15, scale: 6 },
    ColumnType::Boolean,
    ColumnType::Date,
    ColumnType::DateTime,
];

/// Digits of a whole number that is a quantity; longer ones are names, such as barcodes.
const QUANTITY_DIGITS: usize = 12;

/// Lengths that are proposed for texts.
const LENGTHS: [usize; 4] = [32, 64, 255, 1_000];

/// Words in the names of columns that identify a record, the best first.
const KEY_WORDS: [&str; 9] =
    ["sku", "code", "number", "no", "nr", "id", "ean", "barcode", "reference"];

/// Values of all columns together that are told apart, and of each column at least; the rest of a
/// larger file is not compared.
const DISTINCT_MAX: usize = 2_000_000;
const DISTINCT_MIN: usize = 10_000;

/// Columns by which the shares of their values are told.
const CANDIDATES_SHOWN: usize = 5;

/// What the rows of a file hold.
#[derive(Debug)]
pub struct FileColumns {
    columns: Vec<SeenColumn>,
    rows: u64,
    hasher: RandomState,
    scratch: Scratch,
}

#[derive(Debug)]
struct SeenColumn {
    header: String,
    /// A column of each type that fits all cells so far.
    fitting: Vec<Column>,
    filled: u64,
    /// Cells whose values were told apart.
    compared: u64,
    /// Letters of the longest cell.
    longest: usize,
    /// Decimals of the number that has the most.
    decimals: usize,
    /// Some cell is a number.
    has_number: bool,
    distinct: HashSet<u64>,
}

impl FileColumns {
    /// The columns of a file with this header.
    #[must_use]
    pub fn new(header: &[String]) -> Self {
        let column = |header: &String| SeenColumn {
            header: header.trim().to_owned(),
            fitting: KINDS.iter().map(|kind| probe(*kind)).collect(),
            filled: 0,
            compared: 0,
            longest: 0,
            decimals: 0,
            has_number: false,
            distinct: HashSet::new(),
        };
        Self {
            columns: header.iter().map(column).collect(),
            rows: 0,
            hasher: RandomState::new(),
            scratch: Scratch::default(),
        }
    }

    /// Looks at a row.
    pub fn look(&mut self, row: &RawRow) {
        self.rows += 1;
        let distinct_max = (DISTINCT_MAX / self.columns.len().max(1)).max(DISTINCT_MIN);
        for (at, column) in self.columns.iter_mut().enumerate() {
            let Some((text, kind)) = row.cell(at) else { continue };
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            column.filled += 1;
            if column.distinct.len() < distinct_max {
                column.compared += 1;
                column.distinct.insert(self.hasher.hash_one(text));
            }
            column.longest = column.longest.max(text.chars().count());
            column.narrow(text, kind, &mut self.scratch);
        }
    }
}

impl SeenColumn {
    fn narrow(&mut self, text: &str, kind: CellKind, scratch: &mut Scratch) {
        let digits = text.trim_start_matches(['-', '+']);
        let is_whole = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
        self.has_number |= is_whole;
        // A zero in front belongs to a name, and would be lost.
        let is_name = is_whole
            && (digits.len() > QUANTITY_DIGITS || (digits.len() > 1 && digits.starts_with('0')));
        if is_name {
            self.fitting.clear();
        }
        let rules = CellRules::default();
        let mut is_decimal = false;
        self.fitting.retain(|column| {
            let context = CellContext { column, is_key: false, rules: &rules };
            match value::convert(context, text, kind, scratch) {
                Ok(Value::Null) => true,
                Ok(value) => {
                    is_decimal |= matches!(value, Value::Decimal(_));
                    column.kind != ColumnType::Date || !is_whole
                }
                // Two readings are two numbers, or two days.
                Err(fault) => matches!(
                    fault,
                    CellFault::Number(NumberFault::Ambiguous)
                        | CellFault::Date(DateFault::TwoReadings)
                ),
            }
        });
        if is_decimal && let Some((_, decimals)) = text.rsplit_once(['.', ',']) {
            self.decimals = self.decimals.max(decimals.trim_end_matches('0').len());
        }
    }

    fn kind(&self) -> Option<ColumnType> {
        let mut kinds = self.fitting.iter().map(|column| column.kind);
        if self.filled == 0 {
            return None;
        }
        // `1` and `0` are numbers before they are truth values.
        kinds.find(|kind| *kind != ColumnType::Boolean || !self.has_number)
    }

    /// The share of rows that have a value of their own.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    fn share(&self, rows: u64) -> f64 {
        let (distinct, of) = self.distinct_of(rows);
        distinct as f64 * 100.0 / of as f64
    }

    /// Rows with a value of their own, of those that were compared.
    fn distinct_of(&self, rows: u64) -> (u64, u64) {
        let empty = rows - self.filled;
        (self.distinct.len() as u64, (self.compared + empty).max(1))
    }

    fn is_unique(&self, rows: u64) -> bool {
        self.filled == rows && self.distinct.len() as u64 == self.compared
    }
}

/// A column that nothing but its type bounds.
fn probe(kind: ColumnType) -> Column {
    Column {
        name: "probe".to_owned(),
        title: "Probe".to_owned(),
        field: "probe".to_owned(),
        kind,
        required: false,
        max_length: None,
        min: None,
        max: None,
        percent: false,
        allowed: Vec::new(),
        pattern: None,
        formats: Vec::new(),
        aliases: Vec::new(),
        fallback_aliases: Vec::new(),
        default_when_empty: false,
        default: None,
        sensitive: false,
        description: None,
        reference: None,
        part_of: None,
        join: None,
        example: None,
    }
}

/// Proposes a definition, and a table that Loadbay makes, for files like the one that was seen. `key`
/// are headers of the file, or names of proposed columns.
///
/// # Errors
/// When the file has no rows, or no such column.
pub fn infer_from_file(
    seen: &FileColumns,
    name: &str,
    key: Option<&[String]>,
) -> Result<Proposal, ProposalFault> {
    if seen.rows == 0 {
        return Err(ProposalFault::NoRows);
    }
    let name = word(name);
    let mut proposal = Proposal {
        title: title_of(&name),
        table: name.clone(),
        create_table: true,
        ..Proposal::default()
    };
    let with_header = || seen.columns.iter().filter(|column| !column.header.is_empty());
    proposal.columns = with_header().map(proposed).collect();
    own_names(&mut proposal.columns);
    let found: Vec<&SeenColumn> = with_header().collect();
    proposal.key = match key {
        Some(asked) => asked_key(asked, &found, &proposal.columns)?,
        None => best_key(seen.rows, &found, &proposal.columns).into_iter().collect(),
    };
    for column in &mut proposal.columns {
        column.required = proposal.key.contains(&column.name);
    }
    proposal.candidates = candidates(seen.rows, &found, &proposal.columns);
    proposal.notes = notes(seen.rows, &found, &proposal);
    add_aliases(&mut proposal, &singular(&name));
    proposal.name = name;
    Ok(proposal)
}

fn proposed(column: &SeenColumn) -> ProposedColumn {
    let name = word(&column.header);
    let kind = column.kind();
    let decimals = column.decimals.clamp(2, 6);
    let is_own = OWN_FIELDS.contains(&name.as_str());
    ProposedColumn {
        field: is_own.then(|| format!("file_{name}")),
        title: column.header.clone(),
        kind: match kind {
            Some(ColumnType::Integer) => "integer".to_owned(),
            Some(ColumnType::Decimal { .. }) if decimals > 2 => format!("decimal(15,{decimals})"),
            Some(ColumnType::Decimal { .. }) => "decimal(12,2)".to_owned(),
            Some(ColumnType::Boolean) => "boolean".to_owned(),
            Some(ColumnType::Date) => "date".to_owned(),
            Some(ColumnType::DateTime) => "datetime".to_owned(),
            _ => String::new(),
        },
        max_length: match kind {
            None => LENGTHS
                .into_iter()
                .find(|length| column.longest * 3 / 2 <= *length)
                .and_then(|length| u32::try_from(length).ok()),
            Some(_) => None,
        },
        name,
        ..ProposedColumn::default()
    }
}

fn asked_key(
    asked: &[String],
    found: &[&SeenColumn],
    columns: &[ProposedColumn],
) -> Result<Vec<String>, ProposalFault> {
    let column = |name: &String| {
        let mut pairs = found.iter().zip(columns);
        let pair = pairs.find(|(it, column)| it.header == *name || column.name == *name);
        pair.map(|(_, column)| column.name.clone()).ok_or_else(|| ProposalFault::BadKey {
            key: asked.join(","),
            why: format!("the file has no column `{name}`"),
        })
    };
    asked.iter().map(column).collect()
}

/// The column that tells the rows apart: one whose name says so before another, else that with the
/// most values of its own.
fn best_key(rows: u64, found: &[&SeenColumn], columns: &[ProposedColumn]) -> Option<String> {
    let rank = |(it, column): &(&&SeenColumn, &ProposedColumn)| {
        let place =
            KEY_WORDS.iter().position(|wanted| column.name.split('_').any(|part| part == *wanted));
        // Days and prices are no names.
        let is_name = matches!(it.kind(), None | Some(ColumnType::Integer));
        let place = place.unwrap_or(KEY_WORDS.len());
        (!it.is_unique(rows), !is_name, place, u64::MAX - it.distinct.len() as u64)
    };
    found.iter().zip(columns).min_by_key(rank).map(|(_, column)| column.name.clone())
}

/// The columns by the share of rows that have a value of their own.
fn candidates(rows: u64, found: &[&SeenColumn], columns: &[ProposedColumn]) -> Vec<KeyCandidate> {
    let mut pairs: Vec<_> = found.iter().zip(columns).collect();
    pairs.sort_by(|(one, _), (other, _)| other.share(rows).total_cmp(&one.share(rows)));
    let candidate = |(it, column): (&&SeenColumn, &ProposedColumn)| {
        let (distinct, of) = it.distinct_of(rows);
        KeyCandidate { column: column.name.clone(), distinct, of }
    };
    pairs.into_iter().map(candidate).collect()
}

fn notes(rows: u64, found: &[&SeenColumn], proposal: &Proposal) -> Vec<String> {
    let mut shares: Vec<(f64, &str)> = found
        .iter()
        .zip(&proposal.columns)
        .map(|(it, column)| (it.share(rows), column.name.as_str()))
        .collect();
    shares.sort_by(|one, other| other.0.total_cmp(&one.0));
    let shares = shares.iter().take(CANDIDATES_SHOWN);
    let shares: Vec<String> = shares.map(|(share, name)| format!("{name} {share:.1} %")).collect();
    let mut notes = vec![format!(
        "Proposed from {rows} rows. Rows with a value of their own: {}.",
        shares.join(", ")
    )];
    let is_unique = |name: &String| {
        let mut pairs = found.iter().zip(&proposal.columns);
        pairs.any(|(it, column)| column.name == *name && it.is_unique(rows))
    };
    if !proposal.key.iter().any(is_unique) {
        notes.push(
            "No column alone tells all rows apart: of rows with the same key the last one counts."
                .to_owned(),
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(header: &[&str], rows: &[&[&str]]) -> FileColumns {
        let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
        let mut seen = FileColumns::new(&header);
        for cells in rows {
            let mut row = RawRow::new();
            for cell in *cells {
                row.push(CellKind::Text, cell);
            }
            seen.look(&row);
        }
        seen
    }

    #[test]
    fn types_and_the_key_follow_from_all_rows() {
        let header = ["Artikel", "Art.-Nr.", "Preis", "Menge", "Aktiv", "Seit", "PLZ", "id"];
        let seen = seen(
            &header,
            &[
                &["Birne", "A1", "1.234,50", "3", "ja", "2026-01-13", "01067", "1"],
                &["Apfel", "A2", "12,5", "1", "nein", "14.01.2026", "80331", "2"],
                &["Apfel", "A3", "", "1", "ja", "05/04/2026", "10115", "3"],
            ],
        );
        let proposal = infer_from_file(&seen, "Preisliste 2026", None).unwrap();
        let kinds: Vec<&str> = proposal.columns.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["", "", "decimal(12,2)", "integer", "boolean", "date", "", "integer"]);
        assert_eq!(
            (proposal.name.as_str(), proposal.key.join(",")),
            ("preisliste_2026", "art_nr".into())
        );
        let text = proposal.to_toml().unwrap();
        assert!(text.contains("field      = \"file_id\""), "{text}");
        assert!(text.contains("create_table = true"), "{text}");
        assert!(text.contains("artikel 66.7 %"), "{text}");
        let asked = ["Artikel".to_owned(), "Menge".to_owned()];
        let proposal = infer_from_file(&seen, "x", Some(&asked)).unwrap();
        assert_eq!(proposal.key, ["artikel", "menge"]);
        assert_eq!(infer_from_file(&FileColumns::new(&[]), "x", None), Err(ProposalFault::NoRows));
    }
}
