//! How a file writes its numbers and dates, as far as its first rows leave no doubt.

use super::model::{Column, ColumnType, Dataset};
use super::value::number;
use super::value::text::trimmed;
use super::value::{date, without_percent_sign};
use crate::domain::detected::{Conventions, DateOrder, DecimalSeparator};
use crate::domain::options::Options;
use crate::domain::row::{CellKind, RawRow};

/// The conventions of a file whose header cells feed `columns` (indexes of the dataset's) and whose
/// first rows are `rows`: what the options declare, else what some cell proves and none contradicts.
///
/// Only texts in columns of numbers prove decimals, and only texts in columns of dates an order: tags
/// such as `1,2` are no numbers.
#[must_use]
pub fn conventions(
    dataset: &Dataset,
    columns: &[Option<usize>],
    rows: &[RawRow],
    options: &Options,
) -> Conventions {
    let mut proofs = Proofs::default();
    for (cell, column) in columns.iter().enumerate() {
        let column = column.and_then(|index| dataset.columns.get(index));
        let Some(column) = column else { continue };
        let texts = rows.iter().filter_map(|row| row.cell(cell));
        let texts = texts.filter(|(_, kind)| *kind == CellKind::Text).map(|(text, _)| text);
        proofs.look(column, texts);
    }
    Conventions {
        decimal: match options.decimal {
            DecimalSeparator::Undeclared => proofs.decimal.found().unwrap_or_default(),
            declared => declared,
        },
        dates: options.dates.or(proofs.dates.found()),
    }
}

/// What some cell proves.
#[derive(Debug, Default)]
struct Proofs {
    decimal: Proof<DecimalSeparator>,
    dates: Proof<DateOrder>,
}

#[derive(Debug, Clone, Copy, Default)]
enum Proof<T> {
    #[default]
    Missing,
    Found(T),
    Contradicted,
}

impl<T: Copy + PartialEq> Proof<T> {
    fn add(&mut self, proven: Option<T>) {
        match (*self, proven) {
            (Self::Missing, Some(proven)) => *self = Self::Found(proven),
            (Self::Found(found), Some(proven)) if found != proven => *self = Self::Contradicted,
            _ => {}
        }
    }

    fn found(self) -> Option<T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Missing | Self::Contradicted => None,
        }
    }
}

impl Proofs {
    fn look<'a>(&mut self, column: &Column, texts: impl Iterator<Item = &'a str>) {
        match column.kind {
            ColumnType::Integer | ColumnType::Decimal { .. } => {
                for text in texts.map(trimmed) {
                    let text = if column.percent { without_percent_sign(text) } else { text };
                    self.decimal.add(number::proof(text));
                }
            }
            // The definition says how its dates are written.
            ColumnType::Date | ColumnType::DateTime if !column.formats.is_empty() => {}
            ColumnType::Date | ColumnType::DateTime => {
                for text in texts.map(trimmed) {
                    self.dates.add(date::proof(text));
                }
            }
            ColumnType::Text | ColumnType::Boolean | ColumnType::Json | ColumnType::List => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::compile;

    /// The conventions of rows of tags, a price, a percentage and a day.
    fn of(rows: &[[&str; 4]], options: &[(&str, &str)]) -> Conventions {
        let definition = r#"
            name = "things"
            table = "things"
            key = ["tags"]
            column = [
              { name = "tags", required = true },
              { name = "price", type = "decimal(6,2)" },
              { name = "tax", type = "decimal(5,2)", percent = true },
              { name = "day", type = "date" },
            ]"#;
        let dataset = compile("things.toml", definition).unwrap().dataset;
        let raw = |cells: &[&str; 4]| {
            let mut row = RawRow::new();
            for cell in cells {
                row.push(CellKind::Text, cell);
            }
            row
        };
        let rows: Vec<RawRow> = rows.iter().map(raw).collect();
        let columns = [Some(0), Some(1), Some(2), Some(3)];
        let options = Options::parse(options.iter().copied()).unwrap();
        conventions(&dataset, &columns, &rows, &options)
    }

    #[test]
    fn only_cells_of_number_columns_prove_decimals() {
        use DecimalSeparator::{Comma, Point, Undeclared};
        let decimal = |rows: &[[&str; 4]]| of(rows, &[]).decimal;
        assert_eq!(decimal(&[["1,2", "1.250", "", ""]]), Undeclared);
        assert_eq!(decimal(&[["1,2", "1,250.00", "", ""], ["", "2,000", "", ""]]), Point);
        assert_eq!(decimal(&[["x", " 12,50", "", ""]]), Comma);
        assert_eq!(decimal(&[["x", "12", "12,5 %", ""]]), Comma);
        assert_eq!(decimal(&[["x", "12,50", "", ""], ["x", "12.50", "", ""]]), Undeclared);
        assert_eq!(of(&[["x", "12,50", "", ""]], &[("decimal", "point")]).decimal, Point);
    }

    #[test]
    fn one_date_proves_the_order_of_all() {
        let dates = |rows: &[[&str; 4]]| of(rows, &[]).dates;
        assert_eq!(dates(&[["13/04/2026", "", "", "05/04/2026"]]), None);
        assert_eq!(
            dates(&[["", "", "", "05/04/2026"], ["", "", "", "13/04/2026"]]),
            Some(DateOrder::Dmy)
        );
        assert_eq!(dates(&[["", "", "", "13/04/2026"], ["", "", "", "04/13/2026"]]), None);
        assert_eq!(
            of(&[["", "", "", "13/04/2026"]], &[("dates", "mdy")]).dates,
            Some(DateOrder::Mdy)
        );
    }
}
