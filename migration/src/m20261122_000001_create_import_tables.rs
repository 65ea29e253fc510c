//! `import_log` (life of the jobs, queue and counts in one), `import_chunks` (the proof that a chunk
//! was committed once), `import_errors` and `import_superseded` (what became of single rows).

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, integer_null, json_binary, string_len, string_len_null,
    string_len_uniq, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(import_log()).await?;
        let queue = Index::create()
            .name("import_log_queue")
            .table("import_log")
            .col("import_status")
            .col(("priority", IndexOrder::Desc))
            .col("id")
            .to_owned();
        manager.create_index(queue).await?;
        manager.create_table(import_chunks()).await?;
        manager.create_table(import_errors()).await?;
        let errors_of_job = Index::create()
            .name("import_errors_of_job")
            .table("import_errors")
            .col("import_log_id")
            .col("row_number")
            .col("id")
            .to_owned();
        manager.create_index(errors_of_job).await?;
        manager.create_table(import_superseded()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["import_superseded", "import_errors", "import_chunks", "import_log"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn import_log() -> TableCreateStatement {
    Table::create()
        .table("import_log")
        .col(big_integer("id").primary_key().auto_increment())
        .col(string_len_uniq("uuid", 36))
        .col(string_len("dataset", 64))
        .col(text("file_name"))
        .col(big_integer("file_size"))
        .col(string_len("sha256", 64))
        .col(string_len("import_status", 16))
        .col(big_integer_null("total_rows"))
        .col(big_integer("processed_rows").default(0))
        .col(big_integer("created_count").default(0))
        .col(big_integer("updated_count").default(0))
        .col(big_integer("unchanged_count").default(0))
        .col(big_integer("superseded_count").default(0))
        .col(big_integer("success_count").default(0))
        .col(big_integer("error_count").default(0))
        .col(string_len_null("error_code", 64))
        .col(text_null("error_message"))
        .col(json_binary("options"))
        .col(json_binary("detected"))
        .col(integer("priority").default(0))
        .col(integer("attempts").default(0))
        .col(integer_null("lanes"))
        .col(string_len("source_server", 64))
        .col(string_len_null("lease_owner", 64))
        .col(big_integer("lease_epoch").default(0))
        .col(timestamp_with_time_zone_null("lease_expires_at"))
        .col(string_len_null("bulk_id", 36))
        .col(text_null("created_by"))
        .col(string_len_null("idempotency_key", 255).unique_key())
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(timestamp_with_time_zone_null("completed_at"))
        .to_owned()
}

fn import_chunks() -> TableCreateStatement {
    Table::create()
        .table("import_chunks")
        .col(big_integer("import_log_id"))
        .col(integer("number"))
        .col(integer("lane"))
        .col(big_integer("first_row"))
        .col(big_integer("last_row"))
        .col(big_integer("created_count"))
        .col(big_integer("updated_count"))
        .col(big_integer("unchanged_count"))
        .col(big_integer("superseded_count"))
        .col(big_integer("failed_count"))
        .col(timestamp_with_time_zone("committed_at"))
        .primary_key(Index::create().col("import_log_id").col("number"))
        .foreign_key(&mut of_job("import_chunks"))
        .to_owned()
}

fn import_errors() -> TableCreateStatement {
    Table::create()
        .table("import_errors")
        .col(big_integer("id").primary_key().auto_increment())
        .col(big_integer("import_log_id"))
        .col(big_integer("row_number"))
        .col(big_integer("line"))
        .col(string_len_null("column_name", 255))
        .col(string_len("code", 64))
        .col(text("message"))
        .col(text_null("value"))
        .foreign_key(&mut of_job("import_errors"))
        .to_owned()
}

fn import_superseded() -> TableCreateStatement {
    Table::create()
        .table("import_superseded")
        .col(big_integer("import_log_id"))
        .col(big_integer("row_number"))
        .col(big_integer("by_row_number"))
        .primary_key(Index::create().col("import_log_id").col("row_number"))
        .foreign_key(&mut of_job("import_superseded"))
        .to_owned()
}

fn of_job(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "import_log_id")
        .to("import_log", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
