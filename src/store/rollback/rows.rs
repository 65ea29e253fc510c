//! The rows of a chunk of a journal: what the import created is deleted, what it updated gets its
//! former values back, and what changed since is skipped. Rows that the database refuses are found
//! by dividing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entity::import_undo;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QueryResult, TransactionTrait,
};

use super::image::Image;
use super::lists;
use super::skipped::{SkipReason, skipped_row};
use super::sql::RollbackSql;
use super::sqlite_values;
use super::transaction::RollbackTx;
use crate::dataset::Plan;
use crate::domain::chunk::Chunk;
use crate::domain::row_number::RowNumber;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{RowWriter, WriteError, WriteOptions};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::unsigned;

/// Pieces that a refused part is divided into. With two of them a chunk of which each row is refused
/// would be tried in twice as many parts as it has rows.
pub(in crate::store) const PIECES: usize = 8;

/// Of a row that is in no journal.
static NO_ROW: LazyLock<Image> = LazyLock::new(Image::default);

const ACTION: &str = "roll the rows of a chunk back";

/// Rolls the rows of one job back.
pub(super) struct RollbackRows {
    /// The job that is rolled back.
    pub(super) undone: i64,
    pub(super) sql: RollbackSql,
    pub(super) plan: Plan,
    /// Somebody passes the records on and needs the keys of those that change.
    pub(super) notes_keys: bool,
}

/// A row of the journal.
struct JournalRow {
    row_number: RowNumber,
    /// What it was; `None` when the import created it.
    before: Option<Image>,
    /// What the import left; `None` when it deleted the row.
    after: Option<Image>,
}

impl JournalRow {
    /// The row with its key.
    fn row(&self) -> &Image {
        let row = self.after.as_ref().or(self.before.as_ref());
        assert!(row.is_some(), "a row that was created and deleted is in no journal");
        row.unwrap_or(&NO_ROW)
    }
}

/// What becomes of a row.
enum Decision {
    Remove,
    /// Give the row the values of this image.
    Restore(Image),
    /// The import deleted it.
    PutBack,
    LeaveUnchanged,
    Skip(SkipReason),
}

/// A row that is to be rolled back.
struct Due<'a> {
    row: &'a JournalRow,
    /// What the row becomes; `None` when it is removed.
    former: Option<Image>,
    /// The row is not there and is put back.
    is_gone: bool,
}

#[async_trait]
impl RowWriter<RollbackTx> for RollbackRows {
    async fn write(
        &mut self,
        tx: &mut RollbackTx,
        chunk: &Chunk,
        options: WriteOptions,
    ) -> Result<ChunkOutcome, WriteError> {
        let transaction = tx.transaction()?;
        let rows = self.journal(transaction, chunk).await?;
        let mut current = self.current(transaction, &rows).await?;
        self.leave_out_lists(&rows, &mut current);
        let mut outcome = ChunkOutcome::default();
        let (mut due, mut skipped) = (Vec::new(), BTreeMap::new());
        for (row, current) in rows.iter().zip(&current) {
            match self.decide(row, current.as_ref()) {
                Decision::Remove => due.push(Due { row, former: None, is_gone: false }),
                Decision::Restore(former) => {
                    due.push(Due { row, former: Some(former), is_gone: false });
                }
                Decision::PutBack => {
                    due.push(Due { row, former: row.before.clone(), is_gone: true });
                }
                Decision::LeaveUnchanged => outcome.counts.unchanged += 1,
                Decision::Skip(reason) => {
                    skipped.insert(row.row_number, reason);
                }
            }
        }
        self.roll_back(transaction, &due, options.now, &mut outcome, &mut skipped).await?;
        outcome.keys = self.notes_keys.then(|| self.keys(&due));
        let is_skipped =
            |(row, _): &(&JournalRow, &Option<Image>)| skipped.contains_key(&row.row_number);
        let shown: Vec<Image> = rows
            .iter()
            .zip(&current)
            .filter(is_skipped)
            .map(|(row, current)| current.clone().unwrap_or_else(|| self.former(row)))
            .collect();
        let texts = self.texts(transaction, &shown).await?;
        for ((row_number, reason), texts) in skipped.iter().zip(&texts) {
            outcome.failed.push(skipped_row(
                &self.sql.target,
                &self.plan,
                *row_number,
                reason,
                texts,
            ));
        }
        outcome.counts.failed = outcome.failed.len() as u64;
        Ok(outcome)
    }
}

impl RollbackRows {
    async fn journal(
        &self,
        transaction: &DatabaseTransaction,
        chunk: &Chunk,
    ) -> Result<Vec<JournalRow>, StoreError> {
        use import_undo::Column as C;
        let (first, last) = (i64::from(chunk.first_row), i64::from(chunk.last_row));
        let rows = import_undo::Entity::find()
            .filter(C::ImportLogId.eq(self.undone))
            .filter(C::RowNumber.between(first, last))
            .order_by_asc(C::RowNumber)
            .all(transaction)
            .await
            .context("read the journal of a job")?;
        let unreadable = |what| StoreError::Unreadable { id: self.undone, what };
        let image =
            |text: &String| Image::parse(text).ok_or_else(|| unreadable("row of import_undo"));
        let row = |row: import_undo::Model| {
            let row_number = RowNumber::try_from(row.row_number);
            Ok(JournalRow {
                row_number: row_number.map_err(|_| unreadable("row number of import_undo"))?,
                before: row.before_row.as_ref().map(image).transpose()?,
                after: match row.after_row.as_str() {
                    "null" => None,
                    text => Some(image(&text.to_owned())?),
                },
            })
        };
        rows.into_iter().map(row).collect()
    }

    /// The rows of the table that have the keys of the journal's rows now.
    async fn current(
        &self,
        transaction: &DatabaseTransaction,
        rows: &[JournalRow],
    ) -> Result<Vec<Option<Image>>, StoreError> {
        let action = "look for the rows of a journal";
        let mut current = Vec::with_capacity(rows.len());
        for part in rows.chunks(self.sql.rows_max()) {
            let after: Vec<&Image> = part.iter().map(JournalRow::row).collect();
            let found = transaction.query_all_raw(self.sql.find(&after)).await.context(action)?;
            let mut images: Vec<Option<Image>> = part.iter().map(|_| None).collect();
            for row in &found {
                let image = image(row).context(action)?;
                if let Some(place) = images.get_mut(position(row).context(action)?) {
                    *place = Some(image);
                }
            }
            current.extend(images);
        }
        Ok(current)
    }

    /// The keys of rows, as JSON.
    fn keys(&self, rows: &[Due<'_>]) -> String {
        let target = &self.sql.target;
        let fields = target.key.iter().filter_map(|field| target.fields.get(*field));
        let names: Vec<&str> = fields.map(|field| field.name.as_str()).collect();
        let keys: Vec<Image> = rows.iter().map(|due| due.row.row().part(&names)).collect();
        serde_json::to_string(&keys).unwrap_or_default()
    }

    fn decide(&self, row: &JournalRow, current: Option<&Image>) -> Decision {
        let target = &self.sql.target;
        let Some(after) = &row.after else {
            let is_back = |current: &Image| {
                row.before.as_ref().is_some_and(|before| current.is_same_row(before, None))
            };
            return match current {
                None => Decision::PutBack,
                Some(current) if is_back(current) => Decision::LeaveUnchanged,
                Some(_) => Decision::Skip(SkipReason::Changed),
            };
        };
        let Some(before) = &row.before else {
            let own_time = target.has_updated_at().then_some("updated_at");
            return match current {
                None => Decision::LeaveUnchanged,
                Some(current) if current.is_same_row(after, own_time) => Decision::Remove,
                Some(_) => Decision::Skip(SkipReason::Changed),
            };
        };
        let Some(current) = current else { return Decision::Skip(SkipReason::Gone) };
        let fed = || target.payload().filter_map(|field| target.fields.get(field));
        let lists = || target.lists.iter().filter(|list| after.get(&list.name).is_some());
        let holds = |image: &Image| {
            fed().all(|field| current.agrees(image, &field.name))
                && lists().all(|list| current.agrees(image, &list.name))
        };
        if holds(before) {
            return Decision::LeaveUnchanged;
        }
        let is_the_row = !self.sql.has_id || current.agrees(after, "id");
        if is_the_row && holds(after) {
            Decision::Restore(self.former(row))
        } else {
            Decision::Skip(SkipReason::Changed)
        }
    }

    /// The row that the import left, with the values that the columns had before which the file fed.
    fn former(&self, row: &JournalRow) -> Image {
        let target = &self.sql.target;
        let mut former = row.row().clone();
        if let Some(before) = &row.before {
            for field in target.payload().filter_map(|field| target.fields.get(field)) {
                former.copy(&field.name, before);
            }
            for list in target.lists.iter().filter(|list| before.get(&list.name).is_some()) {
                former.copy(&list.name, before);
            }
        }
        former
    }

    /// Rolls `due` back; where the database refuses a part, its pieces, down to the single row.
    async fn roll_back(
        &self,
        transaction: &DatabaseTransaction,
        due: &[Due<'_>],
        now: DateTime<Utc>,
        outcome: &mut ChunkOutcome,
        skipped: &mut BTreeMap<RowNumber, SkipReason>,
    ) -> Result<(), StoreError> {
        let mut parts: Vec<&[Due<'_>]> = due.chunks(self.sql.rows_max()).rev().collect();
        while let Some(part) = parts.pop() {
            let savepoint = transaction.begin().await.context(ACTION)?;
            let reason = match self.part(&savepoint, part, now).await {
                Ok(None) => {
                    savepoint.commit().await.context(ACTION)?;
                    let removed = part.iter().filter(|due| due.former.is_none()).count();
                    let put_back = part.iter().filter(|due| due.is_gone).count();
                    outcome.counts.removed += removed as u64;
                    outcome.counts.created += put_back as u64;
                    outcome.counts.updated += (part.len() - removed - put_back) as u64;
                    continue;
                }
                Ok(Some(reason)) => reason,
                Err(error) => SkipReason::of(error)?,
            };
            savepoint.rollback().await.context(ACTION)?;
            if let [due] = part {
                skipped.insert(due.row.row_number, reason);
            } else {
                parts.extend(part.chunks(part.len().div_ceil(PIECES)).rev());
            }
        }
        Ok(())
    }

    /// Rolls a part back; a reason why not when some of its rows were left out without an error.
    async fn part(
        &self,
        transaction: &DatabaseTransaction,
        part: &[Due<'_>],
        now: DateTime<Utc>,
    ) -> Result<Option<SkipReason>, StoreError> {
        let removed: Vec<&Image> =
            part.iter().filter(|due| due.former.is_none()).map(|due| due.row.row()).collect();
        let put_back: Vec<&Image> =
            part.iter().filter(|due| due.is_gone).filter_map(|due| due.former.as_ref()).collect();
        let restored = part.iter().filter(|due| !due.is_gone);
        let restored: Vec<&Image> = restored.filter_map(|due| due.former.as_ref()).collect();
        let run = async |statement| {
            let done = transaction.execute_raw(statement).await.context(ACTION)?;
            Ok::<usize, StoreError>(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
        };
        if !removed.is_empty() {
            for forget in self.sql.forget(&removed) {
                run(forget).await?;
            }
            if run(self.sql.remove(&removed)).await? != removed.len() {
                return Ok(Some(SkipReason::LeftOut));
            }
        }
        if !put_back.is_empty() && run(self.sql.put_back(&put_back)).await? != put_back.len() {
            return Ok(Some(SkipReason::LeftOut));
        }
        if !restored.is_empty()
            && self.sql.restores()
            && run(self.sql.restore(&restored, now)).await? != restored.len()
        {
            return Ok(Some(SkipReason::LeftOut));
        }
        if !self.restore_lists(transaction, part).await? {
            return Ok(Some(SkipReason::LeftOut));
        }
        for history in &self.sql.target.histories {
            let changed: Vec<&Image> = part
                .iter()
                .filter_map(|due| due.former.as_ref().map(|former| (due.row, former)))
                .filter(|(row, former)| {
                    let fed = history.columns.iter().filter(|(_, fed)| fed.is_some());
                    // With a row that was deleted its history went.
                    row.after.as_ref().is_none_or(|after| {
                        fed.into_iter().any(|(column, _)| !after.agrees(former, column))
                    })
                })
                .map(|(_, former)| former)
                .collect();
            if !changed.is_empty() {
                for statement in self.sql.archive(history, &changed, now) {
                    run(statement).await?;
                }
            }
        }
        Ok(None)
    }

    /// Gives the rows the items that they had; false where one of the items is gone.
    async fn restore_lists(
        &self,
        transaction: &DatabaseTransaction,
        part: &[Due<'_>],
    ) -> Result<bool, StoreError> {
        for list in &self.sql.target.lists {
            let is_other = |due: &&Due<'_>, former: &Image| {
                let after = due.row.after.as_ref();
                former.get(&list.name).is_some()
                    && after.is_none_or(|after| !after.agrees(former, &list.name))
            };
            let changed = part.iter().filter_map(|due| Some((due, due.former.as_ref()?)));
            let changed: Vec<&Image> = changed
                .filter(|(due, former)| is_other(due, former))
                .map(|(_, former)| former)
                .collect();
            if changed.is_empty() {
                continue;
            }
            let (delete, insert, items) =
                lists::restore(list, transaction.get_database_backend(), &changed);
            transaction.execute_raw(delete).await.context(ACTION)?;
            let done = transaction.execute_raw(insert).await.context(ACTION)?;
            if done.rows_affected() != items {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Leaves those lists out of the rows as they are now of which the journal says nothing.
    fn leave_out_lists(&self, rows: &[JournalRow], current: &mut [Option<Image>]) {
        for (row, current) in rows.iter().zip(current) {
            let Some(current) = current else { continue };
            for list in &self.sql.target.lists {
                if row.row().get(&list.name).is_none() {
                    current.copy(&list.name, row.row());
                }
            }
        }
    }

    /// The texts of rows, one for each value of the file: of a reference the name that it stands for.
    async fn texts(
        &self,
        transaction: &DatabaseTransaction,
        rows: &[Image],
    ) -> Result<Vec<Vec<String>>, StoreError> {
        let action = "show the rows that a rollback skips";
        let fields = &self.sql.target.fields;
        let is_sqlite = transaction.get_database_backend() == sea_orm::DbBackend::Sqlite;
        let mut texts = Vec::with_capacity(rows.len());
        for part in rows.chunks(self.sql.rows_max()) {
            let of_row = |row: &Image| {
                fields.iter().map(|field| row.text(&field.name, is_sqlite)).collect::<Vec<_>>()
            };
            let mut of_part: Vec<Vec<String>> = part.iter().map(of_row).collect();
            let given: Vec<&Image> = part.iter().collect();
            let named = match self.sql.names(&given) {
                Some(ask) => transaction.query_all_raw(ask).await.context(action)?,
                None => Vec::new(),
            };
            let references = || fields.iter().enumerate().filter(|(_, it)| it.reference.is_some());
            for row in &named {
                let Some(of_row) = of_part.get_mut(position(row).context(action)?) else {
                    continue;
                };
                for (index, (field, _)) in references().enumerate() {
                    let name: Option<String> = row.try_get_by_index(index + 1).context(action)?;
                    if let Some(text) = of_row.get_mut(field) {
                        *text = name.unwrap_or_default();
                    }
                }
            }
            texts.extend(of_part);
        }
        for (texts, cells) in
            texts.iter_mut().zip(lists::cells(transaction, &self.sql.target, rows).await?)
        {
            texts.extend(cells);
        }
        Ok(texts)
    }
}

/// Which of the given rows it is about.
pub(in crate::store) fn position(row: &QueryResult) -> Result<usize, sea_orm::DbErr> {
    let position: i64 = row.try_get_by_index(0)?;
    Ok(usize::try_from(unsigned(position)).unwrap_or(usize::MAX))
}

/// The row as the database wrote it.
pub(in crate::store) fn image(row: &QueryResult) -> Result<Image, sea_orm::DbErr> {
    let text = match row.try_as_sqlite_row() {
        Some(row) => sqlite_values::behind_first(row)
            .map_err(|fault| sea_orm::DbErr::Query(sea_orm::RuntimeErr::SqlxError(fault.into())))?
            .to_string(),
        None => row.try_get_by_index(1)?,
    };
    Image::parse(&text).ok_or_else(|| sea_orm::DbErr::Type("a row is no JSON object".to_owned()))
}
