//! The SQL of a target, written once a job. Names come from checked definitions and are quoted;
//! values are only ever bound or copied.
//!
//! The planner knows nothing of the stage. Left alone it would read a whole large table to join it
//! with a chunk; so tables are reached by `LIMIT` in a lateral or scalar subquery, or by `= ANY` of
//! an array, all of which probe an index for each row whatever the statistics say.

mod history;
mod merge;

use crate::dataset::model::ColumnType;
use crate::domain::options::Mode;
use crate::store::chunk::record_id::KeyKind;
use crate::store::chunk::target::{Target, TargetField, list, quoted, quoted_table};
pub(super) use history::{history, history_columns};
pub(super) use merge::MergeSql;

/// The statements of a target.
#[derive(Debug)]
pub(super) struct ImportSql {
    /// Creates the session's temporary tables.
    pub(super) prepare: Vec<String>,
    /// Copies records into the stage.
    pub(super) copy: String,
    /// Merges the stage into the table.
    pub(super) merge: MergeSql,
    /// The same, and says which records were created and which updated.
    pub(super) merge_returning_rows: MergeSql,
    /// For modes that refuse rows: the record indexes that the merge will not take.
    pub(super) refuse: Option<String>,
    /// Puts the stored values into the stage where a record has none; locks their rows.
    pub(super) fill_absent: Option<String>,
    /// The staged records whose key is not in the table after the merge.
    pub(super) left_out: String,
    /// Where only newer rows may change records: the staged records that still differ from theirs
    /// after the merge.
    pub(super) not_newer: Option<String>,
    /// True when the table has triggers of its owner's. No parameters.
    pub(super) has_triggers: String,
    /// One for each history, to be run when records were updated. Parameter: now.
    pub(super) histories: Vec<String>,
}

impl ImportSql {
    pub(super) fn new(target: &Target) -> Self {
        let names = SqlParts::new(target);
        Self {
            prepare: names.temporary_tables(),
            copy: format!(
                "COPY loadbay_stage (loadbay_record, loadbay_absent, {}{}) FROM STDIN (FORMAT binary)",
                names.fields,
                (0..target.lists.len())
                    .fold(String::new(), |all, it| all + ", " + &stage_column(it))
            ),
            merge: MergeSql::new(&names, false),
            merge_returning_rows: MergeSql::new(&names, true),
            refuse: names.refuse(),
            fill_absent: names.fill_absent(),
            left_out: names.left_out(),
            not_newer: names.not_newer(),
            has_triggers: format!(
                "SELECT EXISTS (SELECT 1 FROM pg_trigger WHERE NOT tgisinternal \
                 AND tgrelid = '{}'::regclass)",
                names.table.replace('\'', "''")
            ),
            histories: target.histories.iter().map(history).collect(),
        }
    }
}

/// Pieces of SQL that several statements share. `t` is the table, `s` the stage.
struct SqlParts<'t> {
    target: &'t Target,
    table: String,
    /// All fields.
    fields: String,
    key: String,
    payload: Vec<String>,
    /// Columns of the histories, each once.
    history_columns: Vec<String>,
    /// `t.a = s.a AND …`
    same_key: String,
}

impl<'t> SqlParts<'t> {
    fn new(target: &'t Target) -> Self {
        let key: Vec<String> = target.key.iter().map(|field| target.field(*field)).collect();
        Self {
            target,
            table: quoted_table(&target.table),
            fields: list((0..target.fields.len()).map(|field| target.field(field))),
            same_key: same_key(target),
            key: list(key),
            payload: target.payload().map(|field| target.field(field)).collect(),
            history_columns: history_columns(target),
        }
    }

    /// What a new record gets: a default where the stage has nothing for a column that takes no NULL.
    fn new_values(&self) -> String {
        let value = |(index, field): (usize, &TargetField)| {
            let name = self.target.field(index);
            match &field.default_sql {
                Some(default) => {
                    format!("coalesce(s.{name}, ({default})::{})", staged_as(field))
                }
                None => format!("s.{name}"),
            }
        };
        list(self.target.fields.iter().enumerate().map(value))
    }

    fn temporary_tables(&self) -> Vec<String> {
        let columns = self
            .target
            .fields
            .iter()
            .map(|field| format!("{} {}", quoted(&field.name), staged_as(field)));
        let lists = self.target.lists.iter().enumerate().map(|(number, list)| {
            format!("{} {}[]", stage_column(number), stage_type(list.reference.key_kind))
        });
        let mut tables = vec![format!(
            "CREATE TEMP TABLE loadbay_stage (loadbay_record int, loadbay_absent text, {}) \
             ON COMMIT DELETE ROWS",
            list(columns.chain(lists))
        )];
        if !self.history_columns.is_empty() {
            tables.push(format!(
                "CREATE TEMP TABLE loadbay_changed ON COMMIT DELETE ROWS AS \
                 SELECT id, {} FROM {} WITH NO DATA",
                self.history_columns.join(", "),
                self.table
            ));
        }
        tables
    }

    /// `None` where the file feeds nothing but the key.
    fn fill_absent(&self) -> Option<String> {
        let fields = 0..self.target.fields.len();
        let set: Vec<String> = fields
            .filter(|field| !self.target.key.contains(field))
            .map(|field| {
                let (name, digit) = (self.target.field(field), field + 1);
                format!(
                    "{name} = CASE WHEN substr(s.loadbay_absent, {digit}, 1) = '1' \
                     THEN t.{name} ELSE s.{name} END"
                )
            })
            .collect();
        let first_key = self.target.field(*self.target.key.first()?);
        (!set.is_empty()).then(|| {
            format!(
                "UPDATE loadbay_stage s SET {} FROM (SELECT * FROM {} \
                 WHERE {first_key} = ANY (ARRAY(SELECT {first_key} FROM loadbay_stage \
                 WHERE loadbay_absent IS NOT NULL)) ORDER BY {} FOR UPDATE) t \
                 WHERE {} AND s.loadbay_absent IS NOT NULL",
                set.join(", "),
                self.table,
                self.key,
                self.same_key
            )
        })
    }

    fn left_out(&self) -> String {
        format!(
            "SELECT loadbay_record FROM loadbay_stage s \
             WHERE (SELECT true FROM {} t WHERE {} LIMIT 1) IS NULL",
            self.table, self.same_key
        )
    }

    fn not_newer(&self) -> Option<String> {
        self.target.version?;
        Some(format!(
            "SELECT s.loadbay_record FROM loadbay_stage s, \
             LATERAL (SELECT {} FROM {} t WHERE {} LIMIT 1) t WHERE {}",
            list(self.payload.iter().map(|column| format!("t.{column}"))),
            self.table,
            self.same_key,
            self.differs("s", "t")
        ))
    }

    /// Locks nothing: a key that another job creates or deletes in between is settled by the merge.
    fn refuse(&self) -> Option<String> {
        let found = match self.target.mode {
            Mode::Upsert | Mode::Newer | Mode::Mirror => return None,
            Mode::Insert => "IS NOT NULL",
            Mode::Update => "IS NULL",
        };
        Some(format!(
            "DELETE FROM loadbay_stage s WHERE (SELECT true FROM {} t WHERE {} LIMIT 1) {found} \
             RETURNING loadbay_record",
            self.table, self.same_key
        ))
    }
}

/// The type of a field in the stage.
pub(in crate::store) fn staged_as(field: &TargetField) -> &str {
    match (&field.reference, &field.enum_type, field.kind) {
        (Some(reference), _, _) => stage_type(reference.key_kind),
        (None, Some(enum_type), _) => enum_type,
        (None, None, ColumnType::Text) => "text",
        (None, None, ColumnType::Integer) => "bigint",
        (None, None, ColumnType::Decimal { .. }) => "numeric",
        (None, None, ColumnType::Boolean) => "boolean",
        (None, None, ColumnType::Date) => "date",
        (None, None, ColumnType::DateTime) => "timestamptz",
        (None, None, ColumnType::Json | ColumnType::List) => "jsonb",
    }
}

/// The column of the stage with the items of the list numbered `number`.
pub(super) fn stage_column(number: usize) -> String {
    format!("loadbay_list_{number}")
}

/// The type of a reference in the stage.
pub(in crate::store) fn stage_type(key: KeyKind) -> &'static str {
    match key {
        KeyKind::Uuid => "uuid",
        KeyKind::Integer => "bigint",
        KeyKind::Text => "text",
    }
}

/// `t.a = s.a AND …`: the row of the table `t` with the key of `s`.
pub(super) fn same_key(target: &Target) -> String {
    let same = target.key.iter().map(|field| format!("t.{0} = s.{0}", target.field(*field)));
    same.collect::<Vec<_>>().join(" AND ")
}
