//! The plan of a job: which cell of the file feeds which value of a record. Made once from what was
//! detected about the file, so that reader and store mean the same columns.

use super::model::Dataset;
use crate::domain::error_code::ErrorCode;

/// Which cell of the file feeds which value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The dataset's column of each value of a record, ascending.
    pub columns: Vec<usize>,
    /// The file's cell of each value of a record.
    pub cells: Vec<usize>,
    /// Which values of a record make the key, in the order of the dataset's key.
    pub key: Vec<usize>,
    /// Cells of the header.
    pub header_len: usize,
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

impl Plan {
    /// The plan for a file whose header cells feed `columns`, one entry a header cell.
    ///
    /// # Errors
    /// The dataset's definition has changed since the columns were stored.
    pub fn new(dataset: &Dataset, columns: &[Option<String>]) -> Result<Self, PlanFault> {
        let plan = Self::of_imported(dataset, columns)?;
        let is_missing = |index: &usize| !plan.columns.contains(index);
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
    pub fn of_imported(dataset: &Dataset, columns: &[Option<String>]) -> Result<Self, PlanFault> {
        let header_len = columns.len();
        let mut fed: Vec<Option<usize>> = vec![None; dataset.columns.len()];
        for (cell, name) in columns.iter().enumerate() {
            let Some(name) = name else { continue };
            let slot = dataset.column_index(name).and_then(|index| fed.get_mut(index));
            let Some(slot) = slot else {
                let (dataset, column) = (dataset.name.clone(), name.clone());
                return Err(PlanFault::NoSuchColumn { dataset, column });
            };
            if slot.replace(cell).is_some() {
                return Err(PlanFault::Twice { column: name.clone() });
            }
        }
        Ok(Self::feeding(dataset, &fed, header_len))
    }

    /// The plan for as much of a file as its header lets be converted, to show its rows: required
    /// columns may be missing, and a column that several cells feed is fed by none.
    #[must_use]
    pub fn of_what_fits(dataset: &Dataset, columns: &[Option<usize>]) -> Self {
        let cell_of = |column: usize| {
            let mut cells = columns.iter().enumerate().filter(|(_, fed)| **fed == Some(column));
            match (cells.next(), cells.next()) {
                (Some((cell, _)), None) => Some(cell),
                _ => None,
            }
        };
        let fed: Vec<Option<usize>> = (0..dataset.columns.len()).map(cell_of).collect();
        Self::feeding(dataset, &fed, columns.len())
    }

    fn feeding(dataset: &Dataset, fed: &[Option<usize>], header_len: usize) -> Self {
        let (columns, cells): (Vec<usize>, Vec<usize>) =
            fed.iter().enumerate().filter_map(|(index, cell)| Some((index, (*cell)?))).unzip();
        // Key columns are required, so each has its value where the header has no fault.
        let value_of = |key: &usize| columns.iter().position(|column| column == key);
        let key = dataset.key.iter().filter_map(value_of).collect();
        Self { columns, cells, key, header_len }
    }

    /// Values of each record.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Datasets;

    fn names(columns: &[&str]) -> Vec<Option<String>> {
        columns.iter().map(|name| (!name.is_empty()).then(|| (*name).to_owned())).collect()
    }

    #[test]
    fn values_stand_in_the_order_of_the_dataset() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let plan = Plan::new(dataset, &names(&["current_stock", "", "name", "sku"])).unwrap();
        assert_eq!(plan.columns, [0, 1, dataset.column_index("current_stock").unwrap()]);
        assert_eq!(plan.cells, [3, 2, 0]);
        assert_eq!((plan.key, plan.header_len), (vec![0], 4));
    }

    #[test]
    fn a_header_with_faults_feeds_what_is_clear() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let stock = dataset.column_index("current_stock").unwrap();
        let plan = Plan::of_what_fits(dataset, &[Some(stock), Some(0), None, Some(stock)]);
        assert_eq!((plan.columns, plan.cells), (vec![0], vec![1]));
        assert_eq!((plan.key, plan.header_len), (vec![0], 4));
        let (columns, given) = ([Some(1), None, Some(0)], names(&["name", "", "sku"]));
        let plan = Plan::new(dataset, &given).unwrap();
        assert_eq!(Plan::of_what_fits(dataset, &columns), plan);
    }

    #[test]
    fn a_changed_definition_is_told() {
        let datasets = Datasets::embedded();
        let dataset = datasets.get("products").unwrap();
        let fault = |columns: &[&str]| Plan::new(dataset, &names(columns)).unwrap_err().to_string();
        assert!(fault(&["sku", "name", "colour"]).contains("no column `colour` any more"));
        assert!(fault(&["sku", "name", "sku"]).contains("two columns"));
        assert!(fault(&["sku"]).contains("column `name` of dataset `products` is required now"));
        assert_eq!(Plan::of_imported(dataset, &names(&["sku"])).unwrap().columns, [0]);
    }
}
