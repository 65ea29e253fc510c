//! The migrations of the tables that Loadbay itself owns, oldest first.
//!
//! A migration that has landed never changes; the next change is a new file. Each runs in one
//! transaction, on SQLite as well: one that is broken off leaves nothing that would be in the way of
//! the next start.

#![expect(
    elided_lifetimes_in_paths,
    reason = "sea-orm's trait, expanded by async_trait, can only be matched without the lifetime"
)]

use sea_orm_migration::prelude::*;

pub use sea_orm_migration::MigratorTrait;

mod m20261122_000001_create_import_tables;
mod m20261122_000002_create_product_tables;
mod m20261122_000003_create_event_tables;
mod m20261122_000004_index_changes_of_jobs;
mod m20261122_000005_add_control_of_jobs;
mod m20261122_000006_name_the_database;
mod m20261128_000007_prune_whole_events;
mod m20261128_000008_count_warnings;
mod m20261128_000009_add_key_of_row_errors;
mod m20261128_000010_index_lists_of_jobs;
mod m20261128_000011_add_dry_run_and_run_time;
mod m20261128_000012_create_dealers_and_transactions;
mod m20261128_000013_create_bulks;
mod m20261128_000014_add_downloads;
mod m20261128_000015_create_swim_events;
mod m20261128_000016_add_views_of_older_operators;
mod m20261128_000017_create_sessions;
mod m20261128_000018_add_dry_run_differences;
mod m20261128_000019_create_outbox;
mod m20261128_000020_create_webhooks;
mod m20261128_000021_create_access_keys;
mod m20261128_000022_add_outcomes_of_rows;
mod m20261128_000023_create_mappings;
mod m20261128_000024_create_seen_keys;
mod m20261128_000025_add_traces;
mod m20261128_000026_add_new_references;
mod m20261128_000027_create_chunk_keys;

/// All migrations. Without a lock of its own: the caller makes sure that only one server runs it.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_create_import_tables::Migration),
            Box::new(LeftToDatasets(m20261122_000002_create_product_tables::Migration)),
            Box::new(m20261122_000003_create_event_tables::Migration),
            Box::new(m20261122_000004_index_changes_of_jobs::Migration),
            Box::new(m20261122_000005_add_control_of_jobs::Migration),
            Box::new(m20261122_000006_name_the_database::Migration),
            Box::new(m20261128_000007_prune_whole_events::Migration),
            Box::new(m20261128_000008_count_warnings::Migration),
            Box::new(m20261128_000009_add_key_of_row_errors::Migration),
            Box::new(m20261128_000010_index_lists_of_jobs::Migration),
            Box::new(m20261128_000011_add_dry_run_and_run_time::Migration),
            Box::new(LeftToDatasets(m20261128_000012_create_dealers_and_transactions::Migration)),
            Box::new(m20261128_000013_create_bulks::Migration),
            Box::new(m20261128_000014_add_downloads::Migration),
            Box::new(LeftToDatasets(m20261128_000015_create_swim_events::Migration)),
            Box::new(m20261128_000016_add_views_of_older_operators::Migration),
            Box::new(m20261128_000017_create_sessions::Migration),
            Box::new(m20261128_000018_add_dry_run_differences::Migration),
            Box::new(m20261128_000019_create_outbox::Migration),
            Box::new(m20261128_000020_create_webhooks::Migration),
            Box::new(m20261128_000021_create_access_keys::Migration),
            Box::new(m20261128_000022_add_outcomes_of_rows::Migration),
            Box::new(m20261128_000023_create_mappings::Migration),
            Box::new(m20261128_000024_create_seen_keys::Migration),
            Box::new(m20261128_000025_add_traces::Migration),
            Box::new(m20261128_000026_add_new_references::Migration),
            Box::new(m20261128_000027_create_chunk_keys::Migration),
        ]
    }
}

/// A migration that made tables of datasets. Each dataset makes its own since, when it is used; the
/// migration counts as done, so that older and newer programs agree about what is.
struct LeftToDatasets<M>(M);

impl<M: MigrationName> MigrationName for LeftToDatasets<M> {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl<M: MigrationTrait> MigrationTrait for LeftToDatasets<M> {
    fn use_transaction(&self) -> Option<bool> {
        self.0.use_transaction()
    }

    async fn up(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

impl Migrator {
    /// The names of all migrations, oldest first, as the database records those that are done.
    #[must_use]
    pub fn names() -> Vec<String> {
        Self::migrations().iter().map(|migration| migration.name().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_is_done_as_a_whole_or_not_at_all() {
        for migration in Migrator::migrations() {
            assert_eq!(migration.use_transaction(), Some(true), "{}", migration.name());
        }
    }
}
