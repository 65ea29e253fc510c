//! What an operator asks of a job: whether it was a dry run, how long it ran in all of its runs, how
//! fast it was lately, and whether it has errors.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, boolean};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The time in which the job ran; then where its pace is measured from: rows and running time at the
/// beginning of the last period and of the next one.
const NUMBERS: [&str; 5] = ["run_ms", "pace_rows", "pace_ms", "next_pace_rows", "next_pace_ms"];

/// The filters of the list with errors, in the order of the list, and the imports of a dataset that
/// are no dry runs.
const INDEXES: [(&str, &str); 5] = [
    // In an order of its own: no other list with errors is to go through it.
    ("import_log_with_errors", "((0 - id)) WHERE (error_count > 0 OR import_status = 'FAILED')"),
    (
        "import_log_with_errors_by_status",
        "(import_status, (-id)) WHERE (error_count > 0 OR import_status = 'FAILED')",
    ),
    (
        "import_log_with_errors_by_dataset",
        "(dataset, (-id)) WHERE (error_count > 0 OR import_status = 'FAILED')",
    ),
    (
        "import_log_with_errors_by_dataset_and_status",
        "((dataset || ' ' || import_status), (-id)) \
         WHERE (error_count > 0 OR import_status = 'FAILED')",
    ),
    (
        "import_log_imports",
        "((dataset || ' import'), (-id), id, dataset) WHERE rollback_of IS NULL AND NOT dry_run",
    ),
];

/// Jobs of before: they ran from their start to their end, as far as anybody knows.
const FILL_SQLITE: &str = "UPDATE import_log SET \
     dry_run = coalesce(json_extract(options, '$.dryRun'), 0), \
     run_ms = coalesce(max(0, CAST(round((julianday(coalesce(completed_at, updated_at)) \
     - julianday(started_at)) * 86400000) AS INTEGER)), 0)";
const FILL_POSTGRES: &str = "UPDATE import_log SET \
     dry_run = coalesce((options ->> 'dryRun')::boolean, false), \
     run_ms = coalesce(greatest(0, (date_part('epoch', coalesce(completed_at, updated_at) \
     - started_at) * 1000)::bigint), 0)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        manager.alter_table(add(boolean("dry_run").default(false).take())).await?;
        for column in NUMBERS {
            manager.alter_table(add(big_integer(column).default(0).take())).await?;
        }
        let fill = match manager.get_database_backend() {
            DbBackend::Postgres => FILL_POSTGRES,
            _ => FILL_SQLITE,
        };
        manager.get_connection().execute_unprepared(fill).await?;
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
        for column in NUMBERS.into_iter().chain(["dry_run"]) {
            let table = Table::alter().table("import_log").drop_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}

fn add(column: ColumnDef) -> TableAlterStatement {
    Table::alter().table("import_log").add_column(column).to_owned()
}
