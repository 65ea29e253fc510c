//! Random files of a few products: keys that repeat, bad values, blank and ragged rows, names of
//! references in different letter case. Each cell says what it means, so that the model needs none
//! of the code that it checks.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::Upload;

/// What a cell stands for, or the code of its fault.
pub(crate) type Meaning = Result<Option<&'static str>, &'static str>;

/// A cell as it stands in the file, and what it stands for.
pub(crate) type Cell = (&'static str, Meaning);

/// `A` and `a` are two products; the two spellings of `Ä` are one.
const SKUS: &[Cell] = &[
    ("A", Ok(Some("A"))),
    ("a", Ok(Some("a"))),
    (" B ", Ok(Some("B"))),
    ("B", Ok(Some("B"))),
    ("C", Ok(Some("C"))),
    ("D-1", Ok(Some("D-1"))),
    ("\u{c4}", Ok(Some("\u{c4}"))),
    ("A\u{308}", Ok(Some("\u{c4}"))),
    ("00012", Ok(Some("00012"))),
    ("12", Ok(Some("12"))),
    ("", Err("required")),
    ("E\u{200b}", Err("control_character")),
];

const NAMES: &[Cell] = &[
    ("Arnica", Ok(Some("Arnica"))),
    (" Arnica", Ok(Some("Arnica"))),
    ("Bryonia  alba", Ok(Some("Bryonia  alba"))),
    ("\"Two\nlines\"", Ok(Some("Two\nlines"))),
    ("=1+1", Ok(Some("=1+1"))),
    ("", Err("required")),
];

/// Names of references mean the same whatever their letter case.
const REFERENCES: &[Cell] = &[
    ("", Ok(None)),
    ("Drops", Ok(Some("drops"))),
    ("DROPS ", Ok(Some("drops"))),
    ("drops", Ok(Some("drops"))),
    ("Pills", Ok(Some("pills"))),
    ("\u{d6}l", Ok(Some("\u{f6}l"))),
    ("\u{f6}L", Ok(Some("\u{f6}l"))),
];

/// Meanings are in hundredths.
const NUMBERS: &[Cell] = &[
    ("", Ok(None)),
    (" ", Ok(None)),
    ("0", Ok(Some("0"))),
    ("1", Ok(Some("100"))),
    ("1.00", Ok(Some("100"))),
    ("1.5", Ok(Some("150"))),
    (" 19.99", Ok(Some("1999"))),
    ("9999999999.99", Ok(Some("999999999999"))),
    ("-1", Err("out_of_range")),
    ("99999999999", Err("out_of_range")),
    ("1.0051", Err("too_many_decimals")),
    ("NaN", Ok(None)),
    ("inf", Err("not_a_number")),
    ("12 EUR", Err("not_a_number")),
];

/// How a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    /// Nothing but delimiters.
    Blank,
    /// No character at all.
    Empty,
    /// Ends behind the key.
    Short,
    /// Ends behind the name; what is missing is empty.
    OnlyRequired,
    /// Has a cell more than the header.
    Long,
}

/// A row of a file; a cell for each of the six columns, in the order of [`COLUMNS`].
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) shape: Shape,
    pub(crate) cells: [Cell; 6],
}

/// Header and name of the columns.
pub(crate) const COLUMNS: [(&str, &str); 6] = [
    ("SKU", "sku"),
    ("Name", "name"),
    ("Category", "category"),
    ("Brand", "brand"),
    ("Selling Price", "selling_price"),
    ("Qty", "current_stock"),
];

/// A file and its options.
#[derive(Clone)]
pub(crate) struct Import {
    pub(crate) rows: Vec<Row>,
    /// Which of the columns the file has; always the first two.
    pub(crate) has: [bool; 6],
    pub(crate) mode: &'static str,
    pub(crate) keeps_blank: bool,
    pub(crate) duplicates_fail: bool,
    pub(crate) dry_run: bool,
}

impl Import {
    /// The file as CSV.
    pub(crate) fn text(&self) -> String {
        let of = |cells: [&'static str; 6]| {
            let kept =
                cells.into_iter().zip(self.has).filter(|(_, has)| *has).map(|(cell, _)| cell);
            kept.collect::<Vec<_>>()
        };
        let mut text = of(COLUMNS.map(|(header, _)| header)).join(",");
        for row in &self.rows {
            let mut cells = of(row.cells.map(|(raw, _)| raw));
            match row.shape {
                Shape::Whole => {}
                Shape::Blank => cells.fill(""),
                Shape::Empty => cells.clear(),
                Shape::Short => cells.truncate(1),
                Shape::OnlyRequired => cells.truncate(2),
                Shape::Long => cells.push("more"),
            }
            text.push('\n');
            text.push_str(&cells.join(","));
        }
        text.push('\n');
        text
    }

    pub(crate) fn upload(&self) -> Upload {
        let flag = |on: bool, yes: &'static str, no: &'static str| if on { yes } else { no };
        Upload::csv(&self.text())
            .option("mode", self.mode)
            .option("blank", flag(self.keeps_blank, "keep", "clear"))
            .option("duplicates", flag(self.duplicates_fail, "error", "last"))
            .option("dryRun", flag(self.dry_run, "true", "false"))
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "mode={} blank kept: {} duplicates fail: {} dry run: {}",
            self.mode, self.keeps_blank, self.duplicates_fail, self.dry_run
        )?;
        for (number, line) in self.text().lines().enumerate() {
            writeln!(f, "{:>4}  {}", number + 1, line.escape_debug())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

fn row() -> impl Strategy<Value = Row> {
    let shape = prop_oneof![
        14 => Just(Shape::Whole),
        1 => Just(Shape::Blank),
        1 => Just(Shape::Empty),
        1 => Just(Shape::Short),
        1 => Just(Shape::OnlyRequired),
        1 => Just(Shape::Long),
    ];
    // A required cell that is empty, and a bad number, are rare enough for most rows to be good.
    let number = prop_oneof![3 => select(&NUMBERS[..8]), 1 => select(NUMBERS)];
    let sku = prop_oneof![3 => select(&SKUS[..10]), 1 => select(SKUS)];
    let name = prop_oneof![3 => select(&NAMES[..5]), 1 => select(NAMES)];
    (shape, sku, name, select(REFERENCES), select(REFERENCES), number.clone(), number).prop_map(
        |(shape, sku, name, category, brand, price, stock)| Row {
            shape,
            cells: [sku, name, category, brand, price, stock],
        },
    )
}

/// Short rows that follow each other may add up to one row, and are told as its parts: only the
/// first of them stays short.
fn with_short_rows_apart(mut rows: Vec<Row>, has: [bool; 6]) -> Vec<Row> {
    let mut is_behind_short = false;
    for row in &mut rows {
        let is_short = matches!(row.shape, Shape::Short | Shape::OnlyRequired);
        let mut kept = row.cells.iter().zip(has).filter(|(_, has)| *has);
        let is_blank = matches!(row.shape, Shape::Blank | Shape::Empty)
            || kept.all(|((text, _), _)| text.trim().is_empty());
        if is_short && is_behind_short {
            row.shape = Shape::Whole;
        }
        is_behind_short = if is_blank { is_behind_short } else { is_short && !is_behind_short };
    }
    rows
}

fn import() -> impl Strategy<Value = Import> {
    let mode = prop_oneof![4 => Just("upsert"), 1 => Just("insert"), 1 => Just("update")];
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.15));
    (vec(row(), 1..30), any::<[bool; 4]>(), mode, flags).prop_map(
        |(rows, [category, brand, price, stock], mode, (keeps_blank, duplicates_fail, dry_run))| {
            let has = [true, true, category, brand, price, stock];
            Import {
                rows: with_short_rows_apart(rows, has),
                has,
                mode,
                keeps_blank,
                duplicates_fail,
                dry_run,
            }
        },
    )
}

/// Files to be imported one after another, and a number that chooses the server.
pub(crate) fn imports() -> impl Strategy<Value = (Vec<Import>, usize)> {
    (vec(import(), 1..5), 0..60_usize)
}
