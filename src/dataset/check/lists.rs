//! The join tables of lists against the tables that are really there.

use super::Check;
use crate::dataset::model::{Column, JoinTable};
use crate::dataset::shape::{Family, FieldShape, TableKind, TableShape};

impl Check<'_> {
    pub(super) fn join(&mut self, column: &Column, join: &JoinTable) {
        self.reference(column, &join.reference);
        let Some(shape) = (self.shapes)(&join.table) else {
            let message = format!("there is no table `{}` in the database", join.table);
            self.column_fault(column, "into", message);
            return;
        };
        // Its rows are found by their values, so that they need no number.
        let is_plain = shape.kind == TableKind::WithoutRowid;
        if let Some(fault) = shape.kind.fault().filter(|_| !is_plain) {
            self.column_fault(column, "into", format!("`{}` {fault}", join.table));
            return;
        }
        let dataset = &self.compiled.dataset;
        let own = (self.shapes)(&dataset.table);
        let id = own.as_ref().and_then(|own| own.column("id"));
        // A row of SQLite is known by its number.
        let is_counted = |id: &FieldShape| id.is_integer() && id.has_default;
        let is_usable = id.is_some_and(|id| !self.is_loose() || is_counted(id));
        if own.is_some() && !is_usable {
            let kind = if self.is_loose() { " INTEGER PRIMARY KEY" } else { "" };
            let message = format!(
                "table `{}` needs a column `id`{kind}, which `{}.{}` points at",
                dataset.table, join.table, join.owner
            );
            self.column_fault(column, "into", message);
        }
        let items = (self.shapes)(&join.reference.table);
        let key = items.as_ref().and_then(|items| items.column(&join.reference.key));
        let other = format!("{}.id", dataset.table);
        self.points_at(column, &shape, &join.owner, (id, &other));
        let other = format!("{}.{}", join.reference.table, join.reference.key);
        self.points_at(column, &shape, &join.item, (key, &other));
        let pair = [&join.owner, &join.item];
        let is_pair = |unique: &Vec<String>| {
            unique.len() == 2 && pair.iter().all(|name| unique.iter().any(|it| it == *name))
        };
        if !shape.unique.iter().any(is_pair) {
            let message = format!(
                "table `{}` has no unique index on ({}, {}), so a record could have an item twice",
                join.table, join.owner, join.item
            );
            self.column_fault(column, "into", message);
        }
        let path = format!("column.{}", column.name);
        let paths = [format!("{path}.into"), path];
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let key = format!("column `{}`, `into`", column.name);
        self.unfed(&paths, &key, &shape, &|name| name == join.owner || name == join.item);
    }

    /// The column `name` of a join table holds what the column `other` does.
    fn points_at(
        &mut self,
        column: &Column,
        shape: &TableShape,
        name: &str,
        (other, place): (Option<&FieldShape>, &str),
    ) {
        let table = &shape.table;
        let Some(field) = shape.column(name) else {
            let message = format!("table `{table}` has no column `{name}`");
            self.column_fault(column, "into", message);
            return;
        };
        if field.is_generated {
            let message = format!("`{table}.{name}` is computed by the database");
            self.column_fault(column, "into", message);
            return;
        }
        let (found, wanted) = (field.family(), other.map_or(Family::Any, FieldShape::family));
        if found != wanted && ![found, wanted].contains(&Family::Any) {
            let message = format!(
                "`{table}.{name}` is `{}`, but it needs the type of `{place}`, which is `{}`",
                field.sql_type,
                other.map_or("", |other| other.sql_type.as_str())
            );
            self.column_fault(column, "into", message);
        }
    }
}
