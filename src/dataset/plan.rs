//! The plan of a job: which cell of the file feeds which value of a record. Made once from what was
//! detected about the file, so that reader and store mean the same columns.

use std::collections::BTreeMap;

use super::constant::Constant;
use super::constants::{ConstantFault, Constants};
use super::header::Match;
use super::model::{Absent, Column, Dataset};
use super::replacements::{ReferenceReplacements, ReplacementFault};
use crate::domain::error_code::ErrorCode;
use crate::domain::options::{Mode, Options};

/// Where a value of a record comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueSource {
    /// This cell of the row.
    Cell(usize),
    /// The upload: the value is the same in every row.
    Constant(Constant),
    /// Nothing: new records get the default of the column.
    Default,
}

impl ValueSource {
    /// The cell, if the value is one's.
    #[must_use]
    pub fn cell(&self) -> Option<usize> {
        if let Self::Cell(cell) = self { Some(*cell) } else { None }
    }
}

/// Which cell of the file feeds which value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The dataset's column of each value of a record, ascending; behind those that the table has, those
    /// of lists that go into join tables.
    pub columns: Vec<usize>,
    /// Where each value of a record comes from.
    pub sources: Vec<ValueSource>,
    /// Which values of a record make the key, in the order of the dataset's key.
    pub key: Vec<usize>,
    /// The other cells of the references that several cells name.
    pub parts: Vec<PlanPart>,
    /// Cells of the header.
    pub header_len: usize,
}

/// A cell that names a record together with that of the reference's own column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanPart {
    /// The dataset's column of the reference.
    pub main: usize,
    /// The dataset's column of the cell.
    pub column: usize,
    /// Where its text comes from; `None`: the file does not have it.
    pub source: Option<ValueSource>,
}

/// Why the dataset no longer fits the columns that were stored with the job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanFault {
    /// The definition has lost the column.
    #[error("dataset `{dataset}` has no column `{column}` any more; upload the file again")]
    NoSuchColumn {
        /// The dataset.
        dataset: String,
        /// The column that the file feeds.
        column: String,
    },
    /// Two cells feed the same column.
    #[error("two columns of the file feed column `{column}`; upload the file again")]
    Twice {
        /// The column.
        column: String,
    },
    /// The upload sets a value that does not fit any more.
    #[error("the dataset `{dataset}` has changed: {fault}; upload the file again")]
    Constant {
        /// The dataset.
        dataset: String,
        /// What is wrong with the value.
        fault: ConstantFault,
    },
    /// The upload replaces names of a column that names no records any more.
    #[error("the dataset `{dataset}` has changed: {fault}; upload the file again")]
    Replacement {
        /// The dataset.
        dataset: String,
        /// What is wrong with the replacement.
        fault: ReplacementFault,
    },
    /// A column is required now that the file does not have.
    #[error(
        "column `{column}` of dataset `{dataset}` is required now, but the file does not have it; \
         add it and upload the file again"
    )]
    Missing {
        /// The dataset.
        dataset: String,
        /// The required column.
        column: String,
    },
}

impl PlanFault {
    /// The code that a job fails with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::DatasetChanged
    }
}

/// Refuses the replacements of a job that do not fit its dataset any more.
///
/// # Errors
/// The dataset's definition has changed since the upload.
pub fn check_replacements(dataset: &Dataset, options: &Options) -> Result<(), PlanFault> {
    let faults = ReferenceReplacements::read(dataset, &options.replace).err();
    let fault = faults.into_iter().flatten().next();
    let dataset = || dataset.name.clone();
    fault.map_or(Ok(()), |fault| Err(PlanFault::Replacement { dataset: dataset(), fault }))
}

impl Plan {
    /// The plan for a file whose header cells feed `columns`, one entry a header cell. `set` is the
    /// upload's: column → its value in every row.
    ///
    /// # Errors
    /// The dataset's definition has changed since the columns were stored.
    pub fn new(
        dataset: &Dataset,
        columns: &[Option<String>],
        set: &BTreeMap<String, String>,
    ) -> Result<Self, PlanFault> {
        let plan = Self::of_imported(dataset, columns, set)?;
        let is_part = |index: &usize| {
            plan.parts.iter().any(|part| part.column == *index && part.source.is_some())
        };
        let is_missing = |index: &usize| !plan.columns.contains(index) && !is_part(index);
        let missing = dataset.columns.iter().enumerate();
        let missing = missing.filter(|(_, column)| column.required).find(|(i, _)| is_missing(i));
        if let Some((_, column)) = missing {
            let (dataset, column) = (dataset.name.clone(), column.name.clone());
            return Err(PlanFault::Missing { dataset, column });
        }
        Ok(plan)
    }

    /// The same for rows that were imported already, and need no value for a column that is
    /// required by now.
    ///
    /// # Errors
    /// The definition has lost a column, or two cells feed one.
    pub fn of_imported(
        dataset: &Dataset,
        columns: &[Option<String>],
        set: &BTreeMap<String, String>,
    ) -> Result<Self, PlanFault> {
        let (constants, faults) = Constants::read(dataset, set);
        if let Some(fault) = faults.into_iter().next() {
            return Err(PlanFault::Constant { dataset: dataset.name.clone(), fault });
        }
        let header_len = columns.len();
        let mut fed: Vec<Option<ValueSource>> = (0..dataset.columns.len())
            .map(|index| constants.get(index).cloned().map(ValueSource::Constant))
            .collect();
        for (cell, name) in columns.iter().enumerate() {
            let Some(name) = name else { continue };
            let slot = dataset.column_index(name).and_then(|index| fed.get_mut(index));
            let Some(slot) = slot else {
                let (dataset, column) = (dataset.name.clone(), name.clone());
                return Err(PlanFault::NoSuchColumn { dataset, column });
            };
            if slot.replace(ValueSource::Cell(cell)).is_some() {
                return Err(PlanFault::Twice { column: name.clone() });
            }
        }
        Ok(Self::feeding(dataset, fed, header_len))
    }

    /// The plan for as much of a file as its header lets be converted, to show its rows: required
    /// columns may be missing, and a column that several cells feed is fed by none.
    #[must_use]
    pub fn of_what_fits(dataset: &Dataset, matched: &Match) -> Self {
        let source_of = |column: usize| {
            if let Some(constant) = matched.constants.get(column) {
                return Some(ValueSource::Constant(constant.clone()));
            }
            let fed = matched.columns.iter().enumerate();
            let mut cells = fed.filter(|(_, fed)| **fed == Some(column));
            match (cells.next(), cells.next()) {
                (Some((cell, _)), None) => Some(ValueSource::Cell(cell)),
                _ => None,
            }
        };
        let fed = (0..dataset.columns.len()).map(source_of).collect();
        Self::feeding(dataset, fed, matched.columns.len())
    }

    fn feeding(dataset: &Dataset, fed: Vec<Option<ValueSource>>, header_len: usize) -> Self {
        let parts = parts(dataset, &fed);
        let with_default = |(index, (source, column)): (usize, (Option<ValueSource>, &Column))| {
            let default = column.default.is_some().then_some(ValueSource::Default);
            let source = source.filter(|_| column.part_of.is_none());
            Some((index, source.or(default)?))
        };
        let is_joined =
            |index: &usize| dataset.columns.get(*index).is_some_and(|it| it.join.is_some());
        let fed = fed.into_iter().zip(&dataset.columns).enumerate().filter_map(with_default);
        let (joined, own): (Vec<_>, Vec<_>) = fed.partition(|(index, _)| is_joined(index));
        let (columns, sources): (Vec<usize>, Vec<ValueSource>) =
            own.into_iter().chain(joined).unzip();
        // Key columns are required, so each has its value where the header has no fault.
        let value_of = |key: &usize| columns.iter().position(|column| column == key);
        let key = dataset.key.iter().filter_map(value_of).collect();
        Self { columns, sources, key, parts, header_len }
    }

    /// The same plan with the column that says of a record that it is gone, where a mirror sets it; no
    /// cell feeds it then.
    #[must_use]
    pub fn and_gone(mut self, dataset: &Dataset, mode: Mode) -> Self {
        if let (Mode::Mirror, Some(Absent::Deactivate { column, .. })) = (mode, &dataset.absent)
            && !self.columns.contains(column)
        {
            let is_joined =
                |at: &usize| dataset.columns.get(*at).is_some_and(|it| it.join.is_some());
            let behind = self.columns.iter().position(is_joined).unwrap_or(self.columns.len());
            self.columns.insert(behind, *column);
            self.sources.insert(behind.min(self.sources.len()), ValueSource::Default);
        }
        self
    }

    /// Values of each record.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }
}

/// The other cells of the references that are fed, in the order in which the definition has them.
fn parts(dataset: &Dataset, fed: &[Option<ValueSource>]) -> Vec<PlanPart> {
    let is_fed = |index: usize| fed.get(index).is_some_and(Option::is_some);
    let references = dataset.columns.iter().enumerate();
    let references =
        references.filter_map(|(main, column)| Some((main, column.reference.as_ref()?)));
    let references = references.filter(|(main, _)| is_fed(*main));
    let part = |main: usize, name: &str| {
        let column = dataset.column_index(name)?;
        Some(PlanPart { main, column, source: fed.get(column).cloned().flatten() })
    };
    references
        .flat_map(|(main, it)| it.also.iter().filter_map(move |also| part(main, &also.column)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Datasets;
    use crate::domain::record::Value;

    fn new(dataset: &Dataset, columns: &[&str]) -> Result<Plan, PlanFault> {
        Plan::new(dataset, &names(columns), &BTreeMap::new())
    }

    fn cells(plan: &Plan) -> Vec<Option<usize>> {
        plan.sources.iter().map(ValueSource::cell).collect()
    }

    fn names(columns: &[&str]) -> Vec<Option<String>> {
        columns.iter().map(|name| (!name.is_empty()).then(|| (*name).to_owned())).collect()
    }

    #[test]
    fn values_stand_in_the_order_of_the_dataset() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let plan = new(dataset, &["current_stock", "", "name", "sku"]).unwrap();
        assert_eq!(plan.columns, [0, 1, dataset.column_index("current_stock").unwrap()]);
        assert_eq!(cells(&plan), [Some(3), Some(2), Some(0)]);
        assert_eq!((plan.key, plan.header_len), (vec![0], 4));
    }

    #[test]
    fn a_header_with_faults_feeds_what_is_clear() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let stock = dataset.column_index("current_stock").unwrap();
        let matched = |columns: &[Option<usize>]| Match {
            columns: columns.to_vec(),
            outdone: vec![None; columns.len()],
            constants: Constants::default(),
        };
        let columns = [Some(stock), Some(0), None, Some(stock)];
        let plan = Plan::of_what_fits(dataset, &matched(&columns));
        assert_eq!((&plan.columns, cells(&plan)), (&vec![0], vec![Some(1)]));
        assert_eq!((plan.key, plan.header_len), (vec![0], 4));
        let plan = new(dataset, &["name", "", "sku"]).unwrap();
        assert_eq!(Plan::of_what_fits(dataset, &matched(&[Some(1), None, Some(0)])), plan);
    }

    #[test]
    fn a_changed_definition_is_told() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let fault = |columns: &[&str]| new(dataset, columns).unwrap_err().to_string();
        assert!(fault(&["sku", "name", "colour"]).contains("no column `colour` any more"));
        assert!(fault(&["sku", "name", "sku"]).contains("two columns"));
        assert!(fault(&["sku"]).contains("column `name` of dataset `products` is required now"));
        let plan = Plan::of_imported(dataset, &names(&["sku"]), &BTreeMap::new()).unwrap();
        assert_eq!(plan.columns, [0]);
    }

    #[test]
    fn a_constant_is_a_column_of_every_row() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let set = |column: &str, text: &str| BTreeMap::from([(column.to_owned(), text.to_owned())]);
        let plan = Plan::new(dataset, &names(&["sku"]), &set("Name", " Rose ")).unwrap();
        let ValueSource::Constant(name) = &plan.sources[1] else { panic!("{plan:?}") };
        assert_eq!((name.value(), cells(&plan)), (Value::Text("Rose"), vec![Some(0), None]));
        for (column, text) in [("colour", "red"), ("name", ""), ("sku", "A")] {
            let plan = Plan::new(dataset, &names(&["sku"]), &set(column, text));
            assert!(plan.is_err(), "{column}: {plan:?}");
        }
    }
}
