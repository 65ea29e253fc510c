//! Values that an upload sets for every row: a column that the file does not have, such as the channel
//! that a list of orders came from.
//!
//! They are read like texts of a definition, never by what the file proves about its numbers and dates: what
//! they mean is known before the file is.

use std::collections::BTreeMap;

use super::cell_rules::CellRules;
use super::constant::Constant;
use super::header::form::column_named;
use super::messages::{message, visible};
use super::model::{Column, Dataset};
use super::names::listed;
use super::value::{self, CellContext, Scratch};
use crate::domain::record::Value;
use crate::domain::row::CellKind;

/// Why the option `set` cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstantFault {
    /// `set` names a column that the dataset does not have.
    #[error(
        "`set` names the column `{column}`, which the dataset does not have; its columns are {}",
        listed(columns.iter().map(String::as_str))
    )]
    NoColumn {
        /// The column as `set` has it.
        column: String,
        /// The names of the dataset's columns.
        columns: Vec<String>,
    },
    /// `set` has a value that its column does not take.
    #[error("`set` has a value that the column `{column}` does not take: {message}")]
    Value {
        /// The title of the column.
        column: String,
        /// What is wrong with the value.
        message: String,
    },
    /// `set` names a column whose values are shown to nobody; those of `set` are stored with the job.
    #[error(
        "`set` names the column `{column}`, which is sensitive: the values of `set` are shown with the job; \
         put them into the file"
    )]
    Sensitive {
        /// The title of the column.
        column: String,
    },
    /// `set` names a column by its name and by its title.
    #[error("`set` names the column `{column}` twice; leave one of them out")]
    Twice {
        /// The title of the column.
        column: String,
    },
}

/// The value of `text` in `column`; the fault as a sentence.
pub(super) fn read(column: &Column, is_key: bool, text: &str) -> Result<Constant, String> {
    let rules = CellRules::of_definition();
    let mut scratch = Scratch::default();
    let context = CellContext { column, is_key, rules: &rules };
    let value = value::convert(context, text, CellKind::Text, &mut scratch)
        .map_err(|fault| message(column, &visible(text.trim()), text, fault))?;
    let value = match value {
        Value::Text(clean) => return Ok(Constant::of_text(clean.to_owned())),
        Value::Null if column.empty_is_default() => Value::Absent,
        Value::Null => Value::Null,
        Value::Absent => Value::Absent,
        Value::Integer(number) => Value::Integer(number),
        Value::Decimal(units) => Value::Decimal(units),
        Value::Boolean(flag) => Value::Boolean(flag),
        Value::Date(day) => Value::Date(day),
        Value::DateTime(time) => Value::DateTime(time),
    };
    Ok(Constant::of_value(text.trim().to_owned(), value))
}

/// The constants of an upload: indexes of columns, ascending, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constants(BTreeMap<usize, Constant>);

impl Constants {
    /// Reads `set`, name or title of a column → its text, and gives what is wrong with it.
    pub(super) fn read(
        dataset: &Dataset,
        set: &BTreeMap<String, String>,
    ) -> (Self, Vec<ConstantFault>) {
        let (mut constants, mut faults) = (BTreeMap::new(), Vec::new());
        for (name, text) in set {
            let found = column_named(dataset, name);
            let Some((index, column)) = found.and_then(|at| Some((at, dataset.columns.get(at)?)))
            else {
                let columns = dataset.columns.iter().map(|column| column.name.clone()).collect();
                faults.push(ConstantFault::NoColumn { column: visible(name), columns });
                continue;
            };
            if column.sensitive {
                faults.push(ConstantFault::Sensitive { column: column.title.clone() });
                continue;
            }
            match read(column, dataset.key.contains(&index), text) {
                Ok(constant) => {
                    if constants.insert(index, constant).is_some() {
                        let column = column.title.clone();
                        faults.push(ConstantFault::Twice { column });
                    }
                }
                Err(message) => {
                    let column = column.title.clone();
                    faults.push(ConstantFault::Value { column, message });
                }
            }
        }
        (Self(constants), faults)
    }

    /// True when the upload sets the column.
    #[must_use]
    pub fn has(&self, column: usize) -> bool {
        self.0.contains_key(&column)
    }

    /// The value of a column, if the upload sets it.
    #[must_use]
    pub fn get(&self, column: usize) -> Option<&Constant> {
        self.0.get(&column)
    }

    /// Each column with its value.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Constant)> {
        self.0.iter().map(|(column, constant)| (*column, constant))
    }
}
