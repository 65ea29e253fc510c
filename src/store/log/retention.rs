//! Which files of jobs are still needed, and the end of their time: files, failed rows and the undo
//! journal go a while after the job has ended; its row, its events and its row errors stay.

use std::time::Duration;

use entity::{import_log, import_undo};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::job::Job;
use crate::domain::trace::TraceContext;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::unfinished;
use crate::store::log::job_row::job;
use import_log::Column as C;

/// Folders that one query asks for: well under the bind limit of both databases.
const FOLDERS_PER_QUERY: usize = 500;

/// Jobs whose time ends in one step.
const JOBS_PER_STEP: u64 = 100;

/// Row numbers of an undo journal that are removed in one statement: no other writer waits long for it.
const JOURNAL_ROWS_PER_STEP: i64 = 10_000;

/// A folder of files that belongs to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFolder {
    /// The folder's name.
    pub uuid: Uuid,
    /// The job.
    pub job: i64,
    /// The request that made the job.
    pub trace: Option<TraceContext>,
    /// The time of its files is over: whatever is left of them may go.
    pub is_over: bool,
}

impl Store {
    /// Those of the folders that belong to a job.
    pub async fn known_folders(&self, folders: &[Uuid]) -> Result<Vec<KnownFolder>, StoreError> {
        let mut known = Vec::with_capacity(folders.len());
        for part in folders.chunks(FOLDERS_PER_QUERY) {
            let rows: Vec<(String, i64, Option<String>, bool)> = import_log::Entity::find()
                .select_only()
                .columns([C::Uuid, C::Id, C::Traceparent])
                .column_as(C::FilesRemovedAt.is_not_null(), "is_over")
                .filter(C::Uuid.is_in(part.iter().map(Uuid::to_string)))
                .into_tuple()
                .all(&self.read)
                .await
                .context("look for the jobs of stored files")?;
            for (name, job, trace, is_over) in rows {
                let Ok(uuid) = Uuid::parse_str(&name) else { continue };
                let trace = trace.as_deref().and_then(TraceContext::parse);
                known.push(KnownFolder { uuid, job, trace, is_over });
            }
        }
        Ok(known)
    }

    /// Ends the time of the files of some jobs that ended `retention` ago and earlier, and gives
    /// these jobs; their files are the caller's to remove. None of them has an unfinished job that
    /// needs its file or journal, as far as it is stored by now. Each job is given at most once,
    /// whichever server asks.
    ///
    /// The mark comes first: files that are gone while the table says that they are there would be
    /// a fault. Files that are left, also because this answer was lost, are found by the next sweep.
    pub async fn expire_files(&self, retention: Duration) -> Result<Vec<Job>, StoreError> {
        let action = "end the time of stored files";
        let due: Vec<i64> = import_log::Entity::find()
            .select_only()
            .column(C::Id)
            .filter(C::FilesRemovedAt.is_null())
            // Only jobs that have ended have such a time.
            .filter(Expr::col(C::CompletedAt).lt(self.ago(retention)))
            .filter(Self::needed_by_none())
            .order_by_asc(C::CompletedAt)
            .limit(JOBS_PER_STEP)
            .into_tuple()
            .all(&self.read)
            .await
            .context(action)?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let _guard = self.lock_writes().await;
        let expired = import_log::Entity::update_many()
            .col_expr(C::FilesRemovedAt, self.now())
            .filter(C::Id.is_in(due))
            .filter(C::FilesRemovedAt.is_null())
            .filter(Self::needed_by_none())
            .exec_with_returning(&self.write)
            .await
            .context(action)?;
        expired.into_iter().map(job).collect()
    }

    /// No unfinished job repeats it or rolls it back.
    pub(in crate::store) fn needed_by_none() -> Condition {
        Condition::all()
            .add(C::Id.not_in_subquery(needed(C::RetryOf)))
            .add(C::Id.not_in_subquery(needed(C::RollbackOf)))
    }

    /// Removes some rows of the undo journal of jobs whose time is over; false when none is left. One
    /// that is being rolled back, because the request came in the moment when its time ended, keeps it.
    pub async fn clear_expired_journals(&self) -> Result<bool, StoreError> {
        let over = Query::select()
            .column(C::Id)
            .from(import_log::Entity)
            .and_where(C::FilesRemovedAt.is_not_null())
            .and_where(C::Id.not_in_subquery(needed(C::RollbackOf)))
            .take();
        let which = import_undo::Column::ImportLogId.in_subquery(over);
        let action = "remove an undo journal";
        let first: Option<(i64, i64)> = import_undo::Entity::find()
            .select_only()
            .columns([import_undo::Column::ImportLogId, import_undo::Column::RowNumber])
            .filter(which)
            .order_by_asc(import_undo::Column::ImportLogId)
            .order_by_asc(import_undo::Column::RowNumber)
            .limit(1)
            .into_tuple()
            .one(&self.read)
            .await
            .context(action)?;
        let Some((id, row_number)) = first else { return Ok(false) };
        let _guard = self.lock_writes().await;
        import_undo::Entity::delete_many()
            .filter(import_undo::Column::ImportLogId.eq(id))
            .filter(import_undo::Column::RowNumber.lt(row_number + JOURNAL_ROWS_PER_STEP))
            .exec(&self.write)
            .await
            .context(action)?;
        Ok(true)
    }
}

/// The jobs that an unfinished one names in this column.
fn needed(column: C) -> SelectStatement {
    Query::select()
        .column(column)
        .from(import_log::Entity)
        .and_where(column.is_not_null())
        // By name, not as all but the ends: so the index of the queue finds them.
        .and_where(C::ImportStatus.is_in(unfinished()))
        .take()
}
