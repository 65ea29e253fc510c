//! The records of a dataset as its files have them: a text for each column, page by page. On PostgreSQL in
//! the order of the key, on SQLite in that of the table.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::dataset::model::{Column, ColumnType, Dataset};
use crate::dataset::{ColumnValues, TableShape};
use crate::domain::record::list_cell;
use crate::store::Store;
use crate::store::chunk::list_sql::item_names;
use crate::store::chunk::target::{list, quoted, quoted_table};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::record_filter::RecordFilter;

const ACTION: &str = "read the records of a dataset";

/// Some records of a dataset.
#[derive(Debug, Default)]
pub struct ExportPage {
    /// A text for each column of the dataset that is not sensitive.
    pub rows: Vec<Vec<String>>,
    /// What the next page begins behind; `None` without a record.
    pub last: Option<String>,
}

impl Store {
    /// Records in scope behind `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn export_page(
        &self,
        dataset: &Dataset,
        scope: &ColumnValues,
        after: Option<&str>,
        limit: u64,
    ) -> Result<ExportPage, StoreError> {
        let shape = self.shape(&dataset.table).await?;
        let filter = RecordFilter::new(self.backend(), dataset, scope);
        let select = ExportSql { backend: self.backend(), dataset, shape: shape.as_ref(), filter };
        let rows = self.lists.query_all_raw(select.page(after, limit)).await.context(ACTION)?;
        let mut page = ExportPage::default();
        for row in &rows {
            page.last = row.try_get_by_index(0).context(ACTION)?;
            let text = |(index, column): (usize, &Column)| -> Result<String, sea_orm::DbErr> {
                let text: Option<String> = row.try_get_by_index(index + 1)?;
                let cell = |text| match column.join {
                    Some(_) => {
                        list_cell(&serde_json::from_str::<Vec<String>>(text).unwrap_or_default())
                    }
                    None => as_cell(text.to_owned(), column.kind),
                };
                Ok(text.as_deref().map_or_else(String::new, cell))
            };
            let shown = dataset.columns.iter().filter(|column| !column.sensitive);
            let cells = shown.enumerate().map(text);
            page.rows.push(cells.collect::<Result<_, _>>().context(ACTION)?);
        }
        Ok(page)
    }
}

/// A moment without the zeros of its fraction.
fn as_cell(text: String, kind: ColumnType) -> String {
    match (kind, text.strip_suffix('Z').and_then(|text| text.split_once('.'))) {
        (ColumnType::DateTime, Some((whole, fraction))) => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { format!("{whole}Z") } else { format!("{whole}.{fraction}Z") }
        }
        _ => text,
    }
}

struct ExportSql<'d> {
    backend: DbBackend,
    dataset: &'d Dataset,
    shape: Option<&'d TableShape>,
    filter: RecordFilter,
}

impl ExportSql<'_> {
    fn is_sqlite(&self) -> bool {
        self.backend == DbBackend::Sqlite
    }

    fn page(mut self, after: Option<&str>, limit: u64) -> Statement {
        let keys = self.dataset.key.iter().filter_map(|index| self.dataset.columns.get(*index));
        let keys: Vec<&str> = keys.map(|column| column.field.as_str()).collect();
        let (place, order) = if self.is_sqlite() {
            ("CAST(t.rowid AS text)".to_owned(), "t.rowid".to_owned())
        } else {
            let pairs = keys
                .iter()
                .map(|name| format!("'{}', t.{}", name.replace('\'', "''"), quoted(name)));
            let place = format!("json_build_object({})::text", list(pairs));
            (place, list(keys.iter().map(|name| format!("t.{}", quoted(name)))))
        };
        if let Some(after) = after {
            let condition = if self.is_sqlite() {
                let bound = self.filter.bind(after.parse::<i64>().unwrap_or(i64::MAX));
                format!("t.rowid > {bound}")
            } else {
                let bound: Vec<String> = keys
                    .iter()
                    .map(|name| self.filter.bind_of_row(name, after.to_owned()))
                    .collect();
                format!("({order}) > ({})", bound.join(", "))
            };
            self.filter.add(condition);
        }
        // The others are shown to nobody.
        let shown = self.dataset.columns.iter().filter(|column| !column.sensitive);
        let texts = list(shown.map(|column| self.text(column)));
        let sql = format!(
            "SELECT {place} AS loadbay_place, {texts} FROM {} AS t WHERE {} \
             ORDER BY {order} LIMIT {limit}",
            quoted_table(&self.dataset.table),
            self.filter.sql()
        );
        Statement::from_sql_and_values(self.backend, sql, self.filter.values)
    }

    /// A value as a file has it.
    fn text(&self, column: &Column) -> String {
        if let Some((field, reference, matched)) = self.dataset.named_by(column) {
            return format!(
                "(SELECT CAST(r.{} AS text) FROM {} r WHERE r.{} = t.{} LIMIT 1)",
                quoted(matched),
                quoted_table(&reference.table),
                quoted(&reference.key),
                quoted(field)
            );
        }
        if let Some(join) = &column.join {
            return format!("CAST({} AS text)", item_names(join, self.backend));
        }
        let field = format!("t.{}", quoted(&column.field));
        let has_zone = || {
            let stored = self.shape.and_then(|shape| shape.column(&column.field));
            stored.is_none_or(|stored| stored.sql_type == "timestamptz")
        };
        match (column.kind, self.is_sqlite()) {
            (ColumnType::Boolean, true) => format!(
                "CASE {field} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST({field} AS text) END"
            ),
            (ColumnType::Decimal { scale, .. }, true) => format!(
                "CASE WHEN typeof({field}) IN ('real', 'integer') THEN printf('%.{scale}f', {field}) \
                 ELSE CAST({field} AS text) END"
            ),
            (ColumnType::Date, false) => format!("to_char({field}, 'YYYY-MM-DD')"),
            (ColumnType::DateTime, false) => {
                let zone = if has_zone() { " AT TIME ZONE 'UTC'" } else { "" };
                format!("to_char({field}{zone}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            }
            _ => format!("CAST({field} AS text)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_no_zeros_at_their_end() {
        for (text, cell) in [
            ("2026-01-02T10:00:00.000000Z", "2026-01-02T10:00:00Z"),
            ("2026-01-02T10:00:00.250000Z", "2026-01-02T10:00:00.25Z"),
            ("2026-01-02T10:00:00+00:00", "2026-01-02T10:00:00+00:00"),
        ] {
            assert_eq!(as_cell(text.to_owned(), ColumnType::DateTime), cell);
        }
        assert_eq!(as_cell("1.50Z".to_owned(), ColumnType::Text), "1.50Z");
    }
}
