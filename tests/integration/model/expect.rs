//! The model: what a list of files makes of the tables, by the shortest way there is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::files::{COLUMNS, Cell, Import, Shape};
use crate::support::Server;

type Text = Option<&'static str>;

/// The values of a product behind its key: name, category, brand, price, stock.
type Product = [Text; 5];

/// The tables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    products: BTreeMap<&'static str, Product>,
    /// Prices and stocks, oldest first, and whether the record is the current one.
    histories: [BTreeMap<&'static str, Vec<(&'static str, bool)>>; 2],
    /// Categories and brands in lower case.
    references: [BTreeSet<&'static str>; 2],
}

/// What the answer to one file must be.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// created, updated, unchanged, superseded, failed
    counts: [u64; 5],
    /// Row number, column, code.
    errors: BTreeSet<(usize, String, String)>,
    superseded: Vec<(usize, usize)>,
}

impl Model {
    /// Imports a file.
    pub(crate) fn apply(&mut self, import: &Import) -> Expected {
        let before = self.clone();
        let mut expected = Expected::default();
        let mut valid: Vec<(usize, [Text; 6], usize)> = Vec::new();
        for (index, row) in import.rows.iter().enumerate() {
            let number = index + 2;
            match read(import, row.shape, &row.cells) {
                None => {}
                Some(Ok(values)) => valid.push((number, values, width(row.shape))),
                Some(Err(faults)) => {
                    expected.counts[4] += 1;
                    expected.errors.extend(faults.into_iter().map(|(c, e)| (number, c, e)));
                }
            }
        }
        let last: BTreeMap<Text, usize> =
            valid.iter().map(|(number, values, _)| (values[0], *number)).collect();
        for (number, values, width) in valid {
            let winner = last[&values[0]];
            if winner == number {
                self.take(import, number, (&values, width), &mut expected);
            } else if import.duplicates_fail {
                expected.fail(number, "NULL", "duplicate_in_file");
            } else {
                expected.counts[3] += 1;
                expected.superseded.push((number, winner));
            }
        }
        if import.dry_run {
            *self = before;
        }
        expected
    }

    /// Takes a row of which `width` cells are there: what it does not have stays as it is.
    fn take(
        &mut self,
        import: &Import,
        number: usize,
        (values, width): (&[Text; 6], usize),
        to: &mut Expected,
    ) {
        let Some(sku) = values[0] else { return };
        for (names, name) in self.references.iter_mut().zip([values[2], values[3]]) {
            names.extend(name);
        }
        let stored = self.products.get(sku).copied();
        match (import.mode, stored) {
            ("insert", Some(_)) => return to.fail(number, "sku", "already_exists"),
            ("update", None) => return to.fail(number, "sku", "not_found"),
            _ => {}
        }
        let old = stored.unwrap_or_default();
        let mut new = old;
        for (index, value) in new.iter_mut().enumerate() {
            let keeps = import.keeps_blank && values[index + 1].is_none();
            if import.has[index + 1] && index + 1 < width && !keeps {
                *value = values[index + 1];
            }
        }
        match stored {
            None => to.counts[0] += 1,
            Some(_) if new != old => to.counts[1] += 1,
            Some(_) => to.counts[2] += 1,
        }
        self.products.insert(sku, new);
        for (history, index) in self.histories.iter_mut().zip([3, 4]) {
            if new[index] != old[index] {
                let records = history.entry(sku).or_default();
                for (_, is_current) in &mut *records {
                    *is_current = false;
                }
                records.extend(new[index].map(|value| (value, true)));
            }
        }
    }
}

/// Cells of a row that are there.
fn width(shape: Shape) -> usize {
    match shape {
        Shape::Blank | Shape::Empty => 0,
        Shape::Short => 1,
        Shape::OnlyRequired => 2,
        Shape::Whole | Shape::Long => 6,
    }
}

/// The values of a row; nothing for one that is skipped, or its faults: column and code.
#[expect(clippy::type_complexity, reason = "used once")]
fn read(
    import: &Import,
    shape: Shape,
    cells: &[Cell; 6],
) -> Option<Result<[Text; 6], Vec<(String, String)>>> {
    if matches!(shape, Shape::Blank | Shape::Empty) {
        return None;
    }
    let width = width(shape);
    let there = |index: &usize| import.has[*index] && *index < width;
    // Zeros that were filled down are no row.
    let is_nothing = |index: usize| matches!(cells[index].0.trim(), "" | "0");
    if (0..6).filter(there).all(is_nothing) && shape != Shape::Long {
        return None;
    }
    let mut faults = Vec::new();
    match shape {
        Shape::Short => faults.push(("NULL".to_owned(), "missing_columns".to_owned())),
        Shape::Long => faults.push(("NULL".to_owned(), "too_many_columns".to_owned())),
        Shape::Whole | Shape::OnlyRequired | Shape::Blank | Shape::Empty => {}
    }
    let mut values = [None; 6];
    for index in (0..6).filter(there) {
        match cells[index].1 {
            Ok(value) => values[index] = value,
            Err(code) => faults.push((COLUMNS[index].1.to_owned(), code.to_owned())),
        }
    }
    Some(if faults.is_empty() { Ok(values) } else { Err(faults) })
}

impl Expected {
    fn fail(&mut self, number: usize, column: &str, code: &str) {
        self.counts[4] += 1;
        self.errors.insert((number, column.to_owned(), code.to_owned()));
    }

    /// Compares with what the server answered and stored.
    pub(crate) async fn differs(
        &self,
        server: &Server,
        job: &Value,
        model: &Model,
    ) -> Result<(), String> {
        let counts = ["created", "updated", "unchanged", "superseded", "failed"]
            .map(|name| job["counts"][name].as_u64().unwrap_or(u64::MAX));
        same("counts", &counts, &self.counts)?;
        same("status", &job["status"], &Value::from("completed"))?;
        let job = &job["jobId"];
        let sql = format!(
            "select row_number, column_name, code from import_errors where import_log_id = {job}"
        );
        let errors: BTreeSet<_> = server.rows(&sql).await.iter().map(|row| three(row)).collect();
        same("row errors", &errors, &self.errors)?;
        let sql = format!(
            "select row_number, by_row_number from import_superseded \
             where import_log_id = {job} order by 1"
        );
        let pair = |row: Vec<String>| (row[0].parse().unwrap_or(0), row[1].parse().unwrap_or(0));
        let superseded: Vec<(usize, usize)> =
            server.rows(&sql).await.into_iter().map(pair).collect();
        same("superseded rows", &superseded, &self.superseded)?;
        model.compare(server).await
    }
}

fn three(row: &[String]) -> (usize, String, String) {
    (row[0].parse().unwrap_or(0), row[1].clone(), row[2].clone())
}

impl Model {
    async fn compare(&self, server: &Server) -> Result<(), String> {
        let sql = "select p.sku, p.name, c.name, b.name, \
                   cast(round(p.selling_price * 100) as bigint), \
                   cast(round(p.current_stock * 100) as bigint) from products p \
                   left join categories c on c.id = p.category_id \
                   left join brands b on b.id = p.brand_id";
        let mut found = server.rows(sql).await;
        for row in &mut found {
            for name in &mut row[2..4] {
                if name != "NULL" {
                    *name = name.to_lowercase();
                }
            }
        }
        found.sort();
        let text = |value: Text| value.unwrap_or("NULL").to_owned();
        let products: Vec<Vec<String>> = (self.products.iter())
            .map(|(sku, values)| {
                std::iter::once((*sku).to_owned()).chain(values.iter().copied().map(text)).collect()
            })
            .collect();
        same("products", &found, &products)?;
        for (table, column, history) in [
            ("product_prices", "selling_price", &self.histories[0]),
            ("product_stocks", "current_stock", &self.histories[1]),
        ] {
            let sql = format!(
                "select p.sku, cast(round(h.{column} * 100) as bigint), h.archived_at is null \
                 from {table} h join products p on p.id = h.product_id order by h.id"
            );
            let mut found = server.rows(&sql).await;
            // Stable: within a product the records stay in the order of their making.
            found.sort_by(|a, b| a[0].cmp(&b[0]));
            let record = |sku: &str, (value, current): &(&str, bool)| {
                vec![sku.to_owned(), (*value).to_owned(), u8::from(*current).to_string()]
            };
            let expected: Vec<Vec<String>> = (history.iter())
                .flat_map(|(sku, records)| records.iter().map(|it| record(sku, it)))
                .collect();
            same(table, &found, &expected)?;
        }
        for (table, names) in ["categories", "brands"].into_iter().zip(&self.references) {
            let stored = server.rows(&format!("select name from {table}")).await.concat();
            let mut stored: Vec<String> = stored.iter().map(|name| name.to_lowercase()).collect();
            stored.sort();
            let expected: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            same(table, &stored, &expected)?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("the {what} are\n  {found:?}\nand should be\n  {expected:?}"))
}
