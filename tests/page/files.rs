//! The files that visitors bring along.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// 24 products under the headers that a shop has.
pub(crate) fn medicine_list() -> Vec<u8> {
    let path = root().join("tests/fixtures/medicine_list.csv");
    std::fs::read(path).expect("the fixture is there")
}

/// A file in the corpora beside the project; where they are missing the test says so and passes.
pub(crate) fn corpus(name: &str) -> Option<Vec<u8>> {
    let path: PathBuf = root().join("../shared/corpora/real").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}

/// A list of new products, of seven categories; its last row has the number `rows + 1`.
pub(crate) fn list(key: &str, rows: u64) -> String {
    let mut text = "SKU,Name,Category,Qty\n".to_owned();
    for row in 0..rows {
        text.push_str(&format!("{key}-{row:05},Remedy {row},Class {},{}\n", row % 7, row % 100));
    }
    text
}

/// Six products, of which the rows 3, 4, 5 and 7 fail for three reasons.
pub(crate) const FAULTY: &str = "SKU,Name,Selling Price\n\
    F-1,Arnica,1.50\n\
    ,Belladonna,2.50\n\
    F-3,Calendula,free\n\
    F-4,Drosera,cheap\n\
    F-5,Echinacea,5.50\n\
    F-6,,6.50\n";

/// Mends the failed rows of [`FAULTY`] as a spreadsheet's user would.
pub(crate) fn mended(failed: &str) -> String {
    let mut mended = String::new();
    for line in failed.lines() {
        let line = if line.contains("Belladonna") { format!("F-2{line}") } else { line.to_owned() };
        let line = line.replacen("free", "3.50", 1).replacen("cheap", "4.50", 1);
        mended.push_str(&line.replacen("F-6,,", "F-6,Ferrum,", 1));
        mended.push('\n');
    }
    mended
}
