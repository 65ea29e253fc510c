//! A dataset as JSON Schema (draft 2020-12): what one record may look like, written as an object whose
//! keys are the names of the columns. What the schema accepts, an import accepts; an import takes more
//! spellings.

use serde_json::{Map, Value, json};

use super::constant::Constant;
use super::model::{Column, ColumnDefault, ColumnType, Dataset, DateFormat};
use super::template::typed_example;
use crate::domain::limits::LIST_ITEMS_MAX;
use crate::domain::record::Value as Stored;

/// The schema of one record; `address` is where it is.
#[must_use]
pub fn json_schema(dataset: &Dataset, address: &str) -> Value {
    let properties: Map<String, Value> =
        dataset.columns.iter().map(|column| (column.name.clone(), property(column))).collect();
    let required = dataset.columns.iter().filter(|column| column.required);
    let required: Vec<&str> = required.map(|column| column.name.as_str()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address,
        "title": dataset.title,
        "type": "object",
        "properties": properties,
        "required": required,
    })
}

fn property(column: &Column) -> Value {
    let mut schema = Map::new();
    let mut add = |key: &str, value: Value| drop(schema.insert(key.to_owned(), value));
    add("title", json!(column.title));
    if let Some(description) = &column.description {
        add("description", json!(description));
    }
    let kinds: &[&str] = match column.kind {
        // A text is read as JSON, so one that is none fails.
        ColumnType::Json => &["object", "array", "number", "boolean"],
        ColumnType::Text | ColumnType::Date | ColumnType::DateTime => &["string"],
        ColumnType::Integer => &["integer"],
        ColumnType::Decimal { .. } => &["number"],
        ColumnType::Boolean => &["boolean"],
        ColumnType::List => &["array"],
    };
    let null = (!column.required).then_some("null");
    let kinds: Vec<&str> = kinds.iter().copied().chain(null).collect();
    add("type", if let [kind] = *kinds { json!(kind) } else { json!(kinds) });
    match column.kind {
        ColumnType::Text => text_rules(column, &mut add),
        ColumnType::Date if column.formats.is_empty() => add("format", json!("date")),
        ColumnType::DateTime if column.formats.is_empty() => add("format", json!("date-time")),
        ColumnType::Date | ColumnType::DateTime => {
            let formats: Vec<&str> = column.formats.iter().map(DateFormat::as_str).collect();
            add("$comment", json!(format!("written as {}", formats.join(" or "))));
        }
        ColumnType::Integer | ColumnType::Decimal { .. } => number_rules(column, &mut add),
        ColumnType::List => {
            let mut item = json!({"type": "string"});
            if let (Some(most), Some(item)) = (column.max_length, item.as_object_mut()) {
                item.insert("maxLength".to_owned(), json!(most));
            }
            add("items", item);
            if column.join.is_some() {
                add("maxItems", json!(LIST_ITEMS_MAX));
            }
            if column.required {
                add("minItems", json!(1));
            }
        }
        ColumnType::Boolean | ColumnType::Json => {}
    }
    if let Some(ColumnDefault::Constant(constant)) = &column.default
        && !column.sensitive
    {
        add("default", default_value(column, constant));
    }
    if let Some(example) = typed_example(column) {
        add("examples", json!([example]));
    }
    Value::Object(schema)
}

/// The value as a record that the schema accepts has it.
fn default_value(column: &Column, constant: &Constant) -> Value {
    let number =
        |units| serde_json::from_str(&column.kind.number(units).to_string()).unwrap_or_default();
    match constant.value() {
        Stored::Null | Stored::Absent => Value::Null,
        Stored::Text(text) => match column.kind {
            ColumnType::Json | ColumnType::List => serde_json::from_str(text).unwrap_or_default(),
            _ => json!(text),
        },
        Stored::Integer(units) | Stored::Decimal(units) => number(units),
        Stored::Boolean(flag) => json!(flag),
        Stored::Date(_) | Stored::DateTime(_) => json!(constant.text()),
    }
}

fn number_rules(column: &Column, add: &mut impl FnMut(&str, Value)) {
    let (least, most) = match column.kind {
        ColumnType::Decimal { precision, .. } => {
            let most = 10_i64.checked_pow(precision.into()).map_or(i64::MAX, |units| units - 1);
            (-most, most)
        }
        _ => (i64::MIN, i64::MAX),
    };
    let number =
        |units| serde_json::from_str(&column.kind.number(units).to_string()).unwrap_or_default();
    add("minimum", number(column.min.unwrap_or(least)));
    add("maximum", number(column.max.unwrap_or(most)));
    if let ColumnType::Decimal { .. } = column.kind {
        add("multipleOf", number(1));
    }
}

fn text_rules(column: &Column, add: &mut impl FnMut(&str, Value)) {
    if !column.allowed.is_empty() {
        let none = (!column.required).then_some(Value::Null);
        let words = column.allowed.iter().map(|word| json!(word));
        add("enum", words.chain(none).collect());
        return;
    }
    if let Some(most) = column.max_length {
        add("maxLength", json!(most));
    }
    if let Some(pattern) = &column.pattern {
        add("pattern", json!(format!("^(?:{})$", pattern.as_str())));
    } else if column.required {
        // Spaces alone are no value.
        add("pattern", json!("\\S"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Datasets, compile};

    #[test]
    fn the_rules_of_each_column_are_in_the_schema() {
        let text = "name = 'd'\ntable = 'd'\nkey = ['a']\ncolumn = [\
                    { name = 'a', required = true, max_length = 3, example = 'A' }, \
                    { name = 'b', type = 'decimal(5,2)', min = 0.5 }, \
                    { name = 'c', allowed = ['x', 'y'] }, \
                    { name = 'd', pattern = '[0-9]+', example = '1' }, \
                    { name = 'e', type = 'date' }, { name = 'f', type = 'list' }, \
                    { name = 'g', type = 'date', formats = ['%d.%m.%Y'] }, \
                    { name = 'h', type = 'json' }, { name = 'i', type = 'integer', max = 9 }]";
        let dataset = compile("d.toml", text).unwrap().dataset;
        let schema = json_schema(&dataset, "/d/schema.json");
        assert_eq!(schema["$id"], "/d/schema.json");
        assert_eq!((&schema["type"], &schema["required"]), (&json!("object"), &json!(["a"])));
        for (column, expected) in [
            ("a", json!({"type": "string", "maxLength": 3, "pattern": "\\S", "examples": ["A"]})),
            (
                "b",
                json!({
                    "type": ["number", "null"], "minimum": 0.5, "maximum": 999.99,
                    "multipleOf": 0.01, "examples": [0.5],
                }),
            ),
            ("c", json!({"type": ["string", "null"], "enum": ["x", "y", null], "examples": ["x"]})),
            (
                "d",
                json!({"type": ["string", "null"], "pattern": "^(?:[0-9]+)$", "examples": ["1"]}),
            ),
            (
                "e",
                json!({"type": ["string", "null"], "format": "date", "examples": ["2026-11-22"]}),
            ),
            (
                "f",
                json!({
                    "type": ["array", "null"], "items": {"type": "string"},
                    "examples": [["one", "two"]],
                }),
            ),
            (
                "g",
                json!({
                    "type": ["string", "null"], "$comment": "written as %d.%m.%Y",
                    "examples": ["22.11.2026"],
                }),
            ),
            (
                "h",
                json!({"type": ["object", "array", "number", "boolean", "null"], "examples": [{}]}),
            ),
            (
                "i",
                json!({
                    "type": ["integer", "null"], "minimum": i64::MIN, "maximum": 9, "examples": [1],
                }),
            ),
        ] {
            let mut found = schema["properties"][column].clone();
            assert!(found["title"].is_string(), "{column}");
            found.as_object_mut().unwrap().remove("title");
            assert_eq!(found, expected, "{column}");
        }
    }

    #[test]
    fn the_schema_has_constant_defaults_that_may_be_shown() {
        let text = "name = 'd'\ntable = 'd'\nkey = ['a']\ncolumn = [\
                    { name = 'a', required = true }, \
                    { name = 'b', type = 'decimal(5,2)', default = 1.5 }, \
                    { name = 'c', default = 'new' }, { name = 'd', type = 'list', default = 'x, y' }, \
                    { name = 'e', type = 'boolean', default = false }, \
                    { name = 'f', type = 'date', default = '2026-01-31' }, \
                    { name = 'g', type = 'integer', default = 7 }, \
                    { name = 'h', type = 'json', default = '{\"k\": [1]}' }, \
                    { name = 'i', sensitive = true, default = 'secret' }, \
                    { name = 'j', default = { column = 'a' } }]";
        let dataset = compile("d.toml", text).unwrap().dataset;
        let schema = json_schema(&dataset, "/d/schema.json");
        for (column, expected) in [
            ("a", None),
            ("b", Some(json!(1.5))),
            ("c", Some(json!("new"))),
            ("d", Some(json!(["x", "y"]))),
            ("e", Some(json!(false))),
            ("f", Some(json!("2026-01-31"))),
            ("g", Some(json!(7))),
            ("h", Some(json!({"k": [1]}))),
            ("i", None),
            ("j", None),
        ] {
            let property = &schema["properties"][column];
            assert_eq!(property.get("default"), expected.as_ref(), "{column}");
        }
    }

    #[test]
    fn every_dataset_has_a_schema_with_all_of_its_columns() {
        for compiled in Datasets::embedded().iter() {
            let dataset = &compiled.dataset;
            let schema = json_schema(dataset, "/schema.json");
            let properties = schema["properties"].as_object().unwrap();
            let names: Vec<_> = dataset.columns.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(properties.keys().collect::<Vec<_>>(), names, "{}", dataset.name);
        }
    }
}
