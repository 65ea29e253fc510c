//! Files in the shapes that people report trouble with. Each is either stored as a person who looks
//! at the file would say, or told: refused, a row error, or a warning. `expected.toml` beside the
//! files says what is right for each.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::*;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
struct Expectations {
    file: Vec<Expected>,
}

/// What is right for a file; see the head of `expected.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    name: String,
    seed: Option<String>,
    options: String,
    rows: BTreeMap<String, BTreeMap<String, String>>,
    lacks: Vec<String>,
    lacks_names: Vec<String>,
    products: Option<u64>,
    /// Rows that the counts add up to.
    accounted: Option<u64>,
    /// Rows that failed.
    failed: Option<u64>,
    told: Option<Told>,
    codes: Vec<String>,
    /// No two products may have keys that look alike.
    alike: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Told {
    Refused,
    Rows,
    Warnings,
    Any,
}

/// What a server made of a file.
#[derive(Debug, Default)]
struct Seen {
    refusal: Option<String>,
    counts: BTreeMap<String, u64>,
    row_errors: Vec<String>,
    warnings: Vec<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reports")
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every file with what is right for it. Those of `sym/` have signs of windows-1252 in two names.
fn expectations() -> Vec<Expected> {
    let text = String::from_utf8(read("expected.toml")).unwrap();
    let Expectations { file: mut all } = toml::from_str(&text).unwrap();
    let signs = std::fs::read_dir(folder().join("sym")).unwrap();
    let mut names: Vec<_> =
        signs.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for name in names {
        let name = format!("sym/{name}");
        let bytes = read(&name);
        let (text, ..) = encoding_rs::WINDOWS_1252.decode(&bytes);
        let rows = text.lines().filter(|line| line.starts_with("SY-")).map(|line| {
            let cells: Vec<_> = line.split(',').collect();
            (cells[0].to_owned(), BTreeMap::from([("name".to_owned(), cells[1].trim().to_owned())]))
        });
        all.push(Expected { rows: rows.collect(), name, ..Expected::default() });
    }
    all
}

#[test]
fn every_file_has_an_expectation() {
    let expected: Vec<String> = expectations()
        .into_iter()
        .flat_map(|it| [Some(it.name), it.seed].into_iter().flatten())
        .collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_known = expected.contains(&name) || name == "sym" || name == "expected.toml";
        assert!(is_known, "{name} has no expectation");
    }
}

async fn see(server: &mut Server, expected: &Expected) -> Seen {
    for table in ["product_prices", "product_stocks", "products", "categories", "brands"] {
        server.database.execute(&format!("delete from {table}")).await;
    }
    if let Some(seed) = &expected.seed {
        server.load("products", Upload::file(seed, read(seed))).await;
    }
    let name = expected.name.rsplit('/').next().unwrap();
    let mut upload = Upload::file(name, read(&expected.name));
    for option in expected.options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap();
        upload = upload.option(name, value);
    }
    let answer = server.upload("products", upload).await;
    if answer.status != 202 {
        assert!((400..500).contains(&answer.status), "{}: {answer:?}", expected.name);
        return Seen { refusal: Some(answer.code().to_owned()), ..Seen::default() };
    }
    let job = answer.data()["jobId"].as_i64().unwrap();
    let status = server.finished(job).await;
    assert_eq!(status["status"], "completed", "{}: {status}", expected.name);
    let code = |it: &Value| it["code"].as_str().unwrap().to_owned();
    let groups = server.get(&format!("/api/v1/import/jobs/{job}/errors/groups")).await;
    Seen {
        refusal: None,
        counts: serde_json::from_value(status["counts"].clone()).unwrap(),
        row_errors: groups.data()["groups"].as_array().unwrap().iter().map(code).collect(),
        warnings: status["warnings"].as_array().unwrap().iter().map(code).collect(),
    }
}

/// Every way in which the table and the answers are not as they should be.
async fn faults(server: &mut Server, expected: &Expected) -> Vec<String> {
    let seen = see(server, expected).await;
    let mut faults = told_faults(expected, &seen);
    for (sku, columns) in &expected.rows {
        for (column, value) in columns {
            let stored = stored(server, sku, column).await;
            if stored.as_deref() != Some(value) {
                faults.push(format!("{sku}: {column} is {stored:?}, not `{value}`"));
            }
        }
    }
    for sku in &expected.lacks {
        if stored(server, sku, "sku").await.is_some() {
            faults.push(format!("product `{sku}` exists"));
        }
    }
    for name in &expected.lacks_names {
        let sql = format!("select count(*) from products where name = '{name}'");
        if server.database.number(&sql).await > 0 {
            faults.push(format!("a product is called `{name}`"));
        }
    }
    let products = server.database.number("select count(*) from products").await;
    if expected.products.is_some_and(|right| right != products) {
        faults.push(format!("{products} products, not {:?}", expected.products));
    }
    if expected.alike {
        faults.extend(alike(server).await);
    }
    if !faults.is_empty() {
        faults.push(format!("seen: {seen:?}"));
    }
    faults
}

fn told_faults(expected: &Expected, seen: &Seen) -> Vec<String> {
    let mut faults = Vec::new();
    let (refused, rows) = (seen.refusal.is_some(), !seen.row_errors.is_empty());
    let is_told = match expected.told {
        None => !refused,
        Some(Told::Refused) => refused,
        Some(Told::Rows) => rows,
        Some(Told::Warnings) => !refused && !seen.warnings.is_empty(),
        Some(Told::Any) => refused || rows || !seen.warnings.is_empty(),
    };
    if !is_told {
        faults.push(format!("it should be told as {:?}", expected.told));
    }
    for code in &expected.codes {
        let codes = seen.refusal.iter().chain(&seen.row_errors).chain(&seen.warnings);
        if !codes.into_iter().any(|it| it == code) {
            faults.push(format!("`{code}` is not told"));
        }
    }
    let sum: u64 = seen.counts.values().sum();
    if expected.accounted.is_some_and(|right| !refused && right != sum) {
        faults.push(format!("{sum} rows are accounted for, not {:?}", expected.accounted));
    }
    let failed = seen.counts.get("failed").copied();
    if expected.failed.is_some_and(|right| !refused && Some(right) != failed) {
        faults.push(format!("{failed:?} rows failed, not {:?}", expected.failed));
    }
    faults
}

/// The value of a product as text: decimals without zeros at the end, nothing as an empty text.
async fn stored(server: &Server, sku: &str, column: &str) -> Option<String> {
    let of_reference = match column {
        "category" => Some("categories"),
        "brand" => Some("brands"),
        _ => None,
    };
    let sku = sku.replace('\'', "''");
    let value = match of_reference {
        Some(table) => format!("(select name from {table} r where r.id = p.{column}_id)"),
        None => format!("p.{column}"),
    };
    let sql =
        format!("select coalesce(cast({value} as text), '') from products p where sku = '{sku}'");
    let text = server.rows(&sql).await.into_iter().flatten().next()?;
    let is_decimal = text.contains('.') && text.parse::<f64>().is_ok();
    Some(if is_decimal && !matches!(column, "sku" | "name" | "description") {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    })
}

/// Pairs of keys that look the same: white space, hyphens and width apart.
async fn alike(server: &Server) -> Vec<String> {
    use unicode_normalization::UnicodeNormalization;
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = Vec::new();
    for sku in server.rows("select sku from products").await.into_iter().flatten() {
        let look = |c: char| match c {
            '\u{2010}'..='\u{2015}' => '-',
            c if c.is_whitespace() => ' ',
            c => c,
        };
        let is_seen = |c: &char| !matches!(c, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}');
        let folded: String = sku.nfc().filter(is_seen).map(look).collect();
        let full_width = |c: char| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap(),
            c => c,
        };
        let folded: String = folded.chars().map(full_width).collect();
        let folded =
            folded.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        if let Some(other) = seen.insert(folded, sku.clone()) {
            faults.push(format!("`{sku}` and `{other}` look alike"));
        }
    }
    faults
}

both!(each_file_is_stored_as_it_looks_or_told, |server| {
    let mut list = String::new();
    for expected in expectations() {
        let faults = faults(server, &expected).await;
        let name = format!("\n{} {}: ", expected.name, expected.options);
        for fault in faults {
            list.push_str(&format!("{name}{fault}"));
        }
    }
    assert!(list.is_empty(), "{list}");
});
