//! What a definition leaves open and the tables say: lengths, bounds, the values of enumerations, and
//! where an empty cell means a default. What the definition does say stays, and is checked.

use super::model::{Column, ColumnType, Dataset};
use super::shape::{FieldShape, TableShape};

/// Completes `dataset` by the tables that `shapes` describes.
pub fn fit(dataset: &mut Dataset, shapes: &dyn Fn(&str) -> Option<TableShape>) {
    let Some(shape) = shapes(&dataset.table) else { return };
    for index in 0..dataset.columns.len() {
        let part = dataset.columns.get(index).filter(|column| column.part_of.is_some());
        if let Some(part) = part {
            let table = dataset.reference_of_part(part).map(|(_, it)| it.table.clone());
            let named = table.and_then(|table| shapes(&table)?.column(&part.field).cloned());
            if let (Some(column), Some(named)) = (dataset.columns.get_mut(index), named) {
                bound_text(column, &named);
            }
        }
    }
    for column in dataset.columns.iter_mut().filter(|column| column.join.is_some()) {
        // Each item of a list is as long as its table takes it.
        let named = column.named_records().and_then(|reference| {
            shapes(&reference.table)?.column(&reference.match_column).cloned()
        });
        if let Some(named) = named {
            bound_text(column, &named);
        }
    }
    for column in dataset.columns.iter_mut().filter(|column| column.has_field()) {
        if let Some(field) = shape.column(&column.field) {
            column.default_when_empty = !column.required && field.takes_default();
        }
        let named = column.reference.as_ref().and_then(|reference| {
            let shape = shapes(&reference.table)?;
            shape.column(&reference.match_column).cloned()
        });
        match (&column.reference, named) {
            (Some(_), Some(named)) => bound_text(column, &named),
            (Some(_), None) => {}
            (None, _) => {
                if let Some(field) = shape.column(&column.field) {
                    bound(column, field);
                }
            }
        }
    }
}

fn bound(column: &mut Column, field: &FieldShape) {
    match column.kind {
        ColumnType::Text => {
            bound_text(column, field);
            if column.allowed.is_empty() {
                column.allowed.clone_from(&field.labels);
            }
        }
        ColumnType::Integer => {
            let bits = field.integer_bits();
            if bits < 64 {
                let most = i64::MAX >> (64 - bits.clamp(2, 63));
                column.min.get_or_insert(-most - 1);
                column.max.get_or_insert(most);
            }
        }
        _ => {}
    }
}

fn bound_text(column: &mut Column, field: &FieldShape) {
    if column.max_length.is_none() {
        column.max_length = field.max_length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::compile;

    #[test]
    fn what_is_left_open_follows_from_the_table() {
        let text = "name = 'd'\ntable = 'd'\nkey = ['a']\ncolumn = [{ name = 'a', required = true }, \
                    { name = 'b', type = 'integer', min = 1 }, { name = 'c', max_length = 2 }, \
                    { name = 'state' }]";
        let field = |name: &str, sql_type: &str| FieldShape {
            name: name.to_owned(),
            sql_type: sql_type.to_owned(),
            max_length: (sql_type == "varchar").then_some(7),
            ..FieldShape::default()
        };
        let mut state = field("state", "mood");
        state.labels = vec!["open".to_owned(), "done".to_owned()];
        state.default_sql = Some("'open'::mood".to_owned());
        let columns = vec![field("a", "varchar"), field("b", "int2"), field("c", "varchar"), state];
        let shape = TableShape { table: "d".to_owned(), columns, ..TableShape::default() };
        let mut dataset = (*compile("d.toml", text).unwrap().dataset).clone();
        fit(&mut dataset, &|_| Some(shape.clone()));
        let [a, b, c, state] = dataset.columns.as_slice() else { panic!("four columns") };
        assert_eq!((a.max_length, c.max_length), (Some(7), Some(2)));
        assert_eq!((b.min, b.max), (Some(1), Some(32_767)));
        assert_eq!(state.allowed, ["open", "done"]);
        assert!(state.default_when_empty && !c.default_when_empty);
    }
}
