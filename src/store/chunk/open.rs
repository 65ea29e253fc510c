//! Opening the writer of a job on the database at hand.

use std::sync::Arc;

use crate::dataset::model::History;
use crate::domain::options::{Blank, Mode};
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WholeFileWriter, WriterSettings};
use crate::store::error::StoreError;
use crate::store::postgres::{PostgresWholeFile, PostgresWriter};
use crate::store::sqlite::{SqliteTx, SqliteWholeFile, SqliteWriter};
use crate::store::{Database, Store};

impl Store {
    /// Opens a writer for each of the partitions of a job. They see the tables alike.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn writers(
        &self,
        settings: &WriterSettings,
        partitions: usize,
    ) -> Result<Vec<Box<dyn ChunkWriter>>, StoreError> {
        let options = &settings.job.options;
        let target = self.target(settings, options.mode, options.blank).await?;
        let mut writers = Vec::with_capacity(partitions);
        for _ in 0..partitions {
            writers.push(self.writer(settings.clone(), target.clone()).await?);
        }
        Ok(writers)
    }

    async fn writer(
        &self,
        settings: WriterSettings,
        target: Target,
    ) -> Result<Box<dyn ChunkWriter>, StoreError> {
        let notes = self.change_notes(&settings);
        match &self.kind {
            Database::Sqlite { path, write_lock, idle_writers } => {
                let (path, write_lock) = (path.clone(), Arc::clone(write_lock));
                let idle = idle_writers.clone();
                let open = move || {
                    let tx = SqliteTx::open(&path, idle)?;
                    SqliteWriter::open(tx, write_lock, settings, target, notes)
                };
                let writer = tokio::task::spawn_blocking(open)
                    .await
                    .map_err(|_| StoreError::WriterDied)??;
                Ok(Box::new(writer))
            }
            Database::Postgres { sessions } => {
                let sessions = (**sessions).clone();
                Ok(Box::new(PostgresWriter::open(sessions, settings, target, notes).await?))
            }
        }
    }

    /// Opens a writer for all chunks of a job in one transaction.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn whole_file_writer(
        &self,
        settings: WriterSettings,
    ) -> Result<Box<dyn WholeFileWriter>, StoreError> {
        let options = &settings.job.options;
        let target = self.target(&settings, options.mode, options.blank).await?;
        let notes = self.change_notes(&settings);
        match &self.kind {
            Database::Sqlite { path, write_lock, idle_writers } => {
                let (path, write_lock) = (path.clone(), Arc::clone(write_lock));
                let idle = idle_writers.clone();
                let open = move || {
                    let tx = SqliteTx::open(&path, idle)?;
                    SqliteWholeFile::open(tx, write_lock, settings, target, notes)
                };
                let writer = tokio::task::spawn_blocking(open)
                    .await
                    .map_err(|_| StoreError::WriterDied)??;
                Ok(Box::new(writer))
            }
            Database::Postgres { sessions } => {
                let sessions = (**sessions).clone();
                Ok(Box::new(PostgresWholeFile::open(sessions, settings, target, notes).await?))
            }
        }
    }

    /// What the job writes to, as the tables look now.
    pub(in crate::store) async fn target(
        &self,
        settings: &WriterSettings,
        mode: Mode,
        blank: Blank,
    ) -> Result<Target, StoreError> {
        let dataset = &settings.dataset;
        let mut tables = vec![dataset.table.clone()];
        let fed = settings.plan.columns.iter().filter_map(|index| dataset.columns.get(*index));
        tables.extend(fed.filter_map(|it| it.reference.as_ref().map(|r| r.table.clone())));
        let is_fed = |history: &&History| {
            history.columns.iter().any(|index| settings.plan.columns.contains(index))
        };
        tables.extend(dataset.histories.iter().filter(is_fed).map(|history| history.table.clone()));
        tables.extend(
            dataset.joins().flat_map(|join| [&join.table, &join.reference.table].map(Clone::clone)),
        );
        let shapes = self.shapes(tables).await?;
        Ok(Target::new(dataset, &settings.plan, &shapes, mode, blank))
    }
}
