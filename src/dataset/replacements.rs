//! Names that an upload merges: what the file calls a record of another table → the record that is meant.
//! Applied to what a row names before the record is looked up, so that a slip makes no record of its own.

use std::collections::{BTreeMap, HashMap};

use super::constant::Constant;
use super::constants;
use super::header::form::column_named;
use super::messages::visible;
use super::model::{Column, Dataset};
use super::names::listed;
use crate::domain::options;
use crate::domain::record::Value;

/// Why the option `replace` cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplacementFault {
    /// The column is not there, or its cells name no records.
    #[error(
        "`replace` names the column `{column}`, whose cells alone name no records of another table; {}",
        Possible(columns)
    )]
    NoReference {
        /// The column as `replace` has it.
        column: String,
        /// The names of the columns whose cells name records.
        columns: Vec<String>,
    },
    /// A name that the column cannot hold.
    #[error("`replace` has a name that the column `{column}` does not take: {message}")]
    Value {
        /// The title of the column.
        column: String,
        /// What is wrong with the name.
        message: String,
    },
    /// The same name twice, in other letters.
    #[error("`replace` has two names for `{name}` of the column `{column}`; leave one of them out")]
    Twice {
        /// The title of the column.
        column: String,
        /// The name in the file.
        name: String,
    },
}

struct Possible<'a>(&'a [String]);

impl std::fmt::Display for Possible<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            [] => f.write_str("the dataset has no such column"),
            columns => {
                write!(f, "those that do are {}", listed(columns.iter().map(String::as_str)))
            }
        }
    }
}

/// The replacements of an upload: index of the column → name in small letters → what is meant.
#[derive(Debug, Clone, Default)]
pub struct ReferenceReplacements(HashMap<usize, HashMap<String, Constant>>);

impl ReferenceReplacements {
    /// Reads `replace`, in which columns have their names or titles.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(
        dataset: &Dataset,
        replace: &options::Replacements,
    ) -> Result<Self, Vec<ReplacementFault>> {
        let (mut replacements, mut faults) = (Self::default(), Vec::new());
        for (name, names) in replace {
            let found = column_named(dataset, name);
            let found = found.and_then(|at| Some((at, dataset.columns.get(at)?)));
            match found.filter(|(_, column)| can_be_replaced(column)) {
                Some((at, column)) => replacements.add(at, column, names, &mut faults),
                None => faults.push(ReplacementFault::NoReference {
                    column: visible(name),
                    columns: references(dataset),
                }),
            }
        }
        if faults.is_empty() { Ok(replacements) } else { Err(faults) }
    }

    fn add(
        &mut self,
        at: usize,
        column: &Column,
        names: &BTreeMap<String, String>,
        faults: &mut Vec<ReplacementFault>,
    ) {
        let refused = |message| ReplacementFault::Value { column: column.title.clone(), message };
        let of_column = self.0.entry(at).or_default();
        for (from, to) in names {
            // Both as a cell would be: trimmed, in NFC, no longer than the column.
            let read = |text| constants::read(column, false, text);
            match (read(from), read(to)) {
                (Ok(from), Ok(to)) => {
                    if of_column.insert(from.text().to_lowercase(), to).is_some() {
                        let (column, name) = (column.title.clone(), visible(from.text()));
                        faults.push(ReplacementFault::Twice { column, name });
                    }
                }
                (Err(message), _) | (_, Err(message)) => faults.push(refused(message)),
            }
        }
    }

    /// What a value of the column means. Without replacements, which is usual, nothing is looked up.
    #[inline]
    pub(super) fn of<'a>(&'a self, column: usize, value: Value<'a>) -> Value<'a> {
        if self.0.is_empty() { value } else { self.meant(column, value) }
    }

    fn meant<'a>(&'a self, column: usize, value: Value<'a>) -> Value<'a> {
        let (Value::Text(name), Some(names)) = (value, self.0.get(&column)) else { return value };
        names.get(&name.to_lowercase()).map_or(value, Constant::value)
    }

    /// What a constant of the column means.
    pub(super) fn of_constant(&self, column: usize, constant: &Constant) -> Constant {
        let name = constant.text().to_lowercase();
        let meant = self.0.get(&column).and_then(|names| names.get(&name));
        meant.unwrap_or(constant).clone()
    }
}

/// True where one cell names a record, so that another name can be taken.
#[must_use]
pub fn can_be_replaced(column: &Column) -> bool {
    column.reference.as_ref().is_some_and(|reference| reference.also.is_empty())
}

fn references(dataset: &Dataset) -> Vec<String> {
    let named = dataset.columns.iter().filter(|column| can_be_replaced(column));
    named.map(|column| column.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Datasets;

    fn replace(column: &str, names: &[(&str, &str)]) -> options::Replacements {
        let names = names.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        BTreeMap::from([(column.to_owned(), names.collect())])
    }

    #[test]
    fn a_name_is_replaced_whatever_its_letters() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let brand = dataset.column_index("brand").unwrap();
        let read = replace("Brand", &[(" Acmee ", "ACME"), ("?", "")]);
        let read = ReferenceReplacements::read(dataset, &read).unwrap();
        for (name, meant) in [
            (Value::Text("acmeE"), Value::Text("ACME")),
            (Value::Text("ACME"), Value::Text("ACME")),
            (Value::Text("other"), Value::Text("other")),
            (Value::Text("?"), Value::Null),
            (Value::Null, Value::Null),
        ] {
            assert_eq!(read.of(brand, name), meant);
            assert_eq!(read.of(brand + 1, name), name);
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let fault = |column, names: &[_]| {
            let faults = ReferenceReplacements::read(dataset, &replace(column, names)).unwrap_err();
            faults[0].to_string()
        };
        let long = "x".repeat(10_000);
        for column in ["name", "colour"] {
            let text = fault(column, &[("a", "b")]);
            assert!(text.contains("those that do are ") && text.contains("`brand`"), "{text}");
        }
        assert!(fault("brand", &[("A", "b"), ("a", "c")]).contains("two names for `a`"));
        assert!(fault("brand", &[("a", long.as_str())]).contains("does not take"));
    }
}
