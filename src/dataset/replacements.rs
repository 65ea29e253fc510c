//! Names that an upload merges: what the file calls a record of another table → the record that is meant.
//! Applied to what a row names before the record is looked up, so that a slip makes no record of its own.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::constant::Constant;
use super::constants;
use super::header::form::column_named;
use super::messages::visible;
use super::model::{Column, Dataset};
use super::names::listed;
use super::value::json::push_item;
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
pub struct ReferenceReplacements(HashMap<usize, ColumnReplacements>);

/// The replacements of one column.
#[derive(Debug, Clone, Default)]
struct ColumnReplacements {
    /// Each item of a list is replaced, by none, one or several.
    is_list: bool,
    /// Name in small letters → what is meant.
    names: HashMap<String, Constant>,
}

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
        of_column.is_list = column.join.is_some();
        for (from, to) in names {
            // Both as a cell would be: trimmed, in NFC, no longer than the column.
            let read = |text| constants::read(column, false, text);
            match (read(from), read(to)) {
                (Ok(read), Ok(to)) => match of_column.name(&read) {
                    Some(name) => {
                        if of_column.names.insert(name.to_lowercase(), to).is_some() {
                            let (column, name) = (column.title.clone(), visible(&name));
                            faults.push(ReplacementFault::Twice { column, name });
                        }
                    }
                    None => faults.push(refused(format!("`{}` is not one item", visible(from)))),
                },
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
        match (value, self.0.get(&column)) {
            (Value::Text(name), Some(of_column)) if !of_column.is_list => {
                of_column.names.get(&name.to_lowercase()).map_or(value, Constant::value)
            }
            _ => value,
        }
    }

    /// What the value of a cell means; that of a list is written to `list`.
    #[inline]
    pub(super) fn of_cell<'a>(
        &'a self,
        column: usize,
        value: Value<'a>,
        list: &'a mut String,
    ) -> Value<'a> {
        match (value, self.0.get(&column)) {
            (Value::Text(items), Some(of_column)) if of_column.is_list => {
                if of_column.write_items(items, list) { Value::Text(list) } else { Value::Null }
            }
            _ => self.of(column, value),
        }
    }

    /// What a constant of the column means.
    pub(super) fn of_constant(&self, column: usize, constant: &Constant) -> Constant {
        let Some(of_column) = self.0.get(&column) else { return constant.clone() };
        if let (true, Value::Text(items)) = (of_column.is_list, constant.value()) {
            let mut list = String::new();
            return if of_column.write_items(items, &mut list) {
                Constant::of_text(list)
            } else {
                Constant::of_value(String::new(), Value::Null)
            };
        }
        let name = constant.text().to_lowercase();
        of_column.names.get(&name).unwrap_or(constant).clone()
    }
}

impl ColumnReplacements {
    /// The name that is replaced; `None` where a list has another number of items than one.
    fn name(&self, from: &Constant) -> Option<String> {
        if !self.is_list {
            return Some(from.text().to_owned());
        }
        let mut items = items_of(from.value()).into_iter();
        items.next().filter(|_| items.next().is_none())
    }

    /// Writes what the items of a list mean as a JSON array to `out`; false where nothing is left.
    fn write_items(&self, list: &str, out: &mut String) -> bool {
        out.clear();
        let mut seen = HashSet::new();
        for item in items_of(Value::Text(list)) {
            let meant = self.names.get(&item.to_lowercase());
            let meant = meant.map_or_else(|| vec![item], |meant| items_of(meant.value()));
            for item in meant {
                if seen.insert(item.to_lowercase()) {
                    push_item(out, &item);
                }
            }
        }
        if !out.is_empty() {
            out.push(']');
        }
        !out.is_empty()
    }
}

/// The items of a list as a record holds it.
fn items_of(list: Value<'_>) -> Vec<String> {
    let Value::Text(json) = list else { return Vec::new() };
    serde_json::from_str(json).unwrap_or_default()
}

/// True where one text names a record, so that another name can be taken.
#[must_use]
pub fn can_be_replaced(column: &Column) -> bool {
    column.named_records().is_some_and(|reference| reference.also.is_empty())
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
    fn an_item_of_a_list_is_replaced_by_none_one_or_several() {
        let text = "name = 'd'\ntable = 'd'\nkey = ['k']\ncolumn = [{ name = 'k', required = true }, \
                    { name = 'tags', type = 'list', into = { table = 'dt', references = { table = 't' } } }]";
        let dataset = crate::dataset::compile("d.toml", text).unwrap().dataset;
        let names = [("Redd", "red"), ("both", "red|big"), ("none", "")];
        let read = ReferenceReplacements::read(&dataset, &replace("tags", &names)).unwrap();
        for (list, meant) in [
            (r#"["REDD","old"]"#, Value::Text(r#"["red","old"]"#)),
            (r#"["Red","both","none"]"#, Value::Text(r#"["Red","big"]"#)),
            (r#"["none"]"#, Value::Null),
        ] {
            let mut out = String::new();
            assert_eq!(read.of_cell(1, Value::Text(list), &mut out), meant);
            assert_eq!(read.of_constant(1, &Constant::of_text(list.to_owned())).value(), meant);
        }
        let faults = ReferenceReplacements::read(&dataset, &replace("tags", &[("a,b", "c")]));
        assert!(faults.unwrap_err()[0].to_string().contains("`a,b` is not one item"));
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
