//! Goods with labels in a join table: the files of a job that writes lists, and the links that these
//! mean. Knows nothing of faults.

use std::collections::{BTreeMap, BTreeSet};

use super::grounds::ROWS;
use crate::lists::{COLUMNS, PRODUCTS};
use crate::support::*;

/// The definition; the server makes the tables.
pub(super) fn definition() -> String {
    format!("{PRODUCTS}create_table = true\n{COLUMNS}")
}

/// The labels of each of the goods.
pub(super) type Links = BTreeMap<String, BTreeSet<String>>;

struct Row {
    sku: String,
    labels: BTreeSet<String>,
    /// The same in all files: of many rows only the list changes.
    amount: u64,
    /// The row fails.
    is_bad: bool,
}

impl Row {
    /// `other` tells the lists of one file from those of another.
    fn new(sku: u64, other: u64) -> Self {
        let label = |place| format!("label {}", (sku * 7 + place * 13 + other) % 40);
        // Every fourth list is empty.
        let labels = (0..sku % 4).map(label).collect();
        Self { sku: format!("G{sku:04}"), labels, amount: sku % 100, is_bad: false }
    }
}

/// Every third of the goods; all labels that somebody else gives later are there.
fn rows_before() -> Vec<Row> {
    let mut rows: Vec<Row> = (0..ROWS).step_by(3).map(|sku| Row::new(sku, 0)).collect();
    rows[0].labels.insert("gift".to_owned());
    rows
}

/// New goods, and known ones, some with the same list; labels that are new in each chunk; bad
/// rows; keys that come again.
fn rows() -> Vec<Row> {
    let row = |number: u64| {
        let comes_again = number % 9 == 8;
        let sku = if comes_again { number - 5 } else { number };
        let mut row = Row::new(sku, u64::from(!number.is_multiple_of(5)));
        if number % 6 == 1 {
            row.labels.insert(format!("New {}", number / 50));
        }
        // What a row that fails means for one before it is another test's.
        row.is_bad = !comes_again && number % 13 == 7;
        row
    };
    (0..ROWS).map(row).collect()
}

/// Rows of which none is bad: some are known.
fn whole_rows() -> Vec<Row> {
    (0..ROWS).map(|number| Row::new(number, 1)).collect()
}

fn text(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let labels = row.labels.iter().map(String::as_str).collect::<Vec<_>>().join("|");
        let amount = if row.is_bad { "many".to_owned() } else { row.amount.to_string() };
        format!("{},{labels},{amount}\n", row.sku)
    };
    format!("SKU,Tags,Amount\n{}", rows.iter().map(line).collect::<String>())
}

pub(super) fn before() -> String {
    text(&rows_before())
}

pub(super) fn file() -> String {
    text(&rows())
}

pub(super) fn whole_file() -> String {
    text(&whole_rows())
}

/// What the goods have when these rows are imported.
fn add(links: &mut Links, rows: Vec<Row>) {
    for row in rows.into_iter().filter(|row| !row.is_bad) {
        let labels = row.labels.iter().map(|label| label.to_lowercase()).collect();
        links.insert(row.sku, labels);
    }
}

/// The links that [`before`] means, and then [`file`].
pub(super) fn links_of_the_file() -> Links {
    let mut links = Links::new();
    add(&mut links, rows_before());
    add(&mut links, rows());
    links
}

/// The links that [`before`] means, and then [`whole_file`].
pub(super) fn links_of_the_whole_file() -> Links {
    let mut links = Links::new();
    add(&mut links, rows_before());
    add(&mut links, whole_rows());
    links
}

/// What somebody else does before the import is taken back: some lists are emptied, some get a label.
pub(super) const CHANGES: [&str; 2] = [
    "delete from good_tags where good_id in (select id from goods where sku like '%4')",
    "insert into good_tags (good_id, label_id) select g.id, l.id from goods g, labels l \
     where g.sku like '%2' and l.name = 'gift'",
];

/// The links when [`file`] is taken back after [`CHANGES`]: goods that somebody changed keep theirs.
pub(super) fn links_of_the_rollback() -> Links {
    let (mut before, file) = (Links::new(), links_of_the_file());
    add(&mut before, rows_before());
    let mut links = before;
    for (sku, mut labels) in file {
        if sku.ends_with('2') {
            labels.insert("gift".to_owned());
            links.insert(sku, labels);
        } else if sku.ends_with('4') && !labels.is_empty() {
            links.insert(sku, BTreeSet::new());
        }
    }
    links
}

/// The goods, the labels of each, and all labels: without ids, times, and whose letters came first.
pub(super) async fn contents(server: &Server) -> Vec<Vec<Vec<String>>> {
    let queries = [
        "select sku, amount from goods order by 1",
        "select g.sku, lower(l.name) from good_tags t left join goods g on g.id = t.good_id \
         left join labels l on l.id = t.label_id order by 1, 2",
        "select lower(name) from labels order by 1",
    ];
    let mut contents = Vec::new();
    for query in queries {
        contents.push(server.rows(query).await);
    }
    contents
}

/// The goods and their labels are these, and there are no others.
#[track_caller]
pub(super) fn check_links(contents: &[Vec<Vec<String>>], links: &Links) {
    let goods: Vec<&String> = contents[0].iter().map(|row| &row[0]).collect();
    assert_eq!(goods, links.keys().collect::<Vec<_>>());
    let pairs = links.iter().flat_map(|(sku, labels)| labels.iter().map(move |it| [sku, it]));
    let mut pairs: Vec<Vec<String>> = pairs.map(|pair| pair.map(String::clone).to_vec()).collect();
    let mut stored = contents[1].clone();
    pairs.sort();
    stored.sort();
    assert_eq!(stored, pairs);
}
