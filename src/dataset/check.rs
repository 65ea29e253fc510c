//! A compiled dataset against the tables that are really there: reported at the start, with the line of
//! the definition file, instead of by a failing statement in the middle of a job.

mod lists;

use super::column::OWN_TIMES;
use super::compile::Compiled;
use super::fault::DefinitionFault;
use super::model::{Column, ColumnType, History, Reference};
use super::shape::{Family, FieldShape, TableShape};
use crate::domain::similar::nearest;

/// Checks `compiled` against the tables that `shapes` describes. `max_decimal_digits` is how many
/// digits the database keeps exactly: 18 on PostgreSQL, 15 on SQLite, which stores decimals as
/// floats. No fault: every statement made from the definition fits the tables.
pub fn check(
    compiled: &Compiled,
    shapes: &dyn Fn(&str) -> Option<TableShape>,
    max_decimal_digits: u8,
) -> Vec<DefinitionFault> {
    let mut check = Check { compiled, shapes, max_decimal_digits, faults: Vec::new() };
    check.dataset_table();
    for column in &compiled.dataset.columns {
        check.digits(column);
        if let Some(reference) = &column.reference {
            check.reference(column, reference);
        }
        if let Some(join) = &column.join {
            check.join(column, join);
        }
    }
    for history in &compiled.dataset.histories {
        check.history(history);
    }
    check.faults.sort_by_key(|fault| fault.line);
    check.faults
}

struct Check<'a> {
    compiled: &'a Compiled,
    shapes: &'a dyn Fn(&str) -> Option<TableShape>,
    max_decimal_digits: u8,
    faults: Vec<DefinitionFault>,
}

impl Check<'_> {
    /// Notes a fault at the first of `paths` that the file has.
    fn fault(&mut self, paths: &[&str], key: String, message: String) {
        let (file, line) = (self.compiled.file.clone(), self.compiled.lines.first(paths));
        self.faults.push(DefinitionFault { file, line, key, message });
    }

    fn column_fault(&mut self, column: &Column, key: &str, message: String) {
        let path = format!("column.{}", column.name);
        let exact = format!("{path}.{key}");
        self.fault(&[&exact, &path], format!("column `{}`, `{key}`", column.name), message);
    }

    fn dataset_table(&mut self) {
        let dataset = &self.compiled.dataset;
        let Some(shape) = (self.shapes)(&dataset.table) else {
            let message = format!("there is no table `{}` in the database", dataset.table);
            self.fault(&["table"], "`table`".to_owned(), message);
            return;
        };
        if let Some(fault) = shape.kind.fault() {
            self.fault(&["table"], "`table`".to_owned(), format!("`{}` {fault}", shape.table));
            return;
        }
        let stored = || dataset.columns.iter().filter(|column| column.has_field());
        for column in stored() {
            let Some(field) = shape.column(&column.field) else {
                let known = shape.columns.iter().map(|field| field.name.as_str());
                let hint = nearest(&column.field, known)
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                let message =
                    format!("table `{}` has no column `{}`{hint}", shape.table, column.field);
                self.column_fault(column, "field", message);
                continue;
            };
            if field.is_generated {
                let message = format!(
                    "`{}.{}` is computed by the database; leave the column out",
                    shape.table, column.field
                );
                self.column_fault(column, "field", message);
                continue;
            }
            self.fits(column, &shape.table, field);
            let is_filled = column.required || column.has_sure_default();
            if field.needs_value() && !is_filled {
                let message = format!(
                    "`{}.{}` takes no NULL and has no default, so the column needs `required = true` or a \
                     `default`",
                    shape.table, column.field
                );
                self.column_fault(column, "required", message);
            }
        }
        let fed = |name: &str| stored().any(|column| column.field == name);
        self.unfed(&["table"], "`table`", &shape, &fed);
        let key: Vec<&str> = dataset
            .key
            .iter()
            .filter_map(|index| dataset.columns.get(*index))
            .map(|column| column.field.as_str())
            .collect();
        let is_key = |unique: &Vec<String>| {
            unique.len() == key.len() && key.iter().all(|field| unique.iter().any(|u| u == field))
        };
        if !shape.unique.iter().any(is_key) {
            let message = format!(
                "table `{}` has no unique index on ({}), so two records could have the same key",
                shape.table,
                key.join(", ")
            );
            self.fault(&["key"], "`key`".to_owned(), message);
        }
        if !dataset.histories.is_empty() && shape.column("id").is_none() {
            let message = format!(
                "table `{}` needs a column `id`, which its history tables point at",
                shape.table
            );
            self.fault(&["table"], "`table`".to_owned(), message);
        }
    }

    /// The column that rows of the dataset store. Loadbay makes new keys that are UUIDs, the database
    /// those that are numbers.
    fn reference_key(
        &mut self,
        paths: &[&str],
        key: &str,
        reference: &Reference,
        shape: &TableShape,
    ) {
        let (table, column) = (&shape.table, &reference.key);
        let Some(field) = shape.column(column) else {
            let message = format!(
                "table `{table}` has no column `{column}`; `key` in `references` names the column \
                 that is stored"
            );
            self.fault(paths, key.to_owned(), message);
            return;
        };
        let family = field.family();
        let is_unique = shape.unique.iter().any(|unique| unique.as_slice() == [column.clone()]);
        let message = match family {
            Family::Integer | Family::Text if !is_unique => {
                format!("`{table}.{column}` is not unique, so it cannot be stored as the key")
            }
            Family::Integer if reference.create && !field.has_default => format!(
                "`{table}.{column}` has no default, so no record can be created; leave `create` out"
            ),
            Family::Text
                if reference.create
                    && (*column != reference.match_column || !reference.also.is_empty()) =>
            {
                format!(
                    "`{table}.{column}` is a text that nothing fills; leave `create` out, or match by it"
                )
            }
            Family::Uuid | Family::Any | Family::Integer | Family::Text => return,
            _ => format!(
                "`{table}.{column}` needs to be a UUID, an integer or a text, but it is `{}`",
                field.sql_type
            ),
        };
        self.fault(paths, key.to_owned(), message);
    }

    /// Columns of a table that nothing fills, though they take no NULL.
    fn unfed(&mut self, paths: &[&str], key: &str, shape: &TableShape, fed: &dyn Fn(&str) -> bool) {
        for field in &shape.columns {
            let is_own = OWN_TIMES.contains(&field.name.as_str());
            if field.needs_value() && !is_own && !fed(&field.name) {
                let message = format!(
                    "`{}.{}` takes no NULL and has no default, but nothing fills it",
                    shape.table, field.name
                );
                self.fault(paths, key.to_owned(), message);
            }
        }
    }

    fn digits(&mut self, column: &Column) {
        let ColumnType::Decimal { precision, .. } = column.kind else { return };
        if precision > self.max_decimal_digits {
            let message = format!(
                "this database keeps {} digits of a decimal exactly, but the type has {precision}",
                self.max_decimal_digits
            );
            self.column_fault(column, "type", message);
        }
    }

    /// SQLite, which has no types of its own for decimals, days and truth values: there a column may
    /// be declared as what they are stored as.
    fn is_loose(&self) -> bool {
        self.max_decimal_digits <= 15
    }

    /// The values of `column` can be stored in `table.field` as they are.
    fn fits(&mut self, column: &Column, table: &str, field: &FieldShape) {
        let family = field.family();
        let is_loose = self.is_loose();
        let (fits, wants) = match column.kind {
            // That of the other table's key decides.
            _ if column.reference.is_some() => (
                matches!(family, Family::Uuid | Family::Integer | Family::Text),
                "a UUID, an integer or a text",
            ),
            ColumnType::Text => (family == Family::Text, "a text"),
            ColumnType::Integer => (family == Family::Integer, "an integer"),
            ColumnType::Decimal { .. } => (
                family == Family::Decimal
                    || (family == Family::Float && (is_loose || field.sql_type == "float8")),
                "a decimal",
            ),
            ColumnType::Boolean => {
                (family == Family::Boolean || (family == Family::Integer && is_loose), "a boolean")
            }
            ColumnType::Date => {
                (family == Family::Date || (family == Family::Text && is_loose), "a date")
            }
            ColumnType::DateTime => {
                (family == Family::Moment || (family == Family::Text && is_loose), "a timestamp")
            }
            ColumnType::Json | ColumnType::List => {
                (matches!(family, Family::Json | Family::Text), "JSON or text")
            }
        };
        if !fits && family != Family::Any {
            let found = format!("`{table}.{}` is `{}`", field.name, field.sql_type);
            let key = if column.reference.is_some() { "references" } else { "type" };
            self.column_fault(column, key, format!("{found}, but the column needs {wants}"));
            return;
        }
        if column.reference.is_none() {
            self.holds(column, table, field);
        }
    }

    /// Whatever the definition lets through, the table's column is large enough for.
    fn holds(&mut self, column: &Column, table: &str, field: &FieldShape) {
        let place = format!("`{table}.{}`", field.name);
        match column.kind {
            ColumnType::Text => self.holds_text(column, &place, field.max_length),
            ColumnType::Integer => {
                let bits = field.integer_bits();
                let most = i64::MAX >> (64 - bits.clamp(2, 64));
                let in_range = |bound: Option<i64>, open: i64| {
                    (-most - 1..=most).contains(&bound.unwrap_or(open))
                };
                if !in_range(column.min, i64::MIN) || !in_range(column.max, i64::MAX) {
                    let message = format!(
                        "{place} has {bits} bits; set `min` and `max` within {} and {most}",
                        -most - 1
                    );
                    self.column_fault(column, "type", message);
                }
            }
            ColumnType::Decimal { precision, scale } => {
                let (Some(digits), Some(places)) = (field.precision, field.scale) else { return };
                let (precision, scale) = (u32::from(precision), u32::from(scale));
                if places < scale || digits.saturating_sub(places) < precision - scale {
                    let message = format!(
                        "{place} is decimal({digits},{places}), which is too small for \
                         decimal({precision},{scale})"
                    );
                    self.column_fault(column, "type", message);
                }
            }
            ColumnType::Boolean
            | ColumnType::Date
            | ColumnType::DateTime
            | ColumnType::Json
            | ColumnType::List => {}
        }
    }

    fn holds_text(&mut self, column: &Column, place: &str, most: Option<u32>) {
        let Some(most) = most else { return };
        if column.max_length.is_none_or(|length| length > most) {
            let message =
                format!("{place} holds {most} characters; set `max_length` to {most} or less");
            self.column_fault(column, "max_length", message);
        }
    }

    fn reference(&mut self, column: &Column, reference: &Reference) {
        let table = &reference.table;
        let Some(shape) = (self.shapes)(table) else {
            let message = format!("there is no table `{table}` in the database");
            self.column_fault(column, "references", message);
            return;
        };
        let path = format!("column.{}", column.name);
        let (paths, key) = (
            [format!("{path}.references"), path],
            format!("column `{}`, `references`", column.name),
        );
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        if let Some(fault) = shape.kind.fault().filter(|_| reference.create) {
            self.fault(&paths, key.clone(), format!("`{table}` {fault}"));
            return;
        }
        self.reference_key(&paths, &key, reference, &shape);
        self.matched(column, &reference.match_column, &shape);
        let columns = &self.compiled.dataset.columns;
        for part in columns.iter().filter(|it| it.part_of.as_ref() == Some(&column.name)) {
            self.matched(part, &part.field, &shape);
        }
        if reference.create {
            let matched = reference.match_columns();
            self.unfed(&paths, &key, &shape, &|name| {
                matched.contains(&name) || name == reference.key
            });
        }
    }

    /// The column of the other table that the cells of `column` are compared with.
    fn matched(&mut self, column: &Column, match_column: &str, shape: &TableShape) {
        let table = &shape.table;
        match shape.column(match_column) {
            Some(field) if matches!(field.family(), Family::Text | Family::Any) => {
                let place = format!("`{table}.{}`", field.name);
                self.holds_text(column, &place, field.max_length);
            }
            Some(field) => {
                let message = format!(
                    "`{table}.{}` needs to be a text, but it is `{}`",
                    field.name, field.sql_type
                );
                self.column_fault(column, "references", message);
            }
            None => {
                let message = format!("table `{table}` has no column `{match_column}`");
                self.column_fault(column, "references", message);
            }
        }
    }

    fn history(&mut self, history: &History) {
        let dataset = &self.compiled.dataset;
        let columns: Vec<&Column> =
            history.columns.iter().filter_map(|index| dataset.columns.get(*index)).collect();
        let table = &history.table;
        let mut paths = vec![format!("history.{table}")];
        paths.extend(columns.first().map(|column| format!("column.{}.history", column.name)));
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let key = format!("history `{table}`");
        let Some(shape) = (self.shapes)(table) else {
            let message = format!("there is no table `{table}` in the database");
            self.fault(&paths, key, message);
            return;
        };
        for column in &columns {
            if let Some(field) = shape.column(&column.field) {
                self.fits(column, table, field);
            } else {
                let message = format!("table `{table}` has no column `{}`", column.field);
                self.column_fault(column, "history", message);
            }
        }
        let id = (self.shapes)(&dataset.table).and_then(|it| Some(it.column("id")?.family()));
        let id_family = id.unwrap_or(Family::Any);
        let owner_fits = |field: &FieldShape| {
            let found = field.family();
            found == id_family || [found, id_family].contains(&Family::Any)
        };
        if !shape.column(&history.owner).is_some_and(owner_fits) {
            let message = format!(
                "table `{table}` needs a column `{}` of the type of `{}.id`",
                history.owner, dataset.table
            );
            self.fault(&paths, key.clone(), message);
        }
        for (name, family, wants) in [
            ("created_at", Family::Moment, "a timestamp"),
            ("archived_at", Family::Moment, "a timestamp that may be NULL"),
        ] {
            let fits = |field: &FieldShape| {
                let found = field.family();
                let right = [family, Family::Any].contains(&found)
                    || (self.is_loose() && family == Family::Moment && found == Family::Text);
                right && (field.nullable || name != "archived_at")
            };
            if !shape.column(name).is_some_and(fits) {
                let message = format!("table `{table}` needs a column `{name}`, {wants}");
                self.fault(&paths, key.clone(), message);
            }
        }
        let fed = |name: &str| {
            name == history.owner
                || name == "archived_at"
                || columns.iter().any(|c| c.field == name && c.required)
        };
        self.unfed(&paths, &key, &shape, &fed);
    }
}

#[cfg(test)]
mod tests;
