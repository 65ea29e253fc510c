//! Values of columns that are no cells: those of an upload's scope, and the one that stands for a record
//! that is gone. Each is read once, by the rules of its column.

use super::constant::Constant;
use super::constants;
use super::model::{ColumnType, Dataset};
use crate::domain::record::Value;

/// Columns of a dataset, each with one value.
#[derive(Debug, Clone, Default)]
pub struct ColumnValues(Vec<(usize, Constant)>);

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
    /// It names records of another table together with other columns.
    #[error("column `{column}` names records together with other columns; name another column")]
    NamedTogether {
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
        let value = |(name, text): (&str, &str)| {
            let column = name.to_owned();
            let index = dataset.column_index(name);
            let Some((index, found)) = index.and_then(|it| Some((it, dataset.columns.get(it)?)))
            else {
                return Err(ValueFault::NoColumn { dataset: dataset.name.clone(), column });
            };
            let is_several = found.reference.as_ref().is_some_and(|it| !it.also.is_empty());
            if is_several || found.part_of.is_some() {
                return Err(ValueFault::NamedTogether { column });
            }
            if matches!(found.kind, ColumnType::Json | ColumnType::List) {
                return Err(ValueFault::NotComparable { column });
            }
            match constants::read(found, true, text) {
                Ok(constant) if !constant.value().is_empty() => Ok((index, constant)),
                Ok(_) => {
                    let why = "it takes a value, not nothing".to_owned();
                    Err(ValueFault::Refused { column, why })
                }
                Err(why) => Err(ValueFault::Refused { column, why }),
            }
        };
        texts.into_iter().map(value).collect::<Result<_, _>>().map(Self)
    }

    /// Each column with its value.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Value<'_>)> {
        self.0.iter().map(|(column, constant)| (*column, constant.value()))
    }

    /// The value of a column.
    #[must_use]
    pub fn of(&self, column: usize) -> Option<Value<'_>> {
        self.iter().find(|(index, _)| *index == column).map(|(_, value)| value)
    }

    /// True without any column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
