//! `import_events`: events get their numbers in the transaction that makes them true, and are read
//! back here. Listeners are unknown.

mod differences;
pub(super) mod prune;
pub(super) mod row_errors;

use chrono::{DateTime, Utc};
use entity::{import_error, import_error_group, import_event, import_log};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, TransactionTrait, UpdateMany,
};

use crate::domain::event::{ErrorGroup, Event, StoredEvent, lifecycle};
use crate::domain::job::Job;
use crate::domain::row_error::RowCode;
use crate::domain::row_number::RowNumber;
use crate::domain::status::JobStatus;
use crate::store::Store;
use crate::store::connection::notifications::notify;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::row_errors::row_error;
use crate::store::log::job_row::{as_text, job, signed, unsigned};

/// Row errors that the last event of a job names.
const FIRST_ERRORS: u64 = 100;

/// Events to be stored, with their numbers: `before` is the number of the job's last one.
pub(in crate::store) fn numbered(
    job: i64,
    before: u64,
    at: DateTime<Utc>,
    events: &[Event],
) -> Vec<import_event::ActiveModel> {
    let mut number = before;
    let row = |event: &Event| {
        let first = number + 1;
        number += event.numbers();
        import_event::ActiveModel {
            import_log_id: Set(job),
            number: Set(signed(number)),
            first_number: Set(signed(first)),
            kind: Set(event.type_name().to_owned()),
            event: Set(as_text(event)),
            created_at: Set(at),
        }
    };
    events.iter().map(row).collect()
}

impl Store {
    /// Changes the job that `update` names and stores its events in the same transaction; `None` when there
    /// is no such job any more.
    pub(in crate::store) async fn change(
        &self,
        update: UpdateMany<import_log::Entity>,
        story: impl FnOnce(&Job) -> Vec<Event> + Send,
        action: &'static str,
    ) -> Result<Option<Job>, StoreError> {
        let transaction = self.write.begin().await.context(action)?;
        let changed = changed(&transaction, update, story).await.context(action)?;
        transaction.commit().await.context(action)?;
        changed.transpose()
    }

    /// Ends the job that `update` names: like [`change`](Self::change), with what the table knows
    /// of its row errors; `events` come first.
    pub(in crate::store) async fn end(
        &self,
        update: UpdateMany<import_log::Entity>,
        mut events: Vec<Event>,
    ) -> Result<Option<Job>, StoreError> {
        let action = "end a job";
        let transaction = self.write.begin().await.context(action)?;
        let rows = update.exec_with_returning(&transaction).await.context(action)?;
        let Some(row) = rows.into_iter().next() else {
            transaction.rollback().await.context(action)?;
            return Ok(None);
        };
        let mut ended = job(row)?;
        let (mut groups, mut first) = (Vec::new(), Vec::new());
        if ended.counts.failed > 0 {
            groups = error_groups(&transaction, ended.id).await?;
            first = first_errors(&transaction, ended.id).await?;
        }
        events.extend(lifecycle::ended(&ended, &groups, first));
        emit(&transaction, &mut ended, &events).await.context(action)?;
        self.note_end(&transaction, &mut ended).await.context(action)?;
        notify(&transaction, ended.id).await.context(action)?;
        transaction.commit().await.context(action)?;
        Ok(Some(ended))
    }

    /// Events of a job behind the one numbered `after`, in order, at most `limit` stored ones. The
    /// first may hold row events up to `after` as well.
    pub async fn events_after(
        &self,
        id: i64,
        after: u64,
        limit: u64,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = import_event::Entity::find()
            .filter(import_event::Column::ImportLogId.eq(id))
            .filter(import_event::Column::Number.gt(signed(after)))
            .order_by_asc(import_event::Column::Number)
            .limit(limit)
            .all(&self.read)
            .await
            .context("read the events")?;
        let event = |row: import_event::Model| {
            let unreadable = |_| StoreError::Unreadable { id, what: "event" };
            // A thousand row events, read as what they are: by its tag an event is first read into a
            // tree of anything.
            let event = if row.kind == "rows" {
                serde_json::from_str(&row.event).map(Event::Rows)
            } else {
                serde_json::from_str(&row.event)
            };
            Ok(StoredEvent {
                first: unsigned(row.first_number),
                number: unsigned(row.number),
                at: row.created_at,
                event: event.map_err(unreadable)?,
            })
        };
        rows.into_iter().map(event).collect()
    }

    /// From now on the job has an event for every row; `None` when it has ended.
    pub async fn request_row_events(&self, id: i64) -> Result<Option<Job>, StoreError> {
        let _guard = self.lock_writes().await;
        let rows = import_log::Entity::update_many()
            .col_expr(import_log::Column::RowEvents, Expr::value(true))
            .filter(import_log::Column::Id.eq(id))
            .filter(import_log::Column::ImportStatus.is_not_in(ends()))
            .exec_with_returning(&self.write)
            .await
            .context("request the events of all rows")?;
        rows.into_iter().next().map(job).transpose()
    }

    /// All row errors of a job by code and column, most frequent first.
    pub async fn error_groups(&self, id: i64) -> Result<Vec<ErrorGroup>, StoreError> {
        error_groups(&self.lists, id).await
    }
}

/// The statuses that never change, as they are stored.
pub(in crate::store) fn ends() -> impl Iterator<Item = &'static str> {
    JobStatus::ALL.into_iter().filter(|status| status.is_terminal()).map(JobStatus::as_stored)
}

/// The others.
pub(in crate::store) fn unfinished() -> impl Iterator<Item = &'static str> {
    JobStatus::ALL.into_iter().filter(|status| !status.is_terminal()).map(JobStatus::as_stored)
}

/// Changes the job that `update` names and stores its events, within a transaction; `None` when there is no
/// such job any more.
pub(in crate::store) async fn changed(
    transaction: &DatabaseTransaction,
    update: UpdateMany<import_log::Entity>,
    story: impl FnOnce(&Job) -> Vec<Event> + Send,
) -> Result<Option<Result<Job, StoreError>>, sea_orm::DbErr> {
    let rows = update.exec_with_returning(transaction).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut changed = match job(row) {
        Ok(job) => job,
        Err(error) => return Ok(Some(Err(error))),
    };
    let events = story(&changed);
    emit(transaction, &mut changed, &events).await?;
    Ok(Some(Ok(changed)))
}

/// Stores the events of a job whose row this transaction has locked.
pub(in crate::store) async fn emit(
    transaction: &DatabaseTransaction,
    job: &mut Job,
    events: &[Event],
) -> Result<(), sea_orm::DbErr> {
    if events.is_empty() {
        return Ok(());
    }
    // By the clock that changed the row: the servers' may differ.
    let rows = numbered(job.id, job.event_count, job.updated_at, events);
    let more: u64 = events.iter().map(Event::numbers).sum();
    import_event::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    import_log::Entity::update_many()
        .col_expr(
            import_log::Column::EventCount,
            Expr::col(import_log::Column::EventCount).add(signed(more)),
        )
        .filter(import_log::Column::Id.eq(job.id))
        .exec(transaction)
        .await?;
    job.event_count += more;
    Ok(())
}

async fn error_groups(
    connection: &impl ConnectionTrait,
    id: i64,
) -> Result<Vec<ErrorGroup>, StoreError> {
    use import_error_group::Column as C;
    let rows = import_error_group::Entity::find()
        .filter(C::ImportLogId.eq(id))
        .order_by_desc(C::Count)
        .order_by_asc(C::Code)
        .order_by_asc(C::ColumnName)
        .all(connection)
        .await
        .context("read the groups of row errors")?;
    let group = |row: import_error_group::Model| {
        let unreadable = |what| StoreError::Unreadable { id, what };
        Ok(ErrorGroup {
            code: RowCode::parse(&row.code).ok_or(unreadable("row error code"))?,
            column: Some(row.column_name).filter(|name| !name.is_empty()),
            count: unsigned(row.count),
            first_row: RowNumber::try_from(row.first_row).map_err(|_| unreadable("row number"))?,
            message: row.message,
            value: row.value,
        })
    };
    rows.into_iter().map(group).collect()
}

async fn first_errors(
    connection: &impl ConnectionTrait,
    id: i64,
) -> Result<Vec<String>, StoreError> {
    let rows = import_error::Entity::find()
        .filter(import_error::Column::ImportLogId.eq(id))
        .order_by_asc(import_error::Column::RowNumber)
        .order_by_asc(import_error::Column::Id)
        .limit(FIRST_ERRORS)
        .all(connection)
        .await
        .context("read the first row errors")?;
    let sentence = |row| {
        let error = row_error(row)?;
        Ok(format!("Row {}: {}", error.row_number, error.sentence()))
    };
    rows.into_iter().map(sentence).collect()
}
