//! Every list of jobs reads only what it shows: an index for each filter in the order of the list,
//! for the jobs that repeat or take back another one, and for the jobs whose own time is over.
//!
//! Filtered lists are in the order of the negative number, which no other index gives: by the number
//! itself PostgreSQL may go through the primary key and leave out what does not fit, for seconds where
//! all jobs of a dataset are old.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const INDEXES: [(&str, &str); 5] = [
    ("import_log_by_status", "(import_status, (-id))"),
    ("import_log_by_dataset", "(dataset, (-id))"),
    ("import_log_by_dataset_and_status", "((dataset || ' ' || import_status), (-id))"),
    ("import_log_retries", "(retry_of) WHERE retry_of IS NOT NULL"),
    ("import_log_without_files", "(completed_at) WHERE files_removed_at IS NOT NULL"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, what) in INDEXES {
            let create = format!("CREATE INDEX {name} ON import_log {what}");
            manager.get_connection().execute_unprepared(&create).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            manager.drop_index(Index::drop().name(name).table("import_log").to_owned()).await?;
        }
        Ok(())
    }
}
