//! A record as a document of Typesense, and the schema of such documents. Pure.
//!
//! Dates and times are seconds since 1970, because Typesense sorts and filters numbers. JSON is kept and
//! not searched, because it may hold anything.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::dataset::model::{Column, ColumnType, Dataset};

/// Characters of an id that stand for themselves. `~` joins the parts of a key.
const ID: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The fields of a collection of the dataset's records.
pub(super) fn fields(dataset: &Dataset) -> Vec<Value> {
    let column = |(index, column): (usize, &Column)| {
        let is_key = dataset.key.contains(&index);
        let (kind, facet) = match column.kind {
            ColumnType::Text => ("string", column.reference.is_some()),
            ColumnType::Integer | ColumnType::Date | ColumnType::DateTime => ("int64", false),
            ColumnType::Decimal { .. } => ("float", false),
            ColumnType::Boolean => ("bool", true),
            ColumnType::List => ("string[]", true),
            ColumnType::Json => return None,
        };
        let mut field = json!({ "name": column.name, "type": kind, "facet": facet });
        if let Some(field) = field.as_object_mut() {
            field.insert("optional".to_owned(), (!is_key).into());
            if is_key && kind == "string" {
                field.insert("sort".to_owned(), true.into());
            }
        }
        Some(field)
    };
    dataset.columns.iter().enumerate().filter_map(column).collect()
}

/// The document of a record.
pub(super) fn document(dataset: &Dataset, record: &Map<String, Value>) -> Map<String, Value> {
    let mut document = Map::with_capacity(record.len() + 1);
    document.insert("id".to_owned(), id(dataset, record).into());
    for column in &dataset.columns {
        // Typesense has an `id` of its own.
        let value = record.get(&column.name).filter(|_| column.name != "id");
        if let Some(value) = value.and_then(|value| searchable(value, column.kind)) {
            document.insert(column.name.clone(), value);
        }
    }
    document
}

/// The id of the document of a record, made of its key.
pub(super) fn id(dataset: &Dataset, record: &Map<String, Value>) -> String {
    let columns = dataset.key.iter().filter_map(|index| dataset.columns.get(*index));
    let part = |column: &Column| {
        let value = record.get(&column.name).and_then(|value| searchable(value, column.kind));
        let text = match value {
            None => String::new(),
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
        };
        utf8_percent_encode(&text, ID).to_string()
    };
    columns.map(part).collect::<Vec<_>>().join("~")
}

/// The key of a record, as the table has its columns.
pub(super) fn key(dataset: &Dataset, record: &Map<String, Value>) -> Map<String, Value> {
    let columns = dataset.key.iter().filter_map(|index| dataset.columns.get(*index));
    columns
        .map(|column| {
            let value = record.get(&column.name).cloned().unwrap_or_default();
            (column.field.clone(), value)
        })
        .collect()
}

/// A value as Typesense takes it; `None` for nothing.
fn searchable(value: &Value, kind: ColumnType) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null) => None,
        (ColumnType::Date, Value::String(text)) => Some(seconds_of_day(text)?.into()),
        (ColumnType::DateTime, Value::String(text)) => Some(seconds(text)?.into()),
        (ColumnType::Decimal { .. }, Value::Number(number)) => Some(json!(number.as_f64()?)),
        (ColumnType::List, Value::Array(items)) => {
            let text = |item: &Value| match item {
                Value::String(text) => Value::from(text.as_str()),
                other => other.to_string().into(),
            };
            Some(items.iter().map(text).collect())
        }
        // What does not fit is sent as it is: Typesense says why it refuses the document.
        (_, value) => Some(value.clone()),
    }
}

fn seconds_of_day(text: &str) -> Option<i64> {
    let day = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
}

/// PostgreSQL's own form of a time without a zone, which is that of UTC here, and everybody's with one.
fn seconds(text: &str) -> Option<i64> {
    let with_zone = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp());
    let without = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
    with_zone.ok().or_else(|| without().ok().map(|time| time.and_utc().timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Datasets;

    fn record(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_record_becomes_a_document_that_typesense_can_sort() {
        let datasets = Datasets::embedded();
        let products = datasets.get("products").unwrap();
        let found = record(json!({
            "sku": "A 1/ö", "name": "Arnica", "category": "Drops", "mrp": 19, "is_active": true,
            "tags": ["a", 7], "description": null
        }));
        assert_eq!(
            Value::Object(document(products, &found)),
            json!({
                "id": "A%201%2F%C3%B6", "sku": "A 1/ö", "name": "Arnica", "category": "Drops",
                "mrp": 19.0, "is_active": true, "tags": ["a", "7"]
            })
        );
        assert_eq!(Value::Object(key(products, &found)), json!({ "sku": "A 1/ö" }));
    }

    #[test]
    fn keys_of_several_parts_have_ids_that_do_not_meet() {
        let datasets = Datasets::embedded();
        let transactions = datasets.get("transactions").unwrap();
        let id = |order, sku| id(transactions, &record(json!({ "order_code": order, "sku": sku })));
        assert_eq!(id("INV/1", "A"), "INV%2F1~A");
        assert_ne!(id("a~b", "c"), id("a", "b~c"));
    }

    #[test]
    fn times_are_seconds() {
        let date = |text: &str| searchable(&json!(text), ColumnType::Date);
        assert_eq!(date("1970-01-02"), Some(json!(86_400)));
        let time = |text: &str| searchable(&json!(text), ColumnType::DateTime);
        assert_eq!(time("1970-01-01T00:00:01.5+00:00"), Some(json!(1)));
        assert_eq!(time("1970-01-01T01:00:01+01:00"), Some(json!(1)));
        assert_eq!(time("1970-01-01T00:00:01.25"), Some(json!(1)));
        assert_eq!(time("infinity"), None);
    }

    #[test]
    fn the_schema_has_a_field_for_every_column_that_can_be_searched() {
        let datasets = Datasets::embedded();
        let fields = fields(datasets.get("products").unwrap());
        let of = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap().clone();
        assert_eq!(
            of("sku"),
            json!({ "name": "sku", "type": "string", "facet": false, "optional": false, "sort": true })
        );
        assert_eq!(
            of("category"),
            json!({ "name": "category", "type": "string", "facet": true, "optional": true })
        );
        assert_eq!(
            (&of("mrp")["type"], &of("is_active")["type"]),
            (&json!("float"), &json!("bool"))
        );
    }
}
