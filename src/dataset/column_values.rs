//! Values of columns that are no cells: those of an upload's scope, and the one that stands for a record
//! that is gone. Each is read once, by the rules of its column.

use super::cell_rules::CellRules;
use super::messages::message;
use super::model::{ColumnType, Dataset};
use super::value::{self, CellContext, Scratch};
use crate::domain::record::{Records, Value};
use crate::domain::row::CellKind;
use crate::domain::row_number::RowNumber;

/// Columns of a dataset, each with one value.
#[derive(Debug, Clone, Default)]
pub struct ColumnValues {
    columns: Vec<usize>,
    /// One record, of these columns.
    values: Records,
}

/// Why a column cannot have a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// The dataset has no such column.
    #[error("dataset `{dataset}` has no column `{column}`")]
    NoColumn {
        /// The dataset.
        dataset: String,
        /// The name.
        column: String,
    },
    /// Two of its values may be the same and look different.
    #[error("column `{column}` holds JSON or lists, which cannot be compared")]
    NotComparable {
        /// The column.
        column: String,
    },
    /// The column does not take it.
    #[error("column `{column}`: {why}")]
    Refused {
        /// The column.
        column: String,
        /// Why, in a sentence.
        why: String,
    },
}

impl ColumnValues {
    /// Reads the values of columns, which are called by their names.
    ///
    /// # Errors
    /// The first name or value that the dataset does not have or take.
    pub fn read<'t>(
        dataset: &Dataset,
        texts: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Result<Self, ValueFault> {
        let texts: Vec<_> = texts.into_iter().collect();
        let mut this = Self { columns: Vec::new(), values: Records::new(texts.len()) };
        let (rules, mut scratch) = (CellRules::of_definition(), Scratch::default());
        for (name, text) in texts {
            let found = dataset.column_index(name);
            let Some((index, column)) = found.and_then(|it| Some((it, dataset.columns.get(it)?)))
            else {
                let (dataset, column) = (dataset.name.clone(), name.to_owned());
                return Err(ValueFault::NoColumn { dataset, column });
            };
            if matches!(column.kind, ColumnType::Json | ColumnType::List) {
                return Err(ValueFault::NotComparable { column: name.to_owned() });
            }
            let context = CellContext { column, is_key: true, rules: &rules };
            match value::convert(context, text, CellKind::Text, &mut scratch) {
                Ok(value) if !value.is_empty() => this.values.push(value),
                Ok(_) => {
                    let (column, why) =
                        (name.to_owned(), "it takes a value, not nothing".to_owned());
                    return Err(ValueFault::Refused { column, why });
                }
                Err(fault) => {
                    let why = message(column, text.trim(), text, fault);
                    return Err(ValueFault::Refused { column: name.to_owned(), why });
                }
            }
            this.columns.push(index);
        }
        if !this.columns.is_empty() {
            this.values.finish(RowNumber::NONE);
        }
        Ok(this)
    }

    /// Each column with its value.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Value<'_>)> {
        self.columns.iter().enumerate().map(|(at, column)| (*column, self.values.value(0, at)))
    }

    /// The value of a column.
    #[must_use]
    pub fn of(&self, column: usize) -> Option<Value<'_>> {
        self.iter().find(|(index, _)| *index == column).map(|(_, value)| value)
    }

    /// True without any column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// True when a row may have this value in the column. A name of another record is the same in any
    /// letter case.
    #[must_use]
    pub fn takes(&self, dataset: &Dataset, column: usize, value: Value<'_>) -> bool {
        let Some(wanted) = self.of(column) else { return true };
        let is_reference = dataset.columns.get(column).is_some_and(|it| it.reference.is_some());
        match (wanted, value) {
            (Value::Text(wanted), Value::Text(text)) if is_reference => {
                wanted == text || wanted.to_lowercase() == text.to_lowercase()
            }
            (wanted, value) => wanted == value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Datasets;

    #[test]
    fn values_are_read_as_those_of_cells() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let scope = [("is_active", "no"), ("cost_price", "1.5"), ("brand", "Acme")];
        let values = ColumnValues::read(dataset, scope).unwrap();
        let of = |name| values.of(dataset.column_index(name).unwrap());
        assert_eq!(of("is_active"), Some(Value::Boolean(false)));
        assert_eq!(of("cost_price"), Some(Value::Decimal(150)));
        let brand = dataset.column_index("brand").unwrap();
        assert!(values.takes(dataset, brand, Value::Text("ACME")));
        assert!(!values.takes(dataset, brand, Value::Null));
        let fault =
            |name, text| ColumnValues::read(dataset, [(name, text)]).unwrap_err().to_string();
        assert_eq!(fault("colour", "red"), "dataset `products` has no column `colour`");
        assert!(fault("cost_price", "much").starts_with("column `cost_price`: `much` is not"));
        assert!(fault("brand", " ").contains("not nothing"));
    }
}
