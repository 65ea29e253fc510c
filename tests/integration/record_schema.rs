//! The JSON Schema of a record: what it accepts, an import accepts.

use serde_json::{Value, json};

use crate::support::*;

const DEFINITION: &str = r#"
name = "goods"
table = "goods"
key = ["code"]
create_table = true

[[column]]
name = "code"
required = true
max_length = 4

[[column]]
name = "price"
type = "decimal(5,2)"
min = 0.5

[[column]]
name = "pieces"
type = "integer"

[[column]]
name = "state"
allowed = ["new", "old"]

[[column]]
name = "zip"
max_length = 9
pattern = "[0-9]{5}"
example = "12345"

[[column]]
name = "day"
type = "date"

[[column]]
name = "seen"
type = "datetime"

[[column]]
name = "good"
type = "boolean"

[[column]]
name = "words"
type = "list"

[[column]]
name = "more"
type = "json"
"#;

/// Values of each column; the schema accepts some of them.
fn values() -> Vec<(&'static str, Value)> {
    let of = |column: &'static str, values: Value| {
        let values = values.as_array().unwrap().clone();
        values.into_iter().map(move |value| (column, value))
    };
    [
        of("code", json!(["A", "ABCD", "ABCDE", "\u{e4}\u{f6}\u{fc}\u{df}", " ", "", null, 5])),
        of("price", json!([0.5, 0.49, 999.99, 1000, 1.25, 1.255, 7, null, "1.5", true])),
        of("pieces", json!([0, -3, 1.5, i64::MAX, i64::MIN, 1e30, null, "7"])),
        of("state", json!(["new", "old", "NEW", "sold", "", null])),
        of("zip", json!(["12345", "1234", "123456", "x12345", "", null, 12345])),
        of("day", json!(["2026-02-28", "2026-02-30", "soon", "", null, 7])),
        of("seen", json!(["2026-02-28T10:00:00Z", "2026-02-28T10:00:00+02:00", "now", null])),
        of("good", json!([true, false, null, "yes", "perhaps", 2])),
        of("words", json!([["a", "b"], [], null, [1], "a"])),
        of("more", json!([{"a": [1]}, null, "text", 3, true])),
    ]
    .into_iter()
    .flatten()
    .collect()
}

both!(what_the_schema_accepts_is_imported, |server| {
    server.define("goods", DEFINITION, &[]);
    let schema = server.get("/api/v1/datasets/goods/schema.json").await;
    assert_eq!(
        (schema.status, schema.header("content-type")),
        (200, Some("application/schema+json"))
    );
    let options = jsonschema::options().should_validate_formats(true);
    let schema = options.build(&schema.json).expect("a schema");
    let mut lines = String::new();
    let mut records = Vec::new();
    for (number, (column, value)) in values().into_iter().enumerate() {
        let mut record = json!({"code": format!("K{number}")});
        record[column] = value;
        lines.push_str(&format!("{record}\n"));
        records.push(record);
    }
    let upload = Upload::file("goods.ndjson", lines.into_bytes());
    let job = server.load("goods", upload).await;
    let failed = server.rows("select distinct row_number, column_name from import_errors").await;
    let failed: Vec<usize> = failed.iter().map(|row| row[0].parse().unwrap()).collect();
    let (mut accepted, mut refused) = (0, 0);
    for (index, record) in records.iter().enumerate() {
        let is_imported = !failed.contains(&(index + 1));
        if schema.is_valid(record) {
            accepted += 1;
            assert!(is_imported, "the schema accepts {record}; {job}");
        } else if !is_imported {
            refused += 1;
        }
    }
    assert!(accepted > 20 && refused > 10, "{accepted} accepted, {refused} refused");
});
