//! The columns of a file that are not imported, as a person should see them: first those that look
//! like a column of the dataset, then those that hold numbers.

use super::{Match, normal_form, without_unit};
use crate::dataset::model::Dataset;
use crate::domain::failed_list::is_own_column;
use crate::domain::row::{CellKind, RawRow};
use crate::domain::similar::similarity;
use crate::domain::warning::{WarningCode, Warnings};

/// How alike a header must be to a name to be said to look like it. Shorter words than those that a
/// person mistypes are alike by chance.
const LIKENESS_MIN: f64 = 0.8;

/// What a person should see of a header that was matched: the columns of the file that feed nothing,
/// each with the column of the dataset that it looks like. `sample` is the first rows.
#[must_use]
pub fn header_warnings(
    dataset: &Dataset,
    header: &[String],
    matched: &Match,
    sample: &[RawRow],
) -> Warnings {
    let fed = matched.columns.iter();
    let unused = header.iter().zip(fed).enumerate().filter_map(|(at, (cell, column))| {
        let is_unused = column.is_none() && !cell.trim().is_empty() && !is_own_column(cell);
        is_unused.then_some((at, cell.trim()))
    });
    let mut unused: Vec<(usize, &str)> = unused.collect();
    unused.sort_by_key(|(at, _)| !holds_numbers(sample, *at));
    let mut warnings = Warnings::default();
    for (at, cell) in unused {
        let outdone = matched.outdone.get(at).copied().flatten();
        let alike = outdone.or_else(|| alike(dataset, matched, cell));
        let column = alike.and_then(|column| dataset.columns.get(column));
        let column = column.map(|column| column.name.as_str());
        warnings.add(WarningCode::UnusedColumns, column, None, Some(cell));
    }
    warnings
}

/// The column without a header of its own whose name is most like `cell`.
fn alike(dataset: &Dataset, matched: &Match, cell: &str) -> Option<usize> {
    let form = without_unit(cell).unwrap_or_else(|| normal_form(cell));
    let free = dataset.columns.iter().enumerate();
    let free = free.filter(|(index, _)| !matched.has(*index));
    let scored = free.filter_map(|(index, column)| {
        let names = [&column.name, &column.title].into_iter().chain(&column.aliases);
        let scores = names.filter_map(|name| similarity(&normal_form(name), &form));
        let best = scores.max_by(f64::total_cmp).filter(|score| *score >= LIKENESS_MIN)?;
        Some((index, best))
    });
    scored.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|it| it.0)
}

/// Most of the cells of a column that are not empty are numbers.
fn holds_numbers(sample: &[RawRow], at: usize) -> bool {
    let cells = sample.iter().filter_map(|row| row.cell(at));
    let filled: Vec<_> = cells.filter(|(text, _)| !text.trim().is_empty()).collect();
    let is_number = |(text, kind): &&(&str, CellKind)| match kind {
        CellKind::Number | CellKind::LossyNumber => true,
        CellKind::Text => {
            text.contains(|c: char| c.is_ascii_digit()) && !text.contains(char::is_alphabetic)
        }
        _ => false,
    };
    let numbers = filled.iter().filter(is_number).count();
    numbers > 0 && numbers * 2 >= filled.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Datasets, match_header};
    use crate::domain::options::Options;

    #[test]
    fn what_looks_like_a_column_comes_first_then_numbers() {
        let datasets = Datasets::embedded();
        let products = datasets.get("products").unwrap();
        let header =
            ["SKU", "Name", "Colour", "Weight", "Price", "Price (net)", "Curent stock", "_row"];
        let header: Vec<String> = header.map(ToOwned::to_owned).to_vec();
        let mut row = RawRow::new();
        for cell in ["1", "a", "red", "2.5", "3", "2.8", "7", "2"] {
            row.push(CellKind::Text, cell);
        }
        let matched = match_header(products, &header, &Options::default()).unwrap();
        let warnings = header_warnings(products, &header, &matched, &[row]);
        let shown: Vec<_> = warnings
            .iter()
            .map(|it| {
                let examples: Vec<_> =
                    it.examples.iter().filter_map(|it| it.value.as_deref()).collect();
                (it.column.as_deref(), examples)
            })
            .collect();
        assert_eq!(
            shown,
            [
                (Some("current_stock"), vec!["Curent stock"]),
                (Some("selling_price"), vec!["Price (net)"]),
                (None, vec!["Weight", "Colour"]),
            ]
        );
    }
}
