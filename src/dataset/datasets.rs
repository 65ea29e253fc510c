//! All datasets of a server, by name: the embedded ones and those of the user's own folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compile::{Compiled, compile};
use super::fault::DefinitionFault;
use super::fit::fit;
use super::model::Dataset;
use super::shape::TableShape;

/// The definitions that are part of the program, by the name of their file.
const EMBEDDED: [(&str, &str); 4] = [
    ("datasets/dealers.toml", include_str!("../../datasets/dealers.toml")),
    ("datasets/products.toml", include_str!("../../datasets/products.toml")),
    ("datasets/swim_events.toml", include_str!("../../datasets/swim_events.toml")),
    ("datasets/transactions.toml", include_str!("../../datasets/transactions.toml")),
];

/// Which of the built-in datasets are offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BuiltIn {
    /// Each that is not replaced.
    #[default]
    All,
    /// These.
    Named(Vec<String>),
}

impl BuiltIn {
    /// Reads `all`, `none`, or names separated by commas.
    ///
    /// # Errors
    /// What is the name of none.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::All),
            "none" => return Ok(Self::Named(Vec::new())),
            _ => {}
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        match names.iter().find(|name| !built_in_names().any(|known| known == name.as_str())) {
            None => Ok(Self::Named(names)),
            Some(name) => Err(format!(
                "`{name}` is no built-in dataset; they are {}",
                built_in_names().collect::<Vec<_>>().join(", ")
            )),
        }
    }

    fn offers(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|named| named == name),
        }
    }
}

/// The names of the built-in datasets: those of their files.
fn built_in_names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().filter_map(|(file, _)| {
        file.strip_prefix("datasets/").and_then(|name| name.strip_suffix(".toml"))
    })
}

/// All datasets of a server.
#[derive(Debug, Clone, Default)]
pub struct Datasets {
    by_name: BTreeMap<String, Compiled>,
}

impl Datasets {
    /// The embedded datasets that `built_in` offers and those of `files` (name and content of each definition file), whose
    /// dataset replaces an embedded one of the same name.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn load<F, T>(
        built_in: &BuiltIn,
        files: impl IntoIterator<Item = (F, T)>,
    ) -> Result<Self, Vec<DefinitionFault>>
    where
        F: AsRef<str>,
        T: AsRef<str>,
    {
        let (mut datasets, mut faults) = (Self::default(), Vec::new());
        for (file, text) in EMBEDDED {
            match compile(file, text) {
                Ok(compiled) if built_in.offers(&compiled.dataset.name) => {
                    datasets.insert(Compiled {
                        is_built_in: true,
                        has_built_in_tables: true,
                        ..compiled
                    });
                }
                Ok(_) => {}
                Err(found) => faults.extend(found),
            }
        }
        let mut own: BTreeMap<String, String> = BTreeMap::new();
        for (file, text) in files {
            let mut compiled = match compile(file.as_ref(), text.as_ref()) {
                Ok(compiled) => compiled,
                Err(found) => {
                    faults.extend(found);
                    continue;
                }
            };
            let name = compiled.dataset.name.clone();
            if let Some(other) = own.get(&name) {
                faults.push(DefinitionFault {
                    file: compiled.file,
                    line: compiled.lines.first(&["name"]),
                    key: "`name`".to_owned(),
                    message: format!("a dataset `{name}` is defined in {other} already"),
                });
                continue;
            }
            own.insert(name.clone(), compiled.file.clone());
            compiled.has_built_in_tables =
                datasets.get(&name).is_some_and(|it| it.tables() == compiled.dataset.tables());
            datasets.insert(compiled);
        }
        if faults.is_empty() { Ok(datasets) } else { Err(faults) }
    }

    /// Every table that rows of any of them go into, each once.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        let mut tables: Vec<String> =
            self.iter().flat_map(|compiled| compiled.dataset.tables()).collect();
        tables.sort();
        tables.dedup();
        tables
    }

    /// The join tables of all of them.
    #[must_use]
    pub fn join_tables(&self) -> Vec<String> {
        let joins = self.iter().flat_map(|compiled| compiled.dataset.joins());
        joins.map(|join| join.table.clone()).collect()
    }

    /// Lets the datasets of the user's own mean other tables: `table` gives the name to use instead.
    pub fn rename_tables(&mut self, table: &dyn Fn(&str) -> Option<String>) {
        for compiled in self.by_name.values_mut().filter(|compiled| !compiled.is_built_in) {
            Arc::make_mut(&mut compiled.dataset).rename_tables(table);
        }
    }

    /// Completes the definitions by the tables that `shapes` describes.
    pub fn fit(&mut self, shapes: &dyn Fn(&str) -> Option<TableShape>) {
        for compiled in self.by_name.values_mut() {
            fit(Arc::make_mut(&mut compiled.dataset), shapes);
        }
    }

    /// Leaves out the built-in datasets in which `check` finds faults, and returns them.
    pub fn leave_out_unfit(
        &mut self,
        check: &dyn Fn(&Compiled) -> Vec<DefinitionFault>,
    ) -> Vec<(String, Vec<DefinitionFault>)> {
        let faults = |compiled: &&Compiled| compiled.is_built_in.then(|| check(compiled));
        let unfit: Vec<_> = self
            .by_name
            .iter()
            .filter_map(|(name, compiled)| Some((name.clone(), faults(&compiled)?)))
            .filter(|(_, faults)| !faults.is_empty())
            .collect();
        for (name, _) in &unfit {
            self.by_name.remove(name);
        }
        unfit
    }

    fn insert(&mut self, compiled: Compiled) {
        self.by_name.insert(compiled.dataset.name.clone(), compiled);
    }

    /// The dataset called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Dataset>> {
        self.by_name.get(name).map(|compiled| &compiled.dataset)
    }

    /// Every dataset with its lines, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Compiled> {
        self.by_name.values()
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

#[cfg(test)]
impl Datasets {
    /// Only the embedded datasets.
    pub(crate) fn embedded() -> Self {
        Self::load::<&str, &str>(&BuiltIn::All, []).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::column::ColumnKeys;
    use crate::dataset::compile::{DatasetKeys, HistoryKeys};
    use crate::dataset::join_table::JoinKeys;
    use crate::dataset::reference_keys::ReferenceKeys;
    use crate::dataset::source::keys_of;
    use crate::domain::row_error::RowCode;

    const MINIMAL: &str = "table = 't'\nkey = ['a']\n[[column]]\nname = 'a'\nrequired = true\n";

    #[test]
    fn a_folder_replaces_and_adds_datasets() {
        let products = format!("name = 'products'\n{MINIMAL}");
        let dealers = format!("name = 'dealers'\n{MINIMAL}");
        let datasets =
            Datasets::load(&BuiltIn::All, [("p.toml", &products), ("d.toml", &dealers)]).unwrap();
        let names: Vec<_> = datasets.names().collect();
        assert_eq!(names, ["dealers", "products", "swim_events", "transactions"]);
        assert_eq!(datasets.get("products").unwrap().table, "t");
    }

    #[test]
    fn built_in_datasets_are_offered_by_name() {
        let names = |setting: &str| {
            let datasets = Datasets::load::<&str, &str>(&BuiltIn::parse(setting).unwrap(), []);
            datasets.unwrap().names().map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("all"), "dealers products swim_events transactions");
        assert_eq!(names("none"), "");
        assert_eq!(names("products, dealers"), "dealers products");
        let fault = BuiltIn::parse("products,brands").unwrap_err();
        assert!(fault.starts_with("`brands` is no built-in dataset"), "{fault}");
    }

    #[test]
    fn two_files_for_one_name_are_a_fault() {
        let dealers = format!("name = 'dealers'\n{MINIMAL}");
        let faults = Datasets::load(&BuiltIn::All, [("a.toml", &dealers), ("b.toml", &dealers)])
            .unwrap_err();
        assert_eq!(
            faults[0].to_string(),
            "b.toml:1: `name`: a dataset `dealers` is defined in a.toml already"
        );
    }

    #[test]
    fn products_have_the_columns_of_the_template() {
        let datasets = Datasets::embedded();
        let products = datasets.get("products").unwrap();
        let titles: Vec<_> = products.columns.iter().map(|column| column.title.as_str()).collect();
        assert_eq!(
            titles.join(", "),
            "SKU, Name, Category, Type, Brand, Potency, Form, Pack Size, UOM, Cost Price, Selling \
             Price, MRP, Tax Percent, HSN Code, Manufacturer, Description, Barcode, Reorder Level, \
             Min Stock, Max Stock, Current Stock, Is Active, Tags"
        );
        let required = products.columns.iter().filter(|column| column.required);
        assert_eq!(
            required.map(|column| column.name.as_str()).collect::<Vec<_>>(),
            ["sku", "name"]
        );
        let histories = products.histories.iter().map(|h| (h.table.as_str(), h.owner.as_str()));
        assert_eq!(
            histories.collect::<Vec<_>>(),
            [("product_prices", "product_id"), ("product_stocks", "product_id")]
        );
    }

    #[test]
    fn the_documentation_shows_what_is_there() {
        let docs = include_str!("../../docs/datasets.md");
        let example = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
        let compiled = compile("docs/datasets.md", example.unwrap()).unwrap();
        assert_eq!(compiled.dataset.histories[0].owner, "dealer_id");
        let of_writing = [
            RowCode::DuplicateInFile,
            RowCode::AlreadyExists,
            RowCode::NotFound,
            RowCode::ConstraintViolated,
            RowCode::RefusedByDatabase,
            RowCode::RefusedByStrict,
            RowCode::ChangedSince,
            // Of an upload that asks for certain rows only.
            RowCode::OtherValue,
            RowCode::OutOfScope,
        ];
        for code in RowCode::ALL.iter().filter(|code| !of_writing.contains(code)) {
            assert!(docs.contains(&format!("`{}`", code.as_str())), "{}", code.as_str());
        }
    }

    /// The keys in the first table below a heading of the documentation, in alphabetical order.
    fn documented(heading: &str) -> Vec<&'static str> {
        let docs = include_str!("../../docs/datasets.md");
        let (_, below) = docs.split_once(&format!("\n{heading}\n")).expect(heading);
        let (_, table) = below.split_once("| --- | --- | --- |\n").expect(heading);
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let cells = rows.filter_map(|row| row.split('|').nth(1));
        let mut keys: Vec<_> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        for key in &mut keys {
            *key = key.trim_matches(['[', ']']);
        }
        keys.sort_unstable();
        keys
    }

    #[test]
    fn the_documented_keys_are_those_that_are_read() {
        for (heading, keys) in [
            ("## Keys of the file", keys_of::<DatasetKeys>()),
            ("## Keys of a column", keys_of::<ColumnKeys>()),
            ("## References", keys_of::<ReferenceKeys>()),
            ("## Lists in a join table", keys_of::<JoinKeys>()),
            ("## History", keys_of::<HistoryKeys>()),
        ] {
            let mut keys = keys.to_vec();
            keys.sort_unstable();
            assert_eq!(documented(heading), keys, "{heading}");
        }
    }
}
