//! Rows → records: every mapped cell converted, every fault of the row collected.

use std::sync::Arc;

use super::cell_rules::CellRules;
use super::column_values::ColumnValues;
use super::constant::Constant;
use super::defaults::Defaults;
use super::header::normal_form;
use super::key_text::write_key;
use super::messages;
use super::model::{Column, ColumnType, Dataset};
use super::no_data::{self, FileColumn, letter, without_mark};
use super::plan::{Plan, ValueSource};
use super::reference_parts::ReferenceParts;
use super::replacements::ReferenceReplacements;
use super::value::{self, CellContext, Scratch};
use crate::domain::limits::ERRORS_PER_ROW_MAX;
use crate::domain::record::{Records, Value};
use crate::domain::row::{CellKind, RawRow};
use crate::domain::row_error::RowError;
use crate::domain::warning::{WarningCode, Warnings};

/// Between the parts of a key; as a control character it can stand in no key's text.
const KEY_SEPARATOR: char = '\u{1f}';

/// Text bytes that the probe record of [`Converter::accepts`] may pile up before it starts anew.
const PROBE_BYTES_MAX: usize = 1 << 20;

/// One value of a record that a cell feeds.
#[derive(Debug, Clone, Copy)]
struct ColumnFeed {
    column: usize,
    cell: usize,
    is_key: bool,
    /// The header feeds the column for lack of a better one, such as a sale price the selling price:
    /// an empty cell leaves the stored value alone.
    is_fallback: bool,
}

/// One value of a record.
#[derive(Debug, Clone)]
enum Feed {
    /// A cell of the row.
    Cell(ColumnFeed),
    /// The upload, the same in every row.
    Constant(usize, Constant),
    /// Nothing.
    Default,
}

impl Feed {
    fn cell(&self) -> Option<&ColumnFeed> {
        if let Self::Cell(feed) = self { Some(feed) } else { None }
    }
}

/// Converts the rows of one job. One for each thread; its buffers are filled again and again, so
/// that a good row allocates nothing.
#[derive(Debug)]
pub struct Converter {
    dataset: Arc<Dataset>,
    feeds: Vec<Feed>,
    /// What new records get where a row has no value.
    defaults: Defaults,
    /// The parts of the key, each with its column.
    key: Vec<(usize, Feed)>,
    header_len: usize,
    /// The columns of the file; without them no row is known to have no data.
    file_columns: Vec<FileColumn>,
    /// The first letters of their headers.
    header_letters: u32,
    rules: CellRules,
    /// The cells of which the upload takes one value only.
    only: Vec<(ColumnFeed, String)>,
    /// The cells that name records together with others.
    parts: ReferenceParts,
    /// Names of records that mean others.
    replacements: ReferenceReplacements,
    /// The values of the rows that are in scope.
    scope: ColumnValues,
    scratch: Scratch,
    /// The items of a list of which some are replaced.
    list: String,
    probe: Records,
    warnings: Vec<RowWarning>,
}

/// What a person should see of the row that was converted last.
#[derive(Debug, Clone, Copy)]
struct RowWarning {
    code: WarningCode,
    /// The cell, if it is one cell's.
    feed: Option<ColumnFeed>,
}

impl Converter {
    /// A converter for files of this plan.
    #[must_use]
    pub fn new(dataset: &Arc<Dataset>, plan: &Plan, rules: CellRules) -> Self {
        // An upload with replacements that cannot be read is refused.
        let replacements = ReferenceReplacements::read(dataset, &rules.replace).unwrap_or_default();
        let feed = |(&column, source): (&usize, &ValueSource)| match source {
            ValueSource::Constant(constant) => {
                Feed::Constant(column, replacements.of_constant(column, constant))
            }
            ValueSource::Default => Feed::Default,
            ValueSource::Cell(cell) => Feed::Cell(ColumnFeed {
                column,
                cell: *cell,
                is_key: dataset.key.contains(&column),
                is_fallback: false,
            }),
        };
        let feeds: Vec<Feed> = plan.columns.iter().zip(&plan.sources).map(feed).collect();
        let column_of = |feed: &ColumnFeed| dataset.columns.get(feed.column);
        let only = feeds.iter().filter_map(Feed::cell).filter_map(|feed| {
            let value = rules.only.get(&column_of(feed)?.name)?;
            Some((*feed, value.clone()))
        });
        let only = only.collect();
        let part = |index: &usize| Some((*plan.columns.get(*index)?, feeds.get(*index)?.clone()));
        let scope = rules.scope.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // An upload with a scope that cannot be read is refused.
        let scope = ColumnValues::read(dataset, scope).unwrap_or_default();
        Self {
            dataset: Arc::clone(dataset),
            defaults: Defaults::new(dataset, plan),
            only,
            parts: ReferenceParts::new(plan),
            replacements,
            scope,
            key: plan.key.iter().filter_map(part).collect(),
            feeds,
            header_len: plan.header_len,
            file_columns: Vec::new(),
            header_letters: 0,
            rules,
            scratch: Scratch::default(),
            list: String::new(),
            probe: Records::new(plan.width()),
            warnings: Vec::new(),
        }
    }

    /// The same converter for a file with this header: it knows [rows without data](Self::skips).
    #[must_use]
    pub fn with_header(mut self, header: &[String]) -> Self {
        for feed in &mut self.feeds {
            let Feed::Cell(feed) = feed else { continue };
            let (column, header) = (self.dataset.columns.get(feed.column), header.get(feed.cell));
            feed.is_fallback = column.zip(header).is_some_and(|(column, header)| {
                let form = normal_form(header);
                column.fallback_aliases.iter().any(|alias| normal_form(alias) == form)
            });
        }
        let file_column = |(cell, header): (usize, &String)| {
            let feed = self.feeds.iter().filter_map(Feed::cell).find(|feed| feed.cell == cell);
            let column = feed.and_then(|feed| self.dataset.columns.get(feed.column));
            FileColumn {
                header: without_mark(header).to_owned(),
                is_fed: feed.is_some() || self.parts.column_of(cell).is_some(),
                is_boolean: column.is_some_and(|column| column.kind == ColumnType::Boolean),
            }
        };
        self.file_columns = header.iter().enumerate().map(file_column).collect();
        let letters = self.file_columns.iter().map(|column| letter(&column.header));
        self.header_letters = letters.fold(0, |all, letter| all | letter);
        self
    }

    /// True for a row that is a header again, but in another order.
    fn is_other_header(&self, row: &RawRow) -> bool {
        let Some((key, _)) = self.first_key_cell().and_then(|cell| row.cell(cell)) else {
            return false;
        };
        // Most keys differ in their first letter.
        if self.header_letters & letter(key) == 0 {
            return false;
        }
        let is_name = |column: &FileColumn| column.header.len() == key.len();
        self.file_columns.iter().any(is_name) && no_data::is_other_header(row, &self.file_columns)
    }

    /// The first part of the key that the file has.
    fn first_key_cell(&self) -> Option<usize> {
        self.key.iter().find_map(|(_, feed)| feed.cell()).map(|feed| feed.cell)
    }

    /// Values of each record.
    #[must_use]
    pub fn width(&self) -> usize {
        self.feeds.len()
    }

    /// Why the row is passed over, as if it were blank: it is the header once more, or holds nothing
    /// but defaults. With `strict` such a row is passed over by nothing and fails.
    #[must_use]
    pub fn skips(&self, row: &RawRow) -> Option<WarningCode> {
        if row.is_hidden && self.rules.skips_hidden {
            return Some(WarningCode::HiddenRows);
        }
        if self.rules.strict { None } else { self.without_data(row) }
    }

    fn without_data(&self, row: &RawRow) -> Option<WarningCode> {
        let key = self.first_key_cell()?;
        let header = &self.file_columns.get(key)?.header;
        let text_at = |cell| row.cell(cell).map_or("", |(text, _)| text);
        // Most rows differ in the first letter of their key.
        let text = text_at(key);
        let (first, of_header) = (text.bytes().next(), header.bytes().next());
        if first.is_some_and(|first| !first.is_ascii_whitespace() && first < 0x80)
            && !matches!((first, of_header), (Some(a), Some(b)) if a.eq_ignore_ascii_case(&b))
        {
            return None;
        }
        let is_blank = |feed: &ColumnFeed| text_at(feed.cell).trim().is_empty();
        if self.key.iter().filter_map(|(_, feed)| feed.cell()).all(is_blank) {
            let is_default = no_data::is_default(row, &self.file_columns);
            return is_default.then_some(WarningCode::DefaultRows);
        }
        no_data::is_header(row, &self.file_columns).then_some(WarningCode::RepeatedHeader)
    }

    /// Counts the warnings of the row that was converted last.
    pub fn count_warnings(&self, row: &RawRow, warnings: &mut Warnings) {
        for RowWarning { code, feed } in &self.warnings {
            let column = feed.and_then(|feed| self.dataset.columns.get(feed.column));
            let value = feed.and_then(|feed| row.cell(feed.cell)).map(|(text, _)| text.trim());
            let value = value.map(|text| column.map_or(text, |column| column.shown(text)));
            let column = column.map(|column| column.name.as_str());
            warnings.add(*code, column, Some(row.row_number), value);
        }
    }

    /// Appends the row's record to `records`, which must be as wide as the plan.
    ///
    /// # Errors
    /// Every fault of the row, the first [`ERRORS_PER_ROW_MAX`] of them; `records` stays as it was.
    pub fn convert(&mut self, row: &RawRow, records: &mut Records) -> Result<(), Vec<RowError>> {
        if let Some(fault) = &row.fault {
            return Err(vec![messages::row_fault(&self.dataset, row, self.header_len, fault)]);
        }
        if let Some(error) = self.other_value(row) {
            // Nobody asks what else is wrong with it.
            return Err(vec![error]);
        }
        let without_data = if self.rules.strict { self.without_data(row) } else { None };
        let is_other_header = without_data.is_none() && self.is_other_header(row);
        let Self { dataset, feeds, rules, warnings, .. } = self;
        warnings.clear();
        warnings.extend(row.warning.map(|code| RowWarning { code, feed: None }));
        let mut errors = Vec::new();
        let is_ragged = row.len() != self.header_len;
        if is_ragged {
            shape_errors(dataset, feeds, self.header_len, row, &mut errors);
        }
        let is_short = || feeds.iter().filter_map(Feed::cell).any(|feed| feed.cell >= row.len());
        if is_ragged && !rules.rows_are_whole && is_short() {
            warnings.push(RowWarning { code: WarningCode::ShortRow, feed: None });
        }
        if row.is_hidden {
            warnings.push(RowWarning { code: WarningCode::HiddenRows, feed: None });
        }
        self.push_values(row, records, &mut errors);
        if let Some(key) = single(&self.key).filter(|key| no_data::is_total(row, key.cell)) {
            errors.push(messages::total_row(row, key.cell));
        }
        if is_other_header {
            errors.push(messages::other_header(row));
        }
        errors.extend(without_data.map(|code| messages::strict(row, None, None, code)));
        if self.rules.strict {
            let room = ERRORS_PER_ROW_MAX.saturating_sub(errors.len());
            errors.extend(self.warnings.iter().take(room).map(|it| self.strict(row, *it)));
        }
        if errors.is_empty() {
            records.finish(row.row_number);
            Ok(())
        } else {
            records.abandon();
            Err(errors)
        }
    }

    /// Appends the values of the row; a faulty one is a row error.
    fn push_values(&mut self, row: &RawRow, records: &mut Records, errors: &mut Vec<RowError>) {
        let Self {
            dataset,
            feeds,
            defaults,
            parts,
            replacements,
            scope,
            scratch,
            list,
            rules,
            warnings,
            ..
        } = self;
        let has_scope = !scope.is_empty();
        for feed in feeds.iter() {
            let feed = match feed {
                Feed::Cell(feed) => feed,
                Feed::Constant(column, constant) => {
                    let value = constant.value();
                    records.push(parts.join(dataset, (rules, row), *column, value, errors));
                    continue;
                }
                Feed::Default => {
                    records.push(Value::Absent);
                    continue;
                }
            };
            let Some(column) = dataset.columns.get(feed.column) else { continue };
            let Some((raw, kind)) = cell_for(row, feed.cell, column) else {
                if has_scope && !scope.takes(dataset, feed.column, Value::Absent) {
                    errors.push(messages::out_of_scope(row, column, ""));
                }
                let is_null = rules.rows_are_whole && !column.empty_is_default();
                records.push(if is_null { Value::Null } else { Value::Absent });
                continue;
            };
            let context = CellContext { column, is_key: feed.is_key, rules };
            match value::convert(context, raw, kind, scratch) {
                Ok(value) => {
                    let value = replacements.of_cell(feed.column, value, list);
                    if has_scope && !scope.takes(dataset, feed.column, value) {
                        errors.push(messages::out_of_scope(row, column, raw));
                    }
                    let value = parts.join(dataset, (rules, row), feed.column, value, errors);
                    let keeps = feed.is_fallback || column.empty_is_default();
                    records.push(if keeps && value == Value::Null { Value::Absent } else { value });
                }
                Err(fault) => {
                    records.push(Value::Null);
                    if errors.len() < ERRORS_PER_ROW_MAX {
                        errors.push(messages::cell_error(row, column, raw, fault));
                    }
                }
            }
            for &code in &scratch.warnings {
                warnings.push(RowWarning { code, feed: Some(*feed) });
            }
            if row.repeated().contains(&feed.cell) {
                warnings.push(RowWarning { code: WarningCode::MergedCells, feed: Some(*feed) });
            }
        }
        if errors.is_empty() && !defaults.is_empty() {
            defaults.fill(dataset, (rules, replacements), row, records, errors);
        }
    }

    /// The row error that a warning is under `strict=true`.
    fn strict(&self, row: &RawRow, warning: RowWarning) -> RowError {
        let column = warning.feed.and_then(|feed| self.dataset.columns.get(feed.column));
        let value = warning.feed.and_then(|feed| row.cell(feed.cell)).map(|(text, _)| text);
        messages::strict(row, column, value, warning.code)
    }

    /// The row error of a row with another value than the one that the upload takes. A row without a
    /// value is taken.
    fn other_value(&self, row: &RawRow) -> Option<RowError> {
        self.only.iter().find_map(|(feed, only)| {
            let column = self.dataset.columns.get(feed.column)?;
            let (text, _) = row.cell(feed.cell)?;
            let text = text.trim();
            let is_taken = text.is_empty() || text.to_lowercase() == only.to_lowercase();
            (!is_taken).then(|| messages::other_value(row, column, text, only))
        })
    }

    /// True when [`Converter::convert`] would take the row.
    pub fn accepts(&mut self, row: &RawRow) -> bool {
        let mut probe = std::mem::take(&mut self.probe);
        if probe.text_bytes() > PROBE_BYTES_MAX || probe.width() != self.feeds.len() {
            probe = Records::new(self.feeds.len());
        }
        let is_good = self.convert(row, &mut probe).is_ok();
        self.probe = probe;
        is_good
    }

    /// Appends the row's key to `keys`, a value for each part, as the record would hold it.
    ///
    /// False when a part is empty, missing or invalid.
    pub fn key_record(&mut self, row: &RawRow, keys: &mut Records) -> bool {
        if row.fault.is_some() || keys.width() != self.key.len() {
            return false;
        }
        for (column, feed) in &self.key {
            let Some(column) = self.dataset.columns.get(*column) else { continue };
            let value = match feed {
                Feed::Constant(_, constant) => Some(constant.value()),
                Feed::Default => None,
                Feed::Cell(feed) => cell_for(row, feed.cell, column).and_then(|(raw, kind)| {
                    let context = CellContext { column, is_key: true, rules: &self.rules };
                    value::convert(context, raw, kind, &mut self.scratch).ok()
                }),
            };
            match value {
                Some(value) if !value.is_empty() => keys.push(value),
                _ => {
                    keys.abandon();
                    return false;
                }
            }
        }
        keys.finish(row.row_number);
        true
    }

    /// Writes the row's key to `key`, in the form in which equal keys are equal texts: each part as
    /// the record holds it, joined with U+001F.
    ///
    /// False when a part is empty, missing or invalid: such a row is nobody's duplicate.
    pub fn key(&mut self, row: &RawRow, key: &mut String) -> bool {
        key.clear();
        if row.fault.is_some() {
            return false;
        }
        for (index, (column, feed)) in self.key.iter().enumerate() {
            let Some(column) = self.dataset.columns.get(*column) else { return false };
            let value = match feed {
                Feed::Constant(_, constant) => constant.value(),
                Feed::Default => return false,
                Feed::Cell(feed) => {
                    let Some((raw, kind)) = cell_for(row, feed.cell, column) else { return false };
                    let context = CellContext { column, is_key: true, rules: &self.rules };
                    match value::convert(context, raw, kind, &mut self.scratch) {
                        Ok(value) => value,
                        Err(_) => return false,
                    }
                }
            };
            if index > 0 {
                key.push(KEY_SEPARATOR);
            }
            if !write_key(column, value, key) {
                return false;
            }
        }
        true
    }
}

/// The only part of the key, if it is a cell.
fn single(key: &[(usize, Feed)]) -> Option<&ColumnFeed> {
    if let [(_, only)] = key { only.cell() } else { None }
}

/// The cell that feeds `column`: of a number with words around it the number, where the column takes
/// numbers.
fn cell_for<'a>(row: &'a RawRow, cell: usize, column: &Column) -> Option<(&'a str, CellKind)> {
    let (text, kind) = row.cell(cell)?;
    let CellKind::Labelled { decimals } = kind else { return Some((text, kind)) };
    let takes_numbers = matches!(column.kind, ColumnType::Integer | ColumnType::Decimal { .. });
    let Some(number) = row.number(cell).filter(|_| takes_numbers) else {
        return Some((text, CellKind::Labelled { decimals: None }));
    };
    let kind = decimals.map_or(CellKind::Number, |decimals| CellKind::RoundedNumber { decimals });
    Some((number, kind))
}

/// The faults of a row that has fewer or more cells than the header.
fn shape_errors(
    dataset: &Dataset,
    feeds: &[Feed],
    header_len: usize,
    row: &RawRow,
    errors: &mut Vec<RowError>,
) {
    let missing: Vec<&str> = feeds
        .iter()
        .filter_map(Feed::cell)
        .filter(|feed| feed.cell >= row.len())
        .filter_map(|feed| dataset.columns.get(feed.column))
        .filter(|column| column.required)
        .map(|column| column.title.as_str())
        .collect();
    if !missing.is_empty() {
        errors.push(messages::missing_columns(row, header_len, &missing));
    }
    let outside = row.cells().skip(header_len).find(|(text, _)| !text.trim().is_empty());
    if let Some((text, _)) = outside {
        errors.push(messages::too_many_columns(dataset, row, header_len, text));
    }
}

#[cfg(test)]
mod tests;
