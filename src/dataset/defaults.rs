//! The defaults of a job's columns, filled into the records whose rows have no value. What a default is
//! follows from the job and the row alone, so that every run of the job makes the same.

use super::cell_rules::CellRules;
use super::key_text::write_key;
use super::messages;
use super::model::{Column, ColumnDefault, ColumnType, Dataset, LetterCase};
use super::plan::Plan;
use super::replacements::ReferenceReplacements;
use super::value::{self, CellContext, Scratch};
use crate::domain::record::{Records, Value};
use crate::domain::row::{CellKind, RawRow};
use crate::domain::row_error::RowError;

/// The defaults of a plan's columns.
#[derive(Debug)]
pub(super) struct Defaults {
    columns: Vec<DefaultOfColumn>,
    rules: CellRules,
    text: String,
    scratch: Scratch,
}

/// The default of one value of a record.
#[derive(Debug)]
struct DefaultOfColumn {
    /// Which value of a record.
    value: usize,
    /// The dataset's column.
    column: usize,
    source: DefaultSource,
}

#[derive(Debug)]
enum DefaultSource {
    /// What the definition says is all that is needed.
    Definition,
    /// Another value of the record, of this column of the dataset.
    Other { value: usize, column: usize, case: LetterCase },
}

impl Defaults {
    pub(super) fn new(dataset: &Dataset, plan: &Plan) -> Self {
        let fed = plan.columns.iter().enumerate();
        let of_column = |(value, column): (usize, &usize)| {
            let source = match dataset.columns.get(*column)?.default.as_ref()? {
                ColumnDefault::Column { name, case } => {
                    let other = dataset.column_index(name)?;
                    // Without a column of the file there is nothing to take.
                    let value = plan.columns.iter().position(|column| *column == other)?;
                    DefaultSource::Other { value, column: other, case: *case }
                }
                ColumnDefault::Constant(_) | ColumnDefault::Now | ColumnDefault::Uuid => {
                    DefaultSource::Definition
                }
            };
            Some(DefaultOfColumn { value, column: *column, source })
        };
        Self {
            columns: fed.filter_map(of_column).collect(),
            rules: CellRules::of_definition(),
            text: String::new(),
            scratch: Scratch::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Fills the record under construction, which has all of its other values.
    pub(super) fn fill(
        &mut self,
        dataset: &Dataset,
        (rules, replacements): (&CellRules, &ReferenceReplacements),
        row: &RawRow,
        records: &mut Records,
        errors: &mut Vec<RowError>,
    ) {
        let Self { columns, rules: plain, text, scratch } = self;
        for default in columns {
            let Some(column) = dataset.columns.get(default.column) else { continue };
            if records.value(records.len(), default.value) != Value::Absent {
                continue;
            }
            match default.source {
                DefaultSource::Definition => {
                    fill_by_definition(column, default, (rules, replacements), row, records);
                }
                DefaultSource::Other { value, column: other, case } => {
                    text.clear();
                    let other = dataset.columns.get(other).filter(|other| {
                        write_key(other, records.value(records.len(), value), text)
                    });
                    if other.is_none() {
                        continue;
                    }
                    let cased = case.of(text);
                    let context = CellContext { column, is_key: false, rules: plain };
                    match value::convert(context, &cased, CellKind::Text, scratch) {
                        Ok(taken) => match replacements.of(default.column, taken) {
                            Value::Null | Value::Absent => {}
                            meant => records.fill(default.value, meant),
                        },
                        Err(fault) => {
                            errors.push(messages::cell_error(row, column, &cased, fault));
                        }
                    }
                }
            }
        }
    }
}

fn fill_by_definition(
    column: &Column,
    default: &DefaultOfColumn,
    (rules, replacements): (&CellRules, &ReferenceReplacements),
    row: &RawRow,
    records: &mut Records,
) {
    let (job, value) = (&rules.job, default.value);
    match &column.default {
        Some(ColumnDefault::Constant(constant)) => {
            let meant = replacements.of(default.column, constant.value());
            if !meant.is_empty() {
                records.fill(value, meant);
            }
        }
        Some(ColumnDefault::Now) if column.kind == ColumnType::Date => {
            records.fill(value, Value::Date(job.created_at.date_naive()));
        }
        Some(ColumnDefault::Now) => records.fill(value, Value::DateTime(job.created_at)),
        Some(ColumnDefault::Uuid) => {
            let uuid = job.uuid_of(row.row_number, &column.name).to_string();
            records.fill(value, Value::Text(&uuid));
        }
        Some(ColumnDefault::Column { .. }) | None => {}
    }
}
