//! The oracle: what the files make of the tables, by a plain map in memory, and how the tables
//! differ from it.

use std::collections::BTreeMap;

use super::files::File;
use crate::support::Database;

/// The values of a product behind its key: name, category in lower case, brand, price, stock.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Product {
    name: String,
    category: String,
    brand: String,
    price: u64,
    stock: u64,
    /// Records of the histories of price and stock.
    records: [u64; 2],
}

/// created, updated, unchanged, superseded, failed
pub(crate) type Counts = [u64; 5];

/// The tables.
#[derive(Debug, Default)]
pub(crate) struct Model {
    products: BTreeMap<String, Product>,
}

/// How the tables differ from the model.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// Rows that should be there, or have other values.
    pub(crate) lost: u64,
    /// Rows that should not be there.
    pub(crate) doubled: u64,
    /// The first ones, in words.
    pub(crate) examples: Vec<String>,
}

impl Difference {
    fn note(&mut self, example: String) {
        if self.examples.len() < 10 {
            self.examples.push(example);
        }
    }

    fn missing(&mut self, rows: u64, example: String) {
        self.lost += rows;
        self.note(example);
    }

    fn surplus(&mut self, rows: u64, example: String) {
        self.doubled += rows;
        self.note(example);
    }
}

impl Model {
    /// Imports a file and gives its counts.
    pub(crate) fn apply(&mut self, file: &File) -> Counts {
        let mut counts = [0; 5];
        let mut last: BTreeMap<String, (Product, u64)> = BTreeMap::new();
        for row in (0..file.rows).map(|row| file.row(row)) {
            let Some(price) = row.price.filter(|_| !row.key.is_empty()) else {
                counts[4] += 1;
                continue;
            };
            let product = Product {
                name: row.name,
                category: row.category.to_lowercase(),
                brand: row.brand,
                price,
                stock: row.stock,
                records: [1, 1],
            };
            if last.insert(row.key, (product, 0)).is_some() {
                counts[3] += 1;
            }
        }
        for (key, (mut product, _)) in last {
            match self.products.get(&key) {
                None => counts[0] += 1,
                Some(old) => {
                    let price = u64::from(old.price != product.price);
                    let stock = u64::from(old.stock != product.stock);
                    product.records = [old.records[0] + price, old.records[1] + stock];
                    counts[if *old == product { 2 } else { 1 }] += 1;
                }
            }
            self.products.insert(key, product);
        }
        counts
    }

    /// Compares the tables with the model.
    pub(crate) async fn compare(&self, database: &Database) -> Difference {
        let mut difference = Difference::default();
        self.compare_products(database, &mut difference).await;
        for (index, table, column) in
            [(0, "product_prices", "selling_price"), (1, "product_stocks", "current_stock")]
        {
            self.compare_history(database, index, table, column, &mut difference).await;
        }
        for (table, column) in [("categories", "category"), ("brands", "brand")] {
            let sql = format!(
                "select count(*), count(distinct lower(name)), \
                 (select count(distinct {column}_id) from products) from {table}"
            );
            let found: Vec<u64> = numbers(&database.rows(&sql).await.concat());
            if found.iter().any(|count| *count != found[0]) {
                let example = format!("{table}: all, different, used are {found:?}");
                difference.surplus(found[0].abs_diff(found[1]).max(1), example);
            }
        }
        difference
    }

    async fn compare_products(&self, database: &Database, difference: &mut Difference) {
        let sql = "select p.sku, p.name, lower(c.name), b.name, \
                   cast(round(p.selling_price * 100) as bigint), \
                   cast(round(p.current_stock) as bigint) from products p \
                   left join categories c on c.id = p.category_id \
                   left join brands b on b.id = p.brand_id";
        let mut seen = 0;
        let mut stored: BTreeMap<String, u64> = BTreeMap::new();
        for row in database.rows(sql).await {
            *stored.entry(row[0].clone()).or_default() += 1;
            let Some(product) = self.products.get(&row[0]) else {
                difference.surplus(1, format!("nobody sent {row:?}"));
                continue;
            };
            seen += u64::from(stored[&row[0]] == 1);
            if stored[&row[0]] > 1 {
                difference.surplus(1, format!("{row:?} is there twice"));
            }
            let expected = [
                &product.name,
                &product.category,
                &product.brand,
                &product.price.to_string(),
                &product.stock.to_string(),
            ];
            if row[1..].iter().ne(expected) {
                difference.missing(1, format!("{row:?} should be {product:?}"));
            }
        }
        let missing = self.products.len() as u64 - seen;
        if missing > 0 {
            let first = self.products.keys().find(|key| !stored.contains_key(*key));
            difference.missing(missing, format!("{missing} products, the first is {first:?}"));
        }
    }

    async fn compare_history(
        &self,
        database: &Database,
        index: usize,
        table: &str,
        column: &str,
        difference: &mut Difference,
    ) {
        let hundredths = if index == 0 { 100 } else { 1 };
        let sql = format!(
            "select p.sku, count(*), count(*) - count(h.archived_at), \
             max(case when h.archived_at is null \
             then cast(round(h.{column} * {hundredths}) as bigint) end) \
             from {table} h join products p on p.id = h.product_id group by 1"
        );
        let mut products = 0;
        for row in database.rows(&sql).await {
            let Some(product) = self.products.get(&row[0]) else { continue };
            products += 1;
            let [records, current, value] = *numbers(&row[1..]) else {
                difference.missing(1, format!("{table}: {row:?}"));
                continue;
            };
            let expected = product.records[index];
            let example = || format!("{table}: {row:?} should be {product:?}");
            if records > expected || current > 1 {
                difference.surplus(records.saturating_sub(expected).max(1), example());
            }
            let now = [product.price, product.stock][index];
            if records < expected || current < 1 || value != now {
                difference.missing(expected.saturating_sub(records).max(1), example());
            }
        }
        let missing = self.products.len() as u64 - products;
        if missing > 0 {
            difference.missing(missing, format!("{missing} products have no record in {table}"));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.products.len()
    }
}

fn numbers(texts: &[String]) -> Vec<u64> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}
