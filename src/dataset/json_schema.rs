//! A dataset as JSON Schema (draft 2020-12): what one record may look like, written as an object whose
//! keys are the names of the columns. What the schema accepts, an import accepts; an import takes more
//! spellings.

use serde_json::{Map, Value, json};

use super::messages::scale;
use super::model::{Column, ColumnType, Dataset, DateFormat};
use super::template::typed_example;
use super::value::number::written;

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
    let kind = match column.kind {
        // Any value, and `null` is none.
        ColumnType::Json => None,
        ColumnType::Text | ColumnType::Date | ColumnType::DateTime => Some("string"),
        ColumnType::Integer => Some("integer"),
        ColumnType::Decimal { .. } => Some("number"),
        ColumnType::Boolean => Some("boolean"),
        ColumnType::List => Some("array"),
    };
    if let Some(kind) = kind {
        add("type", if column.required { json!(kind) } else { json!([kind, "null"]) });
    }
    match column.kind {
        ColumnType::Text => text_rules(column, &mut add),
        ColumnType::Date if column.formats.is_empty() => add("format", json!("date")),
        ColumnType::DateTime if column.formats.is_empty() => add("format", json!("date-time")),
        ColumnType::Date | ColumnType::DateTime => {
            let formats: Vec<&str> = column.formats.iter().map(DateFormat::as_str).collect();
            add("$comment", json!(format!("written as {}", formats.join(" or "))));
        }
        ColumnType::Integer | ColumnType::Decimal { .. } => {
            let bound = |units: i64| serde_json::from_str(&written(units, scale(column))).ok();
            for (key, units) in [("minimum", column.min), ("maximum", column.max)] {
                if let Some(bound) = units.and_then(bound) {
                    add(key, bound);
                }
            }
        }
        ColumnType::List => {
            add("items", json!({"type": "string"}));
            if column.required {
                add("minItems", json!(1));
            }
        }
        ColumnType::Boolean | ColumnType::Json => {}
    }
    if let Some(example) = typed_example(column) {
        add("examples", json!([example]));
    }
    Value::Object(schema)
}

fn text_rules(column: &Column, add: &mut impl FnMut(&str, Value)) {
    if !column.allowed.is_empty() {
        let none = (!column.required).then_some(Value::Null);
        let words = column.allowed.iter().map(|word| json!(word));
        add("enum", words.chain(none).collect());
        return;
    }
    if column.required {
        add("minLength", json!(1));
    }
    if let Some(most) = column.max_length {
        add("maxLength", json!(most));
    }
    if let Some(pattern) = &column.pattern {
        add("pattern", json!(format!("^(?:{})$", pattern.as_str())));
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
            ("a", json!({"type": "string", "minLength": 1, "maxLength": 3, "examples": ["A"]})),
            ("b", json!({"type": ["number", "null"], "minimum": 0.5, "examples": [0.5]})),
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
            ("h", json!({"examples": [{}]})),
            ("i", json!({"type": ["integer", "null"], "maximum": 9, "examples": [1]})),
        ] {
            let mut found = schema["properties"][column].clone();
            assert!(found["title"].is_string(), "{column}");
            found.as_object_mut().unwrap().remove("title");
            assert_eq!(found, expected, "{column}");
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
