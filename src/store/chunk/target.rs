//! What a job writes to: the dataset's table as this file feeds it. Compiled once a job from the
//! dataset, the plan and the real table; both databases make their SQL from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dataset::model::{Column, ColumnType, Dataset, Reference};
use crate::dataset::{OWN_TIMES, Plan, TableName, TableShape};
use crate::domain::limits::REFERENCES_MAX;
use crate::domain::options::{Blank, Mode};
use crate::domain::record::{NAME_SEPARATOR, Records, Value};
use crate::store::chunk::record_id::KeyKind;

/// The table, its columns that the file feeds and its histories.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Target {
    pub(in crate::store) table: String,
    /// One for each value of a record, in that order.
    pub(in crate::store) fields: Vec<TargetField>,
    /// Indexes into `fields`: the key.
    pub(in crate::store) key: Vec<usize>,
    /// Those columns of the table that take the time at which a record is created.
    pub(in crate::store) times: Vec<&'static str>,
    /// Those histories of which the file feeds at least one column.
    pub(in crate::store) histories: Vec<HistoryTarget>,
    /// An empty cell leaves the stored value alone.
    pub(in crate::store) keep_blank: bool,
    pub(in crate::store) mode: Mode,
    /// Values of some field are shown to nobody.
    pub(in crate::store) has_sensitive: bool,
    /// The field of the version, if only newer rows may change records.
    pub(in crate::store) version: Option<usize>,
    /// The lists that go into join tables; their values stand in the records behind those of `fields`.
    pub(in crate::store) lists: Vec<ListTarget>,
    /// Those that the file does not feed.
    pub(in crate::store) unfed_lists: Vec<ListTarget>,
}

/// A column of the table that the file feeds.
#[derive(Debug, Clone)]
pub(in crate::store) struct TargetField {
    /// The column of the table.
    pub(in crate::store) name: String,
    /// The dataset's name of the column, for row errors.
    pub(in crate::store) column: String,
    pub(in crate::store) kind: ColumnType,
    /// Its values are shown to nobody.
    pub(in crate::store) sensitive: bool,
    /// The enumeration of the column, as SQL names it.
    pub(in crate::store) enum_type: Option<String>,
    /// The default as SQL, which an empty cell of a new record means.
    pub(in crate::store) default_sql: Option<String>,
    /// The value is the id of a record of this other table.
    pub(in crate::store) reference: Option<ReferenceTarget>,
}

/// Another table whose records the rows name.
#[derive(Debug, Clone)]
pub(in crate::store) struct ReferenceTarget {
    pub(in crate::store) table: String,
    /// The columns by which a record is found, at least one.
    pub(in crate::store) match_columns: Vec<String>,
    /// The column that rows store.
    pub(in crate::store) key: String,
    pub(in crate::store) key_kind: KeyKind,
    pub(in crate::store) create: bool,
    /// Those columns of the table that take the time at which a record is created.
    pub(in crate::store) times: Vec<&'static str>,
}

impl ReferenceTarget {
    /// Reads the names that are in the table: id and name.
    pub(in crate::store) fn select_names(&self) -> String {
        let (table, name) = (quoted_table(&self.table), self.name_sql(""));
        format!(
            "SELECT {}, {name} FROM {table} WHERE {name} IS NOT NULL LIMIT {REFERENCES_MAX}",
            self.key_sql("")
        )
    }

    /// The name by which a record is found, NULL where a part of it is.
    pub(in crate::store) fn name_sql(&self, before: &str) -> String {
        let columns = self.match_columns.iter().map(String::as_str);
        joined_sql(columns, before, &NAME_SEPARATOR.to_string())
    }

    /// The same as people read it.
    pub(in crate::store) fn shown_sql(&self, before: &str) -> String {
        joined_sql(self.match_columns.iter().map(String::as_str), before, ", ")
    }

    /// The columns of the name, quoted.
    pub(in crate::store) fn name_columns(&self) -> impl Iterator<Item = String> {
        self.match_columns.iter().map(|column| quoted(column))
    }

    /// The key in the type in which it is read; `before` is the name of the table with a point.
    pub(in crate::store) fn key_sql(&self, before: &str) -> String {
        let key = quoted(&self.key);
        match self.key_kind {
            KeyKind::Uuid => format!("{before}{key}"),
            KeyKind::Integer => format!("CAST({before}{key} AS bigint)"),
            KeyKind::Text => format!("CAST({before}{key} AS text)"),
        }
    }
}

/// A list of a record, an item a row of a join table.
#[derive(Debug, Clone)]
pub(in crate::store) struct ListTarget {
    /// Which value of a record it is.
    pub(in crate::store) value: usize,
    /// The dataset's name of the column, for row errors.
    pub(in crate::store) column: String,
    /// By which the images of a journal have it.
    pub(in crate::store) name: String,
    /// The join table.
    pub(in crate::store) table: String,
    /// Its column for the record.
    pub(in crate::store) owner: String,
    /// Its column for the item.
    pub(in crate::store) item: String,
    /// The table of the items.
    pub(in crate::store) reference: ReferenceTarget,
    /// Those columns of the join table that take the time at which a row is created.
    pub(in crate::store) times: Vec<&'static str>,
}

/// A table of old values.
#[derive(Debug, Clone)]
pub(in crate::store) struct HistoryTarget {
    pub(in crate::store) table: String,
    pub(in crate::store) owner: String,
    /// Each column it keeps, with its record value if the file feeds it.
    pub(in crate::store) columns: Vec<(String, Option<usize>)>,
    /// Those columns of the table that take the time at which values become current.
    pub(in crate::store) times: Vec<&'static str>,
}

impl Target {
    /// The table notes when a record was changed.
    pub(in crate::store) fn has_updated_at(&self) -> bool {
        self.times.contains(&"updated_at")
    }

    /// Compiles the target of a job.
    pub(in crate::store) fn new(
        dataset: &Arc<Dataset>,
        plan: &Plan,
        shapes: &BTreeMap<String, TableShape>,
        mode: Mode,
        blank: Blank,
    ) -> Self {
        assert!(
            plan.columns.iter().all(|index| *index < dataset.columns.len()),
            "a plan is made from its dataset"
        );
        let tables = TargetTables { dataset, shapes };
        let columns = || plan.columns.iter().filter_map(|index| dataset.columns.get(*index));
        let fed_by = |index: &usize| plan.columns.iter().position(|fed| fed == index);
        let lists: Vec<ListTarget> =
            columns().enumerate().filter_map(|(value, it)| tables.list(value, it)).collect();
        let own = plan.columns.len() - lists.len();
        assert!(lists.iter().all(|list| list.value >= own), "lists stand behind the other values");
        let unfed = dataset.columns.iter().enumerate().filter(|(index, _)| fed_by(index).is_none());
        let unfed_lists = unfed.filter_map(|(_, column)| tables.list(usize::MAX, column)).collect();
        let fields = columns().take(own).map(|column| tables.field(column)).collect();
        let histories = dataset.histories.iter().map(|history| HistoryTarget {
            table: history.table.clone(),
            owner: history.owner.clone(),
            times: tables.times(&history.table),
            columns: history
                .columns
                .iter()
                .filter_map(|index| {
                    dataset.columns.get(*index).map(|c| (c.field.clone(), fed_by(index)))
                })
                .collect(),
        });
        let is_fed = |history: &HistoryTarget| history.columns.iter().any(|(_, fed)| fed.is_some());
        let histories = histories.filter(is_fed).collect();
        Self {
            table: dataset.table.clone(),
            fields,
            key: plan.key.clone(),
            times: tables.times(&dataset.table),
            histories,
            keep_blank: blank == Blank::Keep,
            // Also one that the file does not feed: a trigger may say its value.
            has_sensitive: dataset.has_sensitive(),
            mode,
            version: dataset.version.filter(|_| mode == Mode::Newer).and_then(|it| fed_by(&it)),
            lists,
            unfed_lists,
        }
    }

    /// Indexes of the fields that are not part of the key.
    pub(in crate::store) fn payload(&self) -> impl Iterator<Item = usize> {
        (0..self.fields.len()).filter(|index| !self.key.contains(index))
    }

    /// The dataset's name of the first column of the key.
    pub(in crate::store) fn key_column(&self) -> &str {
        let key = self.key.first().and_then(|key| self.fields.get(*key));
        assert!(key.is_some(), "every dataset has a key, and every plan feeds it");
        key.map_or("", |field| field.column.as_str())
    }

    /// The record's value of a list, and what it means: the names of its items, or nothing where the
    /// stored items stay as they are.
    pub(in crate::store) fn says<'r>(
        &self,
        list: &ListTarget,
        records: &'r Records,
        record: usize,
    ) -> Option<Value<'r>> {
        if records.keeps_stored(record, list.value) {
            return None;
        }
        let value = records.value(record, list.value);
        (!self.keep_blank || value != Value::Null).then_some(value)
    }

    /// The same target with the lists that the file does not feed: they belong to the rows that it is
    /// about all the same.
    pub(in crate::store) fn with_all_lists(mut self) -> Self {
        self.lists.append(&mut self.unfed_lists);
        self
    }

    /// The lists that the file feeds.
    pub(in crate::store) fn fed_lists(&self) -> impl Iterator<Item = &ListTarget> {
        self.lists.iter().filter(|list| list.value != usize::MAX)
    }

    /// What a value of a record names, if it names records.
    pub(in crate::store) fn reference(&self, value: usize) -> Option<&ReferenceTarget> {
        match self.fields.get(value) {
            Some(field) => field.reference.as_ref(),
            None => self.lists.iter().find(|it| it.value == value).map(|it| &it.reference),
        }
    }

    /// The field's name in SQL.
    pub(in crate::store) fn field(&self, index: usize) -> String {
        let field = self.fields.get(index);
        assert!(field.is_some(), "field {index} is none of the target");
        field.map_or_else(String::new, |field| quoted(&field.name))
    }
}

/// The tables of a dataset as they are.
struct TargetTables<'a> {
    dataset: &'a Dataset,
    shapes: &'a BTreeMap<String, TableShape>,
}

impl TargetTables<'_> {
    fn times(&self, table: &str) -> Vec<&'static str> {
        let field = |name: &str| self.shapes.get(table).and_then(|shape| shape.column(name));
        let takes_time = |name: &&str| field(name).is_some_and(|field| !field.is_generated);
        OWN_TIMES.into_iter().filter(takes_time).collect()
    }

    fn field(&self, column: &Column) -> TargetField {
        let stored = self.shapes.get(&self.dataset.table).and_then(|it| it.column(&column.field));
        TargetField {
            enum_type: stored.and_then(|it| it.enum_type.clone()),
            default_sql: stored
                .filter(|_| column.default_when_empty)
                .and_then(|it| it.default_sql.clone()),
            name: column.field.clone(),
            column: column.name.clone(),
            kind: column.kind,
            sensitive: column.sensitive,
            reference: column.reference.as_ref().map(|reference| self.reference(reference)),
        }
    }

    fn reference(&self, reference: &Reference) -> ReferenceTarget {
        ReferenceTarget {
            table: reference.table.clone(),
            match_columns: reference.match_columns().into_iter().map(str::to_owned).collect(),
            key: reference.key.clone(),
            key_kind: key_kind(self.shapes.get(&reference.table), &reference.key),
            create: reference.create,
            times: self.times(&reference.table),
        }
    }

    fn list(&self, value: usize, column: &Column) -> Option<ListTarget> {
        let join = column.join.as_ref()?;
        Some(ListTarget {
            value,
            column: column.name.clone(),
            name: column.field.clone(),
            table: join.table.clone(),
            owner: join.owner.clone(),
            item: join.item.clone(),
            reference: self.reference(&join.reference),
            times: self.times(&join.table),
        })
    }
}

/// A column without a type, on SQLite, holds UUIDs.
fn key_kind(table: Option<&TableShape>, key: &str) -> KeyKind {
    let field = table.and_then(|table| table.column(key));
    match field {
        Some(field) if field.is_integer() => KeyKind::Integer,
        Some(field) if field.is_text() => KeyKind::Text,
        _ => KeyKind::Uuid,
    }
}

/// A name in SQL, quoted. Both databases take the double quotes of the standard.
pub(in crate::store) fn quoted(name: &str) -> String {
    use sea_orm::sea_query::{Alias, IntoIden, PostgresQueryBuilder, QuotedBuilder};
    let mut sql = String::new();
    PostgresQueryBuilder.prepare_iden(&Alias::new(name).into_iden(), &mut sql);
    sql
}

/// A table in SQL, with its schema if the definition names one.
pub(in crate::store) fn quoted_table(table: &str) -> String {
    let TableName { schema, name } = TableName::of(table);
    match schema {
        Some(schema) => format!("{}.{}", quoted(&schema), quoted(&name)),
        None => quoted(&name),
    }
}

/// Texts of columns as one text.
pub(in crate::store) fn joined_sql<'a>(
    columns: impl Iterator<Item = &'a str>,
    before: &str,
    separator: &str,
) -> String {
    let texts = columns.map(|column| format!("CAST({before}{} AS text)", quoted(column)));
    texts.collect::<Vec<_>>().join(&format!(" || '{separator}' || "))
}

/// Columns of times as SQL that follows other columns, and `value` once for each of them.
pub(in crate::store) fn times_sql(times: &[&str], value: &str) -> (String, String) {
    let columns: Vec<String> = times.iter().map(|name| format!(", {name}")).collect();
    (columns.concat(), format!(", {value}").repeat(times.len()))
}

/// Joins the parts with commas.
pub(in crate::store) fn list(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}
