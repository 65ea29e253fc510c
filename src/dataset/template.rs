//! The template of a dataset: a header that matches, and an example row that is accepted.

use serde_json::Value;

use super::model::{Column, ColumnType, Dataset};

/// The header of the template: each column's title.
#[must_use]
pub fn template_header(dataset: &Dataset) -> Vec<&str> {
    dataset.columns.iter().map(|column| column.title.as_str()).collect()
}

/// An example row for the template: each column's example, or one made up by its type; optional
/// texts without an example stay empty.
#[must_use]
pub fn template_example(dataset: &Dataset) -> Vec<String> {
    dataset.columns.iter().map(example).collect()
}

/// The example row as a JSON object under the titles: numbers, truth values and JSON as such.
#[must_use]
pub fn template_object(dataset: &Dataset) -> serde_json::Map<String, Value> {
    let value = |column: &Column| typed(column, example(column));
    dataset.columns.iter().map(|column| (column.title.clone(), value(column))).collect()
}

/// The example of a column as JSON; `None` where the template leaves it empty.
pub(super) fn typed_example(column: &Column) -> Option<Value> {
    Some(example(column)).filter(|text| !text.is_empty()).map(|text| typed(column, text))
}

fn typed(column: &Column, example: String) -> Value {
    match column.kind {
        ColumnType::Text | ColumnType::Date | ColumnType::DateTime => Value::from(example),
        ColumnType::List => example.split(',').map(str::trim).collect(),
        ColumnType::Integer
        | ColumnType::Decimal { .. }
        | ColumnType::Boolean
        | ColumnType::Json => {
            serde_json::from_str(&example).unwrap_or_else(|_| Value::from(example))
        }
    }
}

fn example(column: &Column) -> String {
    if let Some(example) = column.example.as_ref().or(column.allowed.first()) {
        return example.clone();
    }
    if let Some(format) = column.formats.first() {
        return format.example();
    }
    match column.kind {
        ColumnType::Text if column.required => {
            let most = column.max_length.unwrap_or(u32::MAX);
            "Example".chars().take(usize::try_from(most).unwrap_or(usize::MAX)).collect()
        }
        ColumnType::Text => String::new(),
        ColumnType::Integer | ColumnType::Decimal { .. } => {
            column.kind.number(within(column, 1)).to_string()
        }
        ColumnType::Boolean => "true".to_owned(),
        ColumnType::Date => "2026-11-22".to_owned(),
        ColumnType::DateTime => "2026-11-22T08:30:00Z".to_owned(),
        ColumnType::Json => "{}".to_owned(),
        // Items of another table are not made up.
        ColumnType::List if column.join.is_some() && !column.required => String::new(),
        ColumnType::List => "one, two".to_owned(),
    }
}

fn within(column: &Column, units: i64) -> i64 {
    let at_least = units.max(column.min.unwrap_or(i64::MIN));
    at_least.min(column.max.unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dataset::{CellRules, Converter, Datasets, Plan, match_header};
    use crate::domain::options::Options;
    use crate::domain::record::Records;
    use crate::domain::row::{CellKind, RawRow};

    #[test]
    fn the_template_of_every_dataset_imports_as_it_is() {
        for compiled in Datasets::embedded().iter() {
            let dataset = &compiled.dataset;
            let header: Vec<String> =
                template_header(dataset).into_iter().map(str::to_owned).collect();
            let matched = match_header(dataset, &header, &Options::default()).unwrap();
            let all: Vec<_> = (0..dataset.columns.len()).map(Some).collect();
            assert_eq!(matched.columns, all);
            let plan = Plan::new(dataset, &matched.names(dataset), &BTreeMap::new()).unwrap();
            let mut row = RawRow::new();
            for cell in template_example(dataset) {
                row.push(CellKind::Text, &cell);
            }
            let mut records = Records::new(plan.width());
            let mut converter = Converter::new(dataset, &plan, CellRules::default());
            converter.convert(&row, &mut records).unwrap();
            assert_eq!(records.len(), 1);
        }
    }
}
