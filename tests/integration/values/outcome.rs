//! A table of values: each is uploaded in a row of its own, and is either stored or refused.

use crate::support::{Server, Upload};

/// What is expected of a value: the stored text, or the code of the row error.
pub(crate) type Expected = Result<&'static str, &'static str>;

/// A cell of CSV with quotes around it.
pub(crate) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('"', "\"\""))
}

/// Uploads each value in the column with this header and compares what became of it with what is
/// expected. The keys are the row numbers: `0002` stands in row 2.
pub(crate) async fn becomes(
    server: &Server,
    (header, field): (&str, &str),
    options: &[(&str, &str)],
    table: &[(&str, Expected)],
) {
    let mut text = format!("SKU,Name,{header}\n");
    for (index, (value, _)) in table.iter().enumerate() {
        text.push_str(&format!("{:04},Arnica,{}\n", index + 2, quoted(value)));
    }
    let upload = options
        .iter()
        .fold(Upload::file("values.csv", text), |upload, (name, value)| upload.option(name, value));
    server.database.execute("delete from product_prices").await;
    server.database.execute("delete from product_stocks").await;
    server.database.execute("delete from products").await;
    let status = server.load("products", upload).await;
    assert_eq!(status["status"], "completed", "{status}");
    let job = status["jobId"].as_i64().unwrap();

    let sql = format!("select sku, {field} from products");
    let mut found = server.rows(&sql).await;
    let sql = "select row_number, column_name, code from import_errors where import_log_id =";
    for row in server.rows(&format!("{sql} {job}")).await {
        found.push(vec![format!("{:0>4}", row[0]), format!("{} in {}", row[2], row[1])]);
    }
    found.sort();
    for (row, (index, (value, expected))) in found.iter().zip(table.iter().enumerate()) {
        assert_eq!(row[0], format!("{:04}", index + 2), "`{value}` has no outcome");
        let outcome = match expected {
            Ok(stored) => (*stored).to_owned(),
            Err(code) => format!("{code} in {}", field.trim_end_matches("_id")),
        };
        let got = comparable(&row[1]);
        assert_eq!(got, comparable(&outcome), "`{value}` in {header}");
    }
    assert_eq!(found.len(), table.len());
}

/// Numbers are stored as numbers: `12.50` and `12.5` are the same.
fn comparable(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, fraction))
            if !whole.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{whole}{point}{fraction}")
        }
        _ => text.to_owned(),
    }
}
