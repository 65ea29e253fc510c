//! The SQL of a rollback, the same for both databases but for how rows are handed in: each statement
//! takes a number of rows at once, as the table `loadbay_given`. Names come from checked definitions
//! and are quoted; values are only ever bound.

use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, Statement, Value};

use super::image::Image;
use super::sqlite_values;
use crate::dataset::TableShape;
use crate::dataset::model::{ColumnType, Dataset};
use crate::store::chunk::list_sql::{image_columns, image_json};
use crate::store::chunk::target::{HistoryTarget, Target, list, quoted, quoted_table, times_sql};

/// Values that SQLite binds in one statement at most, less a few for others than rows.
const SQLITE_VALUES: usize = 32_000;

/// Rows of one statement on SQLite. Statements of the same number of rows are prepared once.
const SQLITE_ROWS: usize = 256;

/// The column that counts the given rows, from 0.
pub(super) const POSITION: &str = "loadbay_position";

/// Makes the statements of a rollback.
pub(in crate::store) struct RollbackSql {
    backend: DbBackend,
    pub(in crate::store) target: Target,
    /// The table has a column `id`: a row with the same key and another id is another row.
    pub(super) has_id: bool,
    /// Every column of the table that can be written.
    stored: Vec<String>,
    /// Every history and join table, also those of which the file feeds nothing: its table, and its column
    /// that holds the `id` of the row.
    owned: Vec<(String, String)>,
    table: String,
    /// `t.a = g.a AND …`
    same_key: String,
}

/// A statement that is not complete yet: the rows that it takes, and their values.
struct Given {
    with: String,
    values: Vec<Value>,
}

impl RollbackSql {
    pub(in crate::store) fn new(
        backend: DbBackend,
        dataset: &Dataset,
        target: Target,
        shape: Option<&TableShape>,
    ) -> Self {
        let same = target.key.iter().map(|field| format!("t.{0} = g.{0}", target.field(*field)));
        let fields = shape.map(|shape| shape.columns.as_slice()).unwrap_or_default();
        // The number of a row that the database counts can be put back, what it computes cannot.
        let stored = fields.iter().filter(|it| !it.is_generated || it.name == "id");
        Self {
            backend,
            has_id: fields.iter().any(|field| field.name == "id"),
            stored: stored.map(|field| field.name.clone()).collect(),
            owned: owned(dataset).collect(),
            table: quoted_table(&target.table),
            same_key: same.collect::<Vec<_>>().join(" AND "),
            target,
        }
    }

    /// Rows that one statement takes at most.
    pub(in crate::store) fn rows_max(&self) -> usize {
        match self.backend {
            DbBackend::Sqlite => {
                (SQLITE_VALUES / self.target.fields.len().max(1)).clamp(1, SQLITE_ROWS)
            }
            // One statement locks all rows of a chunk in the order of their keys.
            _ => usize::MAX,
        }
    }

    /// The rows that have the given keys now, locked. Columns: the position; on PostgreSQL the row
    /// as JSON, on SQLite its columns.
    pub(in crate::store) fn find(&self, rows: &[&Image]) -> Statement {
        let columns = match self.backend {
            DbBackend::Sqlite => image_columns(&self.target, self.backend),
            _ => image_json(&self.target),
        };
        let lock = match self.backend {
            DbBackend::Sqlite => String::new(),
            _ => format!(" ORDER BY {} FOR UPDATE OF t", self.key_order()),
        };
        let (table, same_key) = (&self.table, &self.same_key);
        self.given(rows).statement(
            self.backend,
            &format!(
                "SELECT g.{POSITION}, {columns} FROM loadbay_given g \
                 JOIN {table} t ON {same_key}{lock}"
            ),
        )
    }

    /// All who write lock rows in this order.
    fn key_order(&self) -> String {
        let order = self.target.key.iter().map(|key| {
            let is_text =
                self.target.fields.get(*key).is_some_and(|it| it.kind == ColumnType::Text);
            let collation = if is_text { " COLLATE \"C\"" } else { "" };
            format!("g.{}{collation}", self.target.field(*key))
        });
        list(order)
    }

    /// Deletes what histories and join tables have of the rows.
    pub(in crate::store) fn forget<'a>(
        &'a self,
        rows: &'a [&Image],
    ) -> impl Iterator<Item = Statement> + 'a {
        self.owned.iter().map(move |(history, owner)| {
            let (history, owner) = (quoted_table(history), quoted(owner));
            let delete = format!(
                "DELETE FROM {history} WHERE {owner} IN (SELECT g.id FROM loadbay_given g)"
            );
            self.given(rows).statement(self.backend, &delete)
        })
    }

    /// Deletes the rows.
    pub(in crate::store) fn remove(&self, rows: &[&Image]) -> Statement {
        let key = list(self.target.key.iter().map(|field| self.target.field(*field)));
        let delete = format!(
            "DELETE FROM {} WHERE ({key}) IN (SELECT {key} FROM loadbay_given)",
            self.table
        );
        self.given(rows).statement(self.backend, &delete)
    }

    /// False where a row has no column that a file could have changed: only its lists.
    pub(super) fn restores(&self) -> bool {
        self.target.has_updated_at() || self.target.payload().next().is_some()
    }

    /// Gives the columns that the file fed the values of `rows`.
    pub(in crate::store) fn restore(&self, rows: &[&Image], now: DateTime<Utc>) -> Statement {
        let target = &self.target;
        let mut set: Vec<String> =
            target.payload().map(|field| format!("{0} = g.{0}", target.field(field))).collect();
        let mut given = self.given(rows);
        if target.has_updated_at() {
            set.push(format!("updated_at = {}", given.bind(now.into())));
        }
        let update = format!(
            "UPDATE {} AS t SET {} FROM loadbay_given g WHERE {}",
            self.table,
            list(set),
            self.same_key
        );
        given.statement(self.backend, &update)
    }

    /// The database.
    pub(in crate::store) fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Puts rows back that were deleted, whole.
    pub(super) fn put_back(&self, rows: &[&Image]) -> Statement {
        let names: Vec<&str> = self.stored.iter().map(String::as_str).collect();
        let columns = list(names.iter().map(|name| quoted(name)));
        // Also into columns that the database counts.
        let (given, counted) = match self.backend {
            DbBackend::Sqlite => (Self::given_values(&names, rows), ""),
            _ => (self.given(rows), " OVERRIDING SYSTEM VALUE"),
        };
        let insert = format!(
            "INSERT INTO {} ({columns}){counted} SELECT {columns} FROM loadbay_given",
            self.table
        );
        given.statement(self.backend, &insert)
    }

    /// Archives what a history holds as current of the rows, then adds what the table holds now;
    /// nothing where all of it is null.
    pub(in crate::store) fn archive(
        &self,
        history: &HistoryTarget,
        rows: &[&Image],
        now: DateTime<Utc>,
    ) -> [Statement; 2] {
        let (name, owner, table) =
            (quoted_table(&history.table), quoted(&history.owner), &self.table);
        let columns = || history.columns.iter().map(|(column, _)| quoted(column));
        let stored = list(columns().map(|column| format!("t.{column}")));
        let any = columns().map(|column| format!("t.{column} IS NOT NULL"));
        let any = any.collect::<Vec<_>>().join(" OR ");
        let ids = "(SELECT g.id FROM loadbay_given g)";
        let mut archive = self.given(rows);
        let at = archive.bind(now.into());
        let update = format!(
            "UPDATE {name} SET archived_at = {at} WHERE archived_at IS NULL AND {owner} IN {ids}"
        );
        let mut add = self.given(rows);
        let at = add.bind(now.into());
        let (times, now) = times_sql(&history.times, &at);
        let insert = format!(
            "INSERT INTO {name} ({owner}, {}{times}) SELECT t.id, {stored}{now} \
             FROM {table} t WHERE t.id IN {ids} AND ({any})",
            list(columns())
        );
        [archive.statement(self.backend, &update), add.statement(self.backend, &insert)]
    }

    /// The names that the references of the rows stand for; `None` when the file feeds no
    /// reference. Columns: the position, then a text for each field that is a reference.
    pub(in crate::store) fn names(&self, rows: &[&Image]) -> Option<Statement> {
        let name = |field: usize| {
            let reference = self.target.fields.get(field)?.reference.as_ref()?;
            let column = reference.name_columns().next()?;
            let table = quoted_table(&reference.table);
            let id = self.target.field(field);
            Some(format!(
                "CAST((SELECT r.{column} FROM {table} r WHERE r.{} = g.{id} LIMIT 1) AS text)",
                quoted(&reference.key)
            ))
        };
        let names: Vec<String> = (0..self.target.fields.len()).filter_map(name).collect();
        let ask = format!("SELECT g.{POSITION}, {} FROM loadbay_given g", names.join(", "));
        (!names.is_empty()).then(|| self.given(rows).statement(self.backend, &ask))
    }

    /// The rows as a table. On PostgreSQL a row becomes what it was by the rules by which it became
    /// JSON; on SQLite each value is bound.
    fn given(&self, rows: &[&Image]) -> Given {
        if self.backend == DbBackend::Sqlite {
            return Self::given_values(&self.columns(), rows);
        }
        let json = serde_json::to_string(rows).unwrap_or_default();
        let with = format!(
            "WITH loadbay_given AS (SELECT j.number - 1 AS {POSITION}, r.* \
             FROM json_array_elements($1::json) WITH ORDINALITY AS j (image, number) \
             CROSS JOIN LATERAL json_populate_record(NULL::{}, j.image) AS r)",
            self.table
        );
        Given { with, values: vec![json.into()] }
    }

    fn given_values(columns: &[&str], rows: &[&Image]) -> Given {
        let mut given = Given { with: String::new(), values: Vec::new() };
        let row = |(position, row): (usize, &&Image)| {
            let values = columns
                .iter()
                .map(|column| given.bind(sqlite_values::to_sql(row.get(column).unwrap_or("null"))));
            format!("({position}, {})", list(values))
        };
        let rows = list(rows.iter().enumerate().map(row));
        let names = list(columns.iter().map(|column| quoted(column)));
        given.with = format!("WITH loadbay_given ({POSITION}, {names}) AS (VALUES {rows})");
        given
    }

    /// The columns of the table that the statements speak of.
    pub(in crate::store) fn columns(&self) -> Vec<&str> {
        let fields = self.target.fields.iter().map(|field| field.name.as_str());
        let id = Some("id").filter(|id| self.has_id && !fields.clone().any(|name| name == *id));
        id.into_iter().chain(fields).collect()
    }
}

impl Given {
    /// The next parameter.
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn statement(self, backend: DbBackend, sql: &str) -> Statement {
        Statement::from_sql_and_values(backend, format!("{} {sql}", self.with), self.values)
    }
}

/// The histories and join tables of a dataset, also those of which the file feeds nothing: what they have
/// goes with its row. Each table with its column that holds the `id` of the row.
pub(super) fn owned(dataset: &Dataset) -> impl Iterator<Item = (String, String)> {
    let histories = dataset.histories.iter().map(|it| (it.table.clone(), it.owner.clone()));
    histories.chain(dataset.joins().map(|it| (it.table.clone(), it.owner.clone())))
}
