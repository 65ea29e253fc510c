//! The statements that find the records which a file does not have. Names come from checked definitions
//! and are quoted; values are only ever bound.

use sea_orm::{DbBackend, Statement, Value as Sql};

use crate::dataset::ColumnValues;
use crate::dataset::model::{ColumnType, Dataset};
use crate::store::chunk::list_sql::{image_columns, image_json};
use crate::store::chunk::target::{Target, TargetField, list, quoted, quoted_table};
use crate::store::postgres::sql::staged_as;
use crate::store::record_filter::{RecordFilter, as_json};

/// Finds the records of a scope that a file does not have.
pub(super) struct AbsentSql {
    backend: DbBackend,
    job: i64,
    table: String,
    /// The key of the table, and the column that says that a record is gone.
    pub(super) target: Target,
    /// In scope, and not gone yet.
    there: RecordFilter,
    /// The column that says that a record is gone, and its value there as JSON; without it they are
    /// deleted.
    pub(super) gone: Option<(String, String)>,
}

impl AbsentSql {
    pub(super) fn new(
        backend: DbBackend,
        job: i64,
        dataset: &Dataset,
        target: Target,
        scope: &ColumnValues,
        gone: Option<&ColumnValues>,
    ) -> Self {
        let mut there = RecordFilter::new(backend, dataset, scope);
        let gone = gone.and_then(|values| values.iter().next()).and_then(|(index, value)| {
            let column = dataset.columns.get(index)?;
            Some((column.field.clone(), as_json(value, column.kind)))
        });
        if let Some((field, json)) = &gone {
            let bound = there.bind_value(field, json);
            let is_other = match backend {
                DbBackend::Sqlite => "IS NOT",
                _ => "IS DISTINCT FROM",
            };
            there.add(format!("t.{} {is_other} {bound}", quoted(field)));
        }
        for name in target.key.iter().map(|field| target.field(*field)) {
            // No file has a record without a key, nor one of a kind that no file can hold.
            there.add(match backend {
                DbBackend::Sqlite => format!("typeof(t.{name}) NOT IN ('null', 'blob')"),
                _ => format!("t.{name} IS NOT NULL"),
            });
        }
        Self { backend, job, table: quoted_table(&target.table), target, there, gone }
    }

    fn is_sqlite(&self) -> bool {
        self.backend == DbBackend::Sqlite
    }

    fn key_fields(&self) -> impl Iterator<Item = &TargetField> {
        self.target.key.iter().filter_map(|field| self.target.fields.get(*field))
    }

    fn statement(&self, sql: String, values: Vec<Sql>) -> Statement {
        Statement::from_sql_and_values(self.backend, sql, values)
    }

    /// Counts the records in scope that are not gone.
    pub(super) fn count_in_scope(&self) -> Statement {
        let sql = format!("SELECT count(*) FROM {} AS t WHERE {}", self.table, self.there.sql());
        self.statement(sql, self.there.values.clone())
    }

    /// Counts the chunks of the file whose keys are not noted: those that were committed by a version
    /// which noted them elsewhere.
    pub(super) fn count_chunks_without_keys(&self, partitions: u32) -> Statement {
        let sql = "SELECT count(*) FROM import_chunks c WHERE c.import_log_id = $1 AND c.lane < $2 \
                   AND NOT EXISTS (SELECT 1 FROM import_chunk_keys k \
                   WHERE k.import_log_id = c.import_log_id AND k.number = c.number)";
        self.statement(sql.to_owned(), vec![self.job.into(), i64::from(partitions).into()])
    }

    /// Makes the keys of the file a table of the session, in the types that the dataset's table has, on
    /// PostgreSQL: so they are compared as the table compares them.
    pub(super) fn prepare(&self) -> Vec<Statement> {
        if self.is_sqlite() {
            return Vec::new();
        }
        let names = list(self.key_fields().map(|field| quoted(&field.name)));
        let create = format!(
            "CREATE TEMP TABLE loadbay_seen ON COMMIT DROP AS SELECT {names} FROM {} WITH NO DATA",
            self.table
        );
        let fill = format!(
            "INSERT INTO loadbay_seen ({names}) SELECT {} FROM {}",
            list(self.noted_parts()),
            self.noted()
        );
        vec![
            self.statement(create, Vec::new()),
            self.statement(fill.replace("$job", "$1"), vec![self.job.into()]),
            self.statement("ANALYZE loadbay_seen".to_owned(), Vec::new()),
            // The planner takes the condition for one that hardly any record meets, and would look at all
            // keys of the file for each.
            self.statement("SET LOCAL enable_nestloop = off".to_owned(), Vec::new()),
        ]
    }

    /// The keys that the chunks of the file noted, as elements `e`; `$job` is the job.
    fn noted(&self) -> String {
        let elements = match (self.is_sqlite(), self.target.key.len()) {
            (true, _) => "json_each(c.keys) e",
            (false, 1) => "json_array_elements_text(c.keys::json) AS e (value)",
            (false, _) => "json_array_elements(c.keys::json) AS e (value)",
        };
        format!(
            "import_chunk_keys c CROSS JOIN {elements} WHERE c.import_log_id = $job \
             AND NOT c.absent"
        )
    }

    /// The values of such an element as the database compares them.
    fn noted_parts(&self) -> Vec<String> {
        let is_one = self.target.key.len() == 1;
        let part = |(place, field): (usize, &TargetField)| {
            let value = match (self.is_sqlite(), is_one) {
                (_, true) => "e.value".to_owned(),
                (true, false) => format!("json_extract(e.value, '$[{place}]')"),
                (false, false) => format!("(e.value ->> {place})"),
            };
            match (self.is_sqlite(), field.kind) {
                // The division rounds once, as that of a value that is stored.
                (true, ColumnType::Decimal { scale, .. }) => {
                    format!("{value} / {:.1}", 10_f64.powi(i32::from(scale)))
                }
                (true, _) => value,
                (false, _) => format!("{value}::{}", staged_as(field)),
            }
        };
        self.key_fields().enumerate().map(part).collect()
    }

    /// Lists the keys of the records in scope that the file does not have, for chunks of `rows` records
    /// from the number `first` on. In one statement, so that the list is whole or not there.
    pub(super) fn list(&self, first: u32, rows: u32) -> Statement {
        let mut there = self.there.clone();
        let job = there.bind(self.job);
        let is_absent = self.is_absent(&job);
        let condition = format!("{} AND {is_absent}", there.sql());
        let names = list(self.key_fields().map(|field| format!("t.{}", quoted(&field.name))));
        let absent = format!(
            "SELECT {names}, row_number() OVER (ORDER BY {}) - 1 AS loadbay_place FROM {} AS t \
             WHERE {condition}",
            self.key_order(),
            self.table
        );
        let (first, rows) = (there.bind(i64::from(first)), there.bind(i64::from(rows)));
        // Both are numbers of ours; PostgreSQL must know of which type.
        let (job, first, rows) = match self.backend {
            DbBackend::Sqlite => (job, first, rows),
            _ => (format!("{job}::bigint"), format!("{first}::bigint"), format!("{rows}::bigint")),
        };
        let sql = format!(
            "INSERT INTO import_chunk_keys (import_log_id, number, absent, keys) \
             SELECT {job}, {first} + a.loadbay_place / {rows}, true, {} FROM ({absent}) a \
             GROUP BY a.loadbay_place / {rows}",
            self.listed_keys()
        );
        self.statement(sql, there.values)
    }

    fn is_absent(&self, job: &str) -> String {
        let names: Vec<String> =
            self.key_fields().map(|field| format!("t.{}", quoted(&field.name))).collect();
        if self.is_sqlite() {
            // SQLite makes an index of the keys for this statement.
            return format!(
                "({}) NOT IN (SELECT {} FROM {})",
                names.join(", "),
                list(self.noted_parts()),
                self.noted().replace("$job", job)
            );
        }
        let same = self.key_fields().map(|field| format!("t.{0} = s.{0}", quoted(&field.name)));
        format!(
            "NOT EXISTS (SELECT 1 FROM loadbay_seen s WHERE {})",
            same.collect::<Vec<_>>().join(" AND ")
        )
    }

    /// The keys of a chunk, as [`find`](Self::find) reads them.
    fn listed_keys(&self) -> String {
        if !self.is_sqlite() {
            let pairs = self.key_fields().map(|field| {
                format!("'{}', a.{}", field.name.replace('\'', "''"), quoted(&field.name))
            });
            return format!("json_agg(json_build_object({}))::text", list(pairs));
        }
        let mut parts = self.key_fields().map(|field| {
            let name = format!("a.{}", quoted(&field.name));
            match field.kind {
                // JSON would round it.
                ColumnType::Decimal { scale, .. } => {
                    format!("CAST(round({name} * {:.1}) AS integer)", 10_f64.powi(i32::from(scale)))
                }
                _ => name,
            }
        });
        match (parts.next(), self.target.key.len()) {
            (Some(only), 1) => format!("json_group_array({only})"),
            (first, _) => {
                format!("json_group_array(json_array({}))", list(first.into_iter().chain(parts)))
            }
        }
    }

    /// The chunks of the list, in order. Columns: number, records.
    pub(super) fn listed(backend: DbBackend, job: i64) -> Statement {
        let length = match backend {
            DbBackend::Sqlite => "json_array_length(keys)",
            _ => "json_array_length(keys::json)",
        };
        let sql = format!(
            "SELECT CAST(number AS bigint), CAST({length} AS bigint) FROM import_chunk_keys \
             WHERE import_log_id = $1 AND absent ORDER BY number"
        );
        Statement::from_sql_and_values(backend, sql, [job.into()])
    }

    /// The records of a chunk of the list that are still in scope and not gone, locked. Columns: none of
    /// a record; on PostgreSQL the row as JSON, on SQLite its columns. Of the row `columns`, or all.
    pub(super) fn find(&self, number: u32, columns: Option<&[&str]>) -> Statement {
        let mut there = self.there.clone();
        let condition = there.sql();
        let (job, number) = (there.bind(self.job), there.bind(i64::from(number)));
        let of_chunk = format!("c.import_log_id = {job} AND c.number = {number} AND c.absent");
        let of_row = columns.map(|columns| {
            let column = |name: &&str| match self.backend {
                DbBackend::Sqlite => format!("t.{0} AS {0}", quoted(name)),
                _ => format!("t.{}", quoted(name)),
            };
            list(columns.iter().map(column))
        });
        let order = self.key_order();
        let sql = if self.is_sqlite() {
            let parts = self.noted_parts();
            let same = self.key_fields().zip(&parts);
            let same = same.map(|(field, part)| format!("t.{} = {part}", quoted(&field.name)));
            // CROSS: the keys first, then the index of the table for each.
            format!(
                "SELECT 0 AS loadbay_first, {} FROM import_chunk_keys c CROSS JOIN json_each(c.keys) e \
                 CROSS JOIN {} AS t ON {} WHERE {condition} AND {of_chunk} ORDER BY {order}",
                of_row.unwrap_or_else(|| image_columns(&self.target, self.backend)),
                self.table,
                same.collect::<Vec<_>>().join(" AND ")
            )
        } else {
            let row = match of_row {
                Some(columns) => {
                    format!("(SELECT row_to_json(r)::text FROM (SELECT {columns}) r)")
                }
                None => image_json(&self.target),
            };
            let same = self.key_fields().map(|field| format!("t.{0} = g.{0}", quoted(&field.name)));
            format!(
                "SELECT 0::bigint, {row} FROM import_chunk_keys c \
                 CROSS JOIN LATERAL json_populate_recordset(NULL::{0}, c.keys::json) g \
                 JOIN {0} AS t ON {1} WHERE {condition} AND {of_chunk} ORDER BY {order} \
                 FOR UPDATE OF t",
                self.table,
                same.collect::<Vec<_>>().join(" AND ")
            )
        };
        self.statement(sql, there.values)
    }

    /// All who write lock rows in this order.
    fn key_order(&self) -> String {
        let is_sqlite = self.is_sqlite();
        list(self.key_fields().map(|field| {
            let is_text = field.kind == ColumnType::Text && !is_sqlite;
            format!("t.{}{}", quoted(&field.name), if is_text { " COLLATE \"C\"" } else { "" })
        }))
    }
}
