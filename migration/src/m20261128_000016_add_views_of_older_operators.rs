//! The views `"ImportLog"` and `"ImportErrorsLog"`: statements that operators of an older system have
//! run on them as they are. A table of that name is that system's own and stays.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Imports that keep what they do; there products are parts.
const IMPORTS: &str = r#"SELECT id,
    CASE WHEN dataset = 'products' THEN 'PARTS' ELSE upper(dataset) END AS type,
    file_name AS "fileName", import_status AS "importStatus", total_rows AS "totalRows",
    processed_rows AS "processedRows", success_count AS "successCount",
    error_count AS "errorCount", error_message AS "errorMessage", created_by AS "createdBy",
    created_at AS "createdAt", started_at AS "startedAt", updated_at AS "updatedAt",
    completed_at AS "completedAt"
    FROM import_log WHERE rollback_of IS NULL AND NOT dry_run"#;

const ERRORS: &str = r#"SELECT import_errors.id, import_log_id AS "importLogId",
    row_number AS "rowNumber", column_name AS "columnName", import_errors.code,
    import_errors.message AS "errorMessage", import_errors.value,
    import_log.updated_at AS "createdAt"
    FROM import_errors JOIN import_log ON import_log.id = import_log_id"#;

const VIEWS: [(&str, &str); 2] = [("ImportLog", IMPORTS), ("ImportErrorsLog", ERRORS)];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, what) in VIEWS {
            let create = match manager.get_database_backend() {
                DbBackend::Postgres => format!(
                    "DO $$ BEGIN IF to_regclass('\"{name}\"') IS NULL THEN \
                     CREATE VIEW \"{name}\" AS {what}; END IF; END $$"
                ),
                _ => format!("CREATE VIEW IF NOT EXISTS \"{name}\" AS {what}"),
            };
            manager.get_connection().execute_unprepared(&create).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in VIEWS.iter().rev() {
            let drop = format!("DROP VIEW IF EXISTS \"{name}\"");
            manager.get_connection().execute_unprepared(&drop).await?;
        }
        Ok(())
    }
}
