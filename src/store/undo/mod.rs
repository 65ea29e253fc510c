//! Taking an import back: the journal that it kept in `import_undo`, and the job that works it off.
//! How rows are put back is the business of each database's own undoer.

mod indexes;
pub(super) mod skipped;

use entity::{import_log, import_undo};
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, TransactionTrait,
};

use crate::dataset::model::Dataset;
use crate::domain::action::Action;
use crate::domain::job::{Job, NewJob};
use crate::domain::limits::CHUNK_BYTES_MAX;
use crate::domain::options::{Blank, Mode};
use crate::faults::fault;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::ends;
use crate::store::log::job_row::job;
use crate::store::postgres::PostgresUndoer;
use crate::store::sqlite::SqliteUndoer;
use crate::store::{Database, Inserted, Store};

/// What became of the wish to take a job back.
#[derive(Debug)]
pub enum RollbackInserted {
    /// A new job, or one that has its `Idempotency-Key`.
    Inserted(Inserted),
    /// A rollback of the same job is not at its end yet: this one.
    Unfinished(Job),
    /// The job cannot be taken back any more, as it stands now.
    Refused(Job),
    /// The job is no more.
    Gone,
}

impl Store {
    /// Stores a rollback of the job `undone` as PENDING, unless one is unfinished. Two servers that
    /// are asked at the same moment take turns at the row of `undone`, and so does who ends its time.
    pub async fn insert_rollback(
        &self,
        new: &NewJob,
        undone: i64,
        storage_location: &str,
    ) -> Result<RollbackInserted, StoreError> {
        let action = "store a rollback";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let job = self.locked(&transaction, undone).await?;
        fault!("rollback.locked", StoreError::busy());
        let unfinished = unfinished_rollback(&transaction, undone).await?;
        let refused = match (job, unfinished) {
            (None, _) => RollbackInserted::Gone,
            (Some(_), Some(running)) => RollbackInserted::Unfinished(running),
            (Some(job), None) if !Action::Rollback.is_legal(&job) => RollbackInserted::Refused(job),
            (Some(_), None) => {
                let inserted = self.insert_within(transaction, new, storage_location).await?;
                return Ok(RollbackInserted::Inserted(inserted));
            }
        };
        transaction.rollback().await.context(action)?;
        Ok(refused)
    }

    /// The job as it stands; on PostgreSQL its row is locked until the transaction ends.
    pub(super) async fn locked(
        &self,
        transaction: &DatabaseTransaction,
        id: i64,
    ) -> Result<Option<Job>, StoreError> {
        let mut find = import_log::Entity::find_by_id(id);
        if let Database::Postgres { .. } = self.kind {
            find = find.lock_exclusive();
        }
        find.one(transaction).await.context("lock a job")?.map(job).transpose()
    }

    /// Rows in the journal of a job.
    pub async fn undo_rows(&self, id: i64) -> Result<u64, StoreError> {
        import_undo::Entity::find()
            .filter(import_undo::Column::ImportLogId.eq(id))
            .count(&self.read)
            .await
            .context("count the journal of a job")
    }

    /// The first and the last of the next `rows` rows in the journal of a job, behind row `after`;
    /// fewer where they are long, for all of them may be held in memory. `None` at its end.
    pub async fn next_undo_rows(
        &self,
        id: i64,
        after: u32,
        rows: u32,
    ) -> Result<Option<(u32, u32)>, StoreError> {
        let length = |column| Func::char_length(Expr::col(column));
        let before =
            Func::coalesce([Expr::from(length(import_undo::Column::BeforeRow)), Expr::value(0)]);
        let length = Expr::expr(before).add(length(import_undo::Column::AfterRow));
        let length = length.cast_as("bigint");
        let rows: Vec<(i64, i64)> = import_undo::Entity::find()
            .select_only()
            .column(import_undo::Column::RowNumber)
            .expr_as(length, "length")
            .filter(import_undo::Column::ImportLogId.eq(id))
            .filter(import_undo::Column::RowNumber.gt(i64::from(after)))
            .order_by_asc(import_undo::Column::RowNumber)
            .limit(u64::from(rows))
            .into_tuple()
            .all(&self.read)
            .await
            .context("read the journal of a job")?;
        let number = |number: i64| {
            u32::try_from(number)
                .map_err(|_| StoreError::Unreadable { id, what: "row number of import_undo" })
        };
        let mut length = 0;
        let fits = rows.iter().take_while(|(_, of_row)| {
            let has_room = length < CHUNK_BYTES_MAX;
            length += usize::try_from(*of_row).unwrap_or_default();
            has_room
        });
        let (Some((first, _)), Some((last, _))) = (rows.first(), fits.last()) else {
            return Ok(None);
        };
        Ok(Some((number(*first)?, number(*last)?)))
    }

    /// Opens what takes the chunks of a journal back. The job of `settings` is the rollback; of a
    /// chunk only its number and its first and last row matter.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn undoer(
        &self,
        undone: i64,
        settings: WriterSettings,
    ) -> Result<Box<dyn ChunkWriter>, StoreError> {
        // Values go back exactly as they were, empty ones too.
        let target = self.target(&settings, Mode::Upsert, Blank::Clear).await?;
        let shapes = self.shapes(vec![target.table.clone()]).await?;
        let has_id = shapes.get(&target.table).is_some_and(|table| table.column("id").is_some());
        let owned = Owned { histories: Owned::histories_of(&settings.dataset), has_id };
        match &self.kind {
            Database::Sqlite { path, write_lock } => {
                let (path, write_lock) = (path.clone(), write_lock.clone());
                let open =
                    move || SqliteUndoer::open(&path, write_lock, undone, settings, owned, target);
                let undoer = tokio::task::spawn_blocking(open)
                    .await
                    .map_err(|_| StoreError::WriterDied)??;
                Ok(Box::new(undoer))
            }
            Database::Postgres { sessions } => {
                let sessions = (**sessions).clone();
                let undoer = PostgresUndoer::open(sessions, undone, settings, &owned, target);
                Ok(Box::new(undoer.await?))
            }
        }
    }
}

/// The rollback of a job that has not ended, if there is one.
pub(super) async fn unfinished_rollback(
    connection: &impl ConnectionTrait,
    undone: i64,
) -> Result<Option<Job>, StoreError> {
    let found = import_log::Entity::find()
        .filter(import_log::Column::RollbackOf.eq(undone))
        .filter(import_log::Column::ImportStatus.is_not_in(ends()))
        .one(connection)
        .await;
    found.context("look for a rollback")?.map(job).transpose()
}

/// What belongs to a row of the dataset's table and goes with it: every history, also those of which
/// the file feeds nothing.
#[derive(Debug, Clone)]
pub(in crate::store) struct Owned {
    /// Tables, each with its column that holds the `id` of the row.
    pub(in crate::store) histories: Vec<(String, String)>,
    /// The table has a column `id`: a row with the same key and another id is another row.
    pub(in crate::store) has_id: bool,
}

impl Owned {
    fn histories_of(dataset: &Dataset) -> Vec<(String, String)> {
        dataset.histories.iter().map(|it| (it.table.clone(), it.owner.clone())).collect()
    }
}
