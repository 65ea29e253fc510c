//! The columns of a file of failed rows: those of the uploaded file, then `_row` and `_error`.

use crate::domain::chunk::FailedRow;
use crate::domain::detected::Detected;
use crate::domain::failed_list::{ERROR, OUTCOME, ROW, is_own_column};
use crate::domain::row_error::RowCode;

/// Stands for a value that the file does not contain. It is an error value, so that the row fails
/// again until a person enters the right one.
const LOST: &str = "#VALUE!";

/// The columns of a list of failed rows.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Columns {
    header: Vec<String>,
    /// For each column of the uploaded file whether the list has it.
    kept: Vec<bool>,
    /// For each column of the uploaded file the dataset's column that it feeds.
    feeds: Vec<Option<String>>,
    delimiter: u8,
    /// The list has rows of every outcome.
    has_outcomes: bool,
}

/// A row of a list.
#[derive(Debug)]
pub(in crate::http) struct ListedRow {
    /// The row.
    pub(in crate::http) row: FailedRow,
    /// The word for its outcome, in a list that has it.
    pub(in crate::http) outcome: &'static str,
}

impl From<FailedRow> for ListedRow {
    fn from(row: FailedRow) -> Self {
        Self { row, outcome: "" }
    }
}

impl Columns {
    /// The columns for a file. `_row` and `_error` of a list that was itself uploaded are left out:
    /// they are made anew.
    pub(in crate::http) fn of(detected: Option<&Detected>) -> Self {
        let Some(detected) = detected else { return Self::default() };
        let ours = |(cell, column): (&String, Option<&Option<String>>)| {
            let unmapped = column.is_none_or(Option::is_none);
            !(unmapped && is_own_column(cell))
        };
        let columns = (0..detected.header.len()).map(|index| detected.columns.get(index));
        let kept: Vec<bool> = detected.header.iter().zip(columns).map(ours).collect();
        let keep = |(cell, kept): (&String, &bool)| kept.then(|| cell.clone());
        Self {
            header: detected.header.iter().zip(&kept).filter_map(keep).collect(),
            kept,
            feeds: detected.columns.clone(),
            // The delimiter decides how numbers are read: what came with `;` goes back with `;`.
            delimiter: detected
                .delimiter
                .and_then(|delimiter| u8::try_from(delimiter).ok())
                .unwrap_or(b','),
            has_outcomes: false,
        }
    }

    /// The same with a column for the outcome of each row.
    pub(in crate::http) fn with_outcomes(self) -> Self {
        Self { has_outcomes: true, ..self }
    }

    /// The delimiter of the uploaded file, a comma for workbooks.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The header of the list.
    pub(super) fn header(&self) -> impl Iterator<Item = &str> {
        let outcome = self.has_outcomes.then_some(OUTCOME);
        self.header.iter().map(String::as_str).chain([ROW]).chain(outcome).chain([ERROR])
    }

    /// The outcome of a row, in a list that has it.
    pub(super) fn outcome(&self, row: &ListedRow) -> Option<&'static str> {
        self.has_outcomes.then_some(row.outcome)
    }

    /// The cells of a row below the header; a short row gets empty cells.
    pub(super) fn own_cells<'a>(&'a self, row: &'a FailedRow) -> impl Iterator<Item = &'a str> {
        self.kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(index, _)| {
            match row.cells.get(index) {
                Some(_) if self.is_lost(index, row) => LOST,
                cell => cell.map_or("", String::as_str),
            }
        })
    }

    /// True for a cell whose value the file does not contain. What is left of it would be read as the
    /// value if it came back as text.
    fn is_lost(&self, index: usize, row: &FailedRow) -> bool {
        let column = self.feeds.get(index).and_then(Option::as_ref);
        column.is_some()
            && row.errors.iter().any(|error| {
                error.column.as_ref() == column
                    && matches!(error.code, RowCode::PrecisionLost | RowCode::FormulaWithoutValue)
            })
    }

    /// The surplus cells of a row, which go to the right of the other columns.
    pub(super) fn surplus<'a>(
        &self,
        row: &'a FailedRow,
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        row.cells.iter().skip(self.kept.len()).map(String::as_str)
    }
}

/// All errors of a row in one cell.
pub(super) fn explanation(row: &FailedRow) -> String {
    let mut text = String::new();
    for error in &row.errors {
        if !text.is_empty() {
            text.push_str("; ");
        }
        if let Some(column) = &error.column {
            text.push_str(column);
            text.push_str(": ");
        }
        text.push_str(&error.message);
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::detected::{DecimalSeparator, Format};
    use crate::domain::row_error::RowError;
    use crate::domain::row_number::RowNumber;

    pub(in crate::http::row_errors) fn detected(header: &[&str], delimiter: char) -> Detected {
        Detected {
            format: Format::Csv,
            delimiter: Some(delimiter),
            quote: None,
            escape: None,
            encoding: None,
            bom: false,
            encoding_guessed: false,
            encoding_samples: Vec::new(),
            sheet: None,
            header_row: 1,
            decimal: DecimalSeparator::Undeclared,
            dates: None,
            header: header.iter().map(|cell| (*cell).to_owned()).collect(),
            columns: vec![None; header.len()],
            meet: None,
        }
    }

    pub(in crate::http::row_errors) fn failed(cells: &[&str]) -> FailedRow {
        let error = |column: Option<&str>, message: &str| RowError {
            row_number: RowNumber::new(7),
            line: 9,
            column: column.map(str::to_owned),
            code: RowCode::NotANumber,
            message: message.to_owned(),
            value: None,
        };
        FailedRow {
            row_number: RowNumber::new(7),
            cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
            errors: vec![
                error(Some("mrp"), "`x` is not a number; write it like 12.50"),
                error(None, "the row has more cells than the header"),
            ],
        }
    }

    #[test]
    fn columns_of_an_earlier_list_are_made_anew() {
        let columns = Columns::of(Some(&detected(&["SKU", "_row", "_error", "MRP"], ';')));
        assert_eq!(columns.header().collect::<Vec<_>>(), ["SKU", "MRP", "_row", "_error"]);
        let row = failed(&["A", "3", "old", "x", "more"]);
        assert_eq!(columns.own_cells(&row).collect::<Vec<_>>(), ["A", "x"]);
        assert_eq!(columns.surplus(&row).collect::<Vec<_>>(), ["more"]);
        assert_eq!(columns.own_cells(&failed(&["A"])).collect::<Vec<_>>(), ["A", ""]);
    }

    #[test]
    fn a_value_that_the_file_does_not_hold_is_not_handed_back_as_one() {
        let mut detected = detected(&["SKU", "Barcode"], ',');
        detected.columns = vec![Some("sku".into()), Some("barcode".into())];
        let mut row = failed(&["A", "4006381333931000"]);
        row.errors[0].column = Some("barcode".into());
        row.errors[0].code = RowCode::PrecisionLost;
        let columns = Columns::of(Some(&detected));
        assert_eq!(columns.own_cells(&row).collect::<Vec<_>>(), ["A", "#VALUE!"]);
    }

    #[test]
    fn all_faults_stand_in_one_cell() {
        assert_eq!(
            explanation(&failed(&[])),
            "mrp: `x` is not a number; write it like 12.50; the row has more cells than the header"
        );
    }
}
