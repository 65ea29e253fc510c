//! `import_log`: the life of every job, the queue, the counts.

use sea_orm::entity::prelude::*;

/// One job.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "import_log")]
pub struct Model {
    /// The number that clients know.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The name of the job's folder of files.
    #[sea_orm(unique)]
    pub uuid: String,
    /// The dataset's name.
    pub dataset: String,
    /// The file's name as the client sent it, cleaned.
    pub file_name: String,
    /// Bytes of the file; 0 until it is downloaded.
    pub file_size: i64,
    /// SHA-256 of the file, hexadecimal; empty until it is downloaded.
    pub sha256: String,
    /// PENDING, PROCESSING, PAUSED, COMPLETED, FAILED or CANCELLED.
    pub import_status: String,
    /// Rows of the file; null until they are counted.
    pub total_rows: Option<i64>,
    /// Rows that have an outcome: the sum of the counts.
    pub processed_rows: i64,
    /// Rows whose key was new.
    pub created_count: i64,
    /// Rows whose record was changed.
    pub updated_count: i64,
    /// Rows whose record was the same already.
    pub unchanged_count: i64,
    /// Rows superseded by a later row of the same file.
    pub superseded_count: i64,
    /// All rows but the failed ones.
    pub success_count: i64,
    /// Rows that failed.
    pub error_count: i64,
    /// Rows that a rollback removed from the table.
    pub removed_count: i64,
    /// Why the job failed: a code.
    pub error_code: Option<String>,
    /// Why the job failed: a sentence.
    pub error_message: Option<String>,
    /// What the client asked for.
    #[sea_orm(column_type = "JsonBinary")]
    pub options: Json,
    /// What the reader decided; the JSON value null until the file is downloaded.
    #[sea_orm(column_type = "JsonBinary")]
    pub detected: Json,
    /// The address from which the file is downloaded, unless it was uploaded. May hold a secret.
    pub source_url: Option<String>,
    /// How far the download is, and which version of the file it gave.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub download: Option<Json>,
    /// The file is not here yet: the next run of the job downloads it.
    pub awaits_file: bool,
    /// What a person should see although no row failed: by code and column, with the first rows.
    #[sea_orm(column_type = "JsonBinary")]
    pub warnings: Json,
    /// Nothing was kept: the counts are those that an import would have had.
    pub dry_run: bool,
    /// Milliseconds in which the job ran, in all of its runs.
    pub run_ms: i64,
    /// Rows with an outcome when the time began over which its pace is measured.
    pub pace_rows: i64,
    /// `run_ms` then.
    pub pace_ms: i64,
    /// Rows with an outcome when the next such time began.
    pub next_pace_rows: i64,
    /// `run_ms` then.
    pub next_pace_ms: i64,
    /// Higher goes first.
    pub priority: i32,
    /// Times that the job was claimed.
    pub attempts: i32,
    /// Writers among which the file's rows are divided; fixed when the job is first claimed.
    pub lanes: Option<i32>,
    /// Where the uploaded file lies: the server whose own data folder holds it, or the storage that
    /// several servers share. Only who reaches it can run the job.
    #[sea_orm(column_name = "source_server")]
    pub storage_location: String,
    /// The server that runs the job.
    pub lease_owner: Option<String>,
    /// Grows with every change of owner; an owner with an older one commits nothing.
    pub lease_epoch: i64,
    /// When the job may be taken over.
    pub lease_expires_at: Option<DateTimeUtc>,
    /// When the job was last claimed.
    pub claimed_at: Option<DateTimeUtc>,
    /// When a job that was paused for lack of space is retried.
    pub resume_at: Option<DateTimeUtc>,
    /// The job of which this one repeats rows.
    pub retry_of: Option<i64>,
    /// Which rows of it, unless all.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub selection: Option<Json>,
    /// The job that this one takes back.
    pub rollback_of: Option<i64>,
    /// The dry run whose file it imports.
    pub confirms: Option<i64>,
    /// The state of the dataset's table when a dry run began.
    pub table_digest: Option<String>,
    /// Where its rows go: table, key and columns.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub destination: Option<Json>,
    /// What the rows of a dry run would create in other tables, by column and name.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub new_references: Option<Json>,
    /// The number of the last event.
    pub event_count: i64,
    /// Somebody asked to be told what becomes of every row.
    pub row_events: bool,
    /// Jobs uploaded together.
    pub bulk_id: Option<String>,
    /// The client that uploaded it: the name that it gave, else its address.
    pub created_by: Option<String>,
    /// The request that made it, as W3C Trace Context writes it; null of a job of an older version.
    pub traceparent: Option<String>,
    /// The client's `Idempotency-Key`.
    #[sea_orm(unique)]
    pub idempotency_key: Option<String>,
    /// When the upload was accepted.
    pub created_at: DateTimeUtc,
    /// When the job was first claimed.
    pub started_at: Option<DateTimeUtc>,
    /// When anything of this last changed.
    pub updated_at: DateTimeUtc,
    /// When the job ended.
    pub completed_at: Option<DateTimeUtc>,
    /// When its file, failed rows and undo journal were removed.
    pub files_removed_at: Option<DateTimeUtc>,
    /// How far its records are passed on to the search engine.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub sync: Option<Json>,
}

/// No relation is followed: every question about a job names its id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
