//! The files of the rig: what stands in each row, from a seed, as CSV and as XLSX. Each family of
//! files has keys of its own, so that the order in which jobs run does not matter; a family comes
//! again in each round, with other prices.

use super::draw::mixed;

/// Rows of the largest file.
pub(crate) const LARGE: u32 = 100_000;

/// Rows of the files of one round: one large, some of 20,000 rows, a workbook, many small ones.
const SIZES: [(u32, usize, bool); 5] = [
    (LARGE, 1, false),
    (20_000, 3, false),
    (10_000, 1, true),
    (1_000, 25, false),
    (1_000, 5, true),
];

/// One file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File {
    pub(crate) family: u32,
    pub(crate) round: u32,
    pub(crate) rows: u32,
    pub(crate) is_workbook: bool,
    seed: u64,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Empty in a row that fails.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) brand: String,
    /// In hundredths; nothing in a row that fails.
    pub(crate) price: Option<u64>,
    pub(crate) stock: u64,
}

/// All files of a round, the families in order.
pub(crate) fn of_round(seed: u64, round: u32) -> Vec<File> {
    let mut files = Vec::new();
    for (rows, count, is_workbook) in SIZES {
        for _ in 0..count {
            let family = u32::try_from(files.len()).expect("few files");
            files.push(File { family, round, rows, is_workbook, seed });
        }
    }
    files
}

impl File {
    pub(crate) fn name(&self) -> String {
        let extension = if self.is_workbook { "xlsx" } else { "csv" };
        format!("family-{}-round-{}.{extension}", self.family, self.round)
    }

    /// A number for a row that is the same in each run, another one for each `what`.
    fn chance(&self, row: u32, round: u32, what: u64) -> u64 {
        let place = u64::from(self.family) << 40 | u64::from(round) << 32 | u64::from(row);
        mixed(mixed(self.seed ^ place) ^ what)
    }

    /// The round in which this row got the value that it has now.
    fn valued(&self, row: u32) -> u32 {
        (1..=self.round)
            .rev()
            .find(|round| self.chance(row, *round, 1).is_multiple_of(3))
            .unwrap_or(0)
    }

    /// The row with this number, from 0.
    pub(crate) fn row(&self, row: u32) -> Row {
        // Every 9th row has the key of the row 5 before it and overtakes that.
        let key = if row % 9 == 8 { row - 5 } else { row };
        let valued = self.valued(row);
        let fault = self.chance(row, self.round, 2) % 400;
        // Names of references mean the same whatever their letter case.
        let category = format!("Category {}", self.chance(row, 0, 3) % 20);
        let is_loud = self.chance(row, self.round, 4).is_multiple_of(2);
        Row {
            key: if fault == 0 { String::new() } else { format!("F{:02}-{key:06}", self.family) },
            name: format!("Product {key} of family {}", self.family),
            category: if is_loud { category.to_uppercase() } else { category },
            brand: format!("Brand {}", self.chance(row, 0, 5) % 300),
            price: (fault % 20 != 1).then(|| self.chance(row, valued, 6) % 1_000_000),
            stock: self.chance(row, valued / 2, 7) % 1_000,
        }
    }

    /// The file as it is uploaded.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        if self.is_workbook { self.workbook() } else { self.text().into_bytes() }
    }

    fn text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = "SKU,Name,Category,Brand,Selling Price,Qty\n".to_owned();
        for row in (0..self.rows).map(|row| self.row(row)) {
            let _ = write!(text, "{},{},{},{},", row.key, row.name, row.category, row.brand);
            let _ = match row.price {
                Some(price) => writeln!(text, "{}.{:02},{}", price / 100, price % 100, row.stock),
                None => writeln!(text, "free,{}", row.stock),
            };
        }
        text
    }

    fn workbook(&self) -> Vec<u8> {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet_with_constant_memory().expect("a sheet");
        let header = ["SKU", "Name", "Category", "Brand", "Selling Price", "Qty"];
        for (column, title) in (0..).zip(header) {
            sheet.write(0, column, title).expect("a cell");
        }
        for number in 0..self.rows {
            let row = self.row(number);
            let texts = [&row.key, &row.name, &row.category, &row.brand];
            for (column, text) in (0..).zip(texts).filter(|(_, text)| !text.is_empty()) {
                sheet.write(number + 1, column, text).expect("a cell");
            }
            match row.price {
                Some(price) => {
                    let price = u32::try_from(price).expect("a small price");
                    sheet.write(number + 1, 4, f64::from(price) / 100.0).expect("a cell");
                }
                None => drop(sheet.write(number + 1, 4, "free").expect("a cell")),
            }
            sheet.write(number + 1, 5, row.stock).expect("a cell");
        }
        workbook.save_to_buffer().expect("the workbook")
    }
}
