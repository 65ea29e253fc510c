//! A job: one file being imported into one dataset, as the table, the memory and the API know it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::counts::Counts;
use super::detected::Detected;
use super::download::Download;
use super::new_reference::NewReferences;
use super::options::Options;
use super::run_time::RunTime;
use super::search_sync::SearchSync;
use super::selection::Selection;
use super::status::JobStatus;
use super::trace::TraceContext;
use super::warning::Warnings;

/// A job as it stands at one moment. The in-memory copy and the row of `import_log` give the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The number that clients know.
    pub id: i64,
    /// The name of the job's folder of files; never guessable.
    pub uuid: Uuid,
    /// The dataset's name.
    pub dataset: String,
    /// The name as the client sent it, without path and control characters.
    pub file_name: String,
    /// Bytes of the file; 0 until it is downloaded.
    pub file_size: i64,
    /// SHA-256 of the file, hexadecimal; empty until it is downloaded.
    pub sha256: String,
    /// Where the job stands.
    pub status: JobStatus,
    /// Rows of the file without header and blank rows; `None` until they are counted.
    pub total_rows: Option<u64>,
    /// Rows by outcome so far.
    pub counts: Counts,
    /// Rows that an open transaction has written, of a file that is imported as a whole; known only to
    /// the server that runs the job.
    pub staged_rows: u64,
    /// How long it ran, and since when its pace is measured.
    pub run_time: RunTime,
    /// Why the job failed: a code of the table of error codes.
    pub error_code: Option<String>,
    /// Why the job failed: a sentence.
    pub error_message: Option<String>,
    /// What the client asked for.
    pub options: Options,
    /// What the reader decided; `None` until the file is downloaded.
    pub detected: Option<Detected>,
    /// Where the file comes from, unless it was uploaded.
    pub download: Option<Download>,
    /// What a person should see although no row failed, so far.
    pub warnings: Warnings,
    /// Higher goes first.
    pub priority: i32,
    /// Times that the job was claimed.
    pub attempts: i32,
    /// Fences off an owner that lost its lease.
    pub lease_epoch: i64,
    /// The number of its last event.
    pub event_count: u64,
    /// A client requested the outcome of every row.
    pub row_events: bool,
    /// Jobs uploaded together.
    pub bulk_id: Option<Uuid>,
    /// Where its file lies: the id of the server whose own folder has it, or the shared storage's.
    pub storage_location: String,
    /// The job of which this one repeats rows.
    pub retry_of: Option<i64>,
    /// Which rows of the file it takes, unless all.
    pub selection: Option<Selection>,
    /// The job that this one rolls back.
    pub rollback_of: Option<i64>,
    /// The dry run whose file it imports.
    pub confirms: Option<i64>,
    /// When a job that was paused for lack of space is retried.
    pub resume_at: Option<DateTime<Utc>>,
    /// The client that uploaded it: the name that it gave, else its address.
    pub created_by: Option<String>,
    /// The request that made it, in its trace; `None` of a job of an older version.
    pub trace: Option<TraceContext>,
    /// When the upload was accepted.
    pub created_at: DateTime<Utc>,
    /// When the job was first claimed.
    pub started_at: Option<DateTime<Utc>>,
    /// When anything of this last changed; while it runs, the last commit.
    pub updated_at: DateTime<Utc>,
    /// When it reached its end.
    pub completed_at: Option<DateTime<Utc>>,
    /// When its file, failed rows and undo journal were removed: their time was over.
    pub files_removed_at: Option<DateTime<Utc>>,
    /// What its rows would create in other tables, if it is a dry run and they would create anything.
    pub new_references: Option<Box<NewReferences>>,
    /// How far its records are passed on to the search engine; `None` where there is none.
    pub sync: Option<Box<SearchSync>>,
}

impl Job {
    /// The next run of the job downloads its file.
    #[must_use]
    pub fn awaits_file(&self) -> bool {
        self.download.as_ref().is_some_and(|download| download.is_awaited)
    }
}

/// A new job, before it has a number.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The name of the job's folder of files.
    pub uuid: Uuid,
    /// The dataset's name.
    pub dataset: String,
    /// The cleaned file name.
    pub file_name: String,
    /// Bytes of the file.
    pub file_size: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// What the client asked for.
    pub options: Options,
    /// What the reader decided; `None` of a file that is to be downloaded.
    pub detected: Option<Detected>,
    /// Where the file comes from, unless it was uploaded.
    pub download: Option<Download>,
    /// What a person should see of the file as a whole.
    pub warnings: Warnings,
    /// The client's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// Jobs uploaded together.
    pub bulk_id: Option<Uuid>,
    /// The client that uploads: the name that it gave, else its address.
    pub created_by: Option<String>,
    /// The request that makes it, in its trace.
    pub trace: Option<TraceContext>,
    /// The job of which this one repeats rows.
    pub retry_of: Option<i64>,
    /// Which rows of the file it takes, unless all.
    pub selection: Option<Selection>,
    /// The job that this one rolls back.
    pub rollback_of: Option<i64>,
    /// The dry run whose file it imports.
    pub confirms: Option<i64>,
}

impl NewJob {
    /// A job over the file of another one, with its options, by nobody in particular.
    #[must_use]
    pub fn over_file_of(parent: &Job) -> Self {
        Self {
            uuid: Uuid::new_v4(),
            dataset: parent.dataset.clone(),
            file_name: parent.file_name.clone(),
            file_size: u64::try_from(parent.file_size).unwrap_or(0),
            sha256: parent.sha256.clone(),
            options: parent.options.clone(),
            detected: parent.detected.clone(),
            // A file that is here already is copied.
            download: parent.download.as_ref().filter(|it| it.is_awaited).map(Download::again),
            warnings: parent.warnings.of_file(),
            idempotency_key: None,
            bulk_id: None,
            created_by: None,
            trace: None,
            retry_of: None,
            selection: None,
            rollback_of: None,
            confirms: None,
        }
    }
}
