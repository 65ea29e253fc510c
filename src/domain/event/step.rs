//! The steps of a job in members: what programs read where people read the sentence beside it.
//! Knows no sentence.

use serde::{Deserialize, Serialize};

use crate::domain::detected::{DateOrder, DecimalSeparator, Format};
use crate::domain::row_error::RowCode;
use crate::domain::row_number::RowNumber;
use crate::domain::warning::Warning;

/// A step of a job. Its members stand beside those of the event: no name may be both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
#[schema(as = EventStep)]
pub enum Step {
    /// The upload was accepted, or a retry or a rollback was requested.
    Received {
        /// The name of the file.
        file_name: String,
        /// Its bytes.
        file_size: u64,
        /// The job whose rows are imported again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_of: Option<i64>,
        /// Which of its rows: `failed` or `unprocessed`; absent: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        selection: Option<String>,
        /// The job that is rolled back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rollback_of: Option<i64>,
        /// The address from which the file is downloaded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// A server begins to download the file, or continues.
    Downloading {
        /// The address.
        url: String,
        /// Bytes that came so far.
        received_bytes: u64,
        /// Bytes of the file, as far as its server said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total_bytes: Option<u64>,
        /// Of the last seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes_per_second: Option<u64>,
    },
    /// The download was interrupted and is tried again.
    DownloadInterrupted {
        /// Bytes that came so far.
        received_bytes: u64,
        /// Why, in a sentence.
        reason: String,
        /// The status that the server of the file answered with, if it was that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        http_status: Option<u16>,
        /// Seconds until the next attempt.
        retry_seconds: u64,
    },
    /// The file is downloaded.
    Downloaded {
        /// Its bytes.
        file_size: u64,
        /// Milliseconds that it took, without pauses.
        millis: u64,
    },
    /// Nothing is imported: the last import from this address had the same content.
    NotChanged {
        /// The job that imported it.
        since: i64,
    },
    /// A warning that the file or its rows raise.
    Warning(Warning),
    /// The format of the file was detected.
    Detected {
        /// The format.
        format: Format,
        /// CSV: the delimiter.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delimiter: Option<char>,
        /// CSV: the sign around texts, where it is not `"`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quote: Option<char>,
        /// CSV: the character that escapes quotes, if one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        escape: Option<char>,
        /// CSV: the encoding.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encoding: Option<String>,
        /// CSV: the encoding is a guess.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        encoding_guessed: bool,
        /// Workbook: the sheet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet: Option<String>,
        /// The decimal separator.
        decimal: DecimalSeparator,
        /// The order of the parts of its dates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dates: Option<DateOrder>,
        /// The row of the header as a spreadsheet shows it.
        header_row: u32,
        /// Columns of the file that are imported.
        used_columns: u64,
        /// Columns of the file.
        total_columns: u64,
    },
    /// Some columns of the file are not imported.
    UnusedColumns {
        /// Their headers.
        columns: Vec<String>,
    },
    /// The job is a dry run.
    DryRun,
    /// A server started the job.
    Started,
    /// A server continues a job that was started before.
    Continued {
        /// Rows that have an outcome.
        rows: u64,
    },
    /// The rows are scanned.
    Parsing,
    /// The rows are counted.
    Counted {
        /// Rows of the job.
        total: u64,
    },
    /// The memory of the server is used up more or less than before.
    MemoryPressure {
        /// Percent of the limit that are used.
        memory_percent: u8,
        /// Rows of a chunk from here on.
        chunk_rows: u64,
        /// The reader waits for memory.
        is_waiting: bool,
    },
    /// Records that the file of a mirror does not have are removed.
    Removing {
        /// How many there are.
        records: u64,
    },
    /// Some of them are removed.
    Removed {
        /// How many were removed so far.
        records: u64,
    },
    /// Every row has an outcome.
    RowsDone,
    /// The job was paused, by a client or automatically.
    Paused {
        /// Rows that have an outcome.
        rows: u64,
        /// Automatically: why, as a code of the table of error codes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// Automatically: why, in a sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The job was resumed.
    Resumed,
    /// The job was moved to the front of the queue.
    Forced {
        /// It was taken from a server on which it made no progress.
        was_stuck: bool,
    },
    /// The priority was changed.
    PriorityChanged {
        /// The priority from now on.
        priority: i32,
    },
    /// The job was given back unfinished, for the next free server.
    Released {
        /// Why.
        cause: ReleaseCause,
    },
    /// The failed rows by error, at the end of the job.
    RowErrors {
        /// Failed rows.
        rows: u64,
        /// The most frequent errors.
        groups: Vec<ErrorSummary>,
        /// Errors that are in none of these groups.
        others: u64,
    },
}

/// Why a server gave a job back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseCause {
    /// The server stops.
    ServerStopping,
    /// The server did not reach the database for longer than its lease.
    LeaseLost,
    /// The job's task panicked.
    Crashed,
}

/// Row errors of one code in one column, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorSummary {
    /// The code.
    pub code: RowCode,
    /// The column; `None` when the error is the whole row's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How many there are.
    pub count: u64,
    /// The first row with one.
    pub first_row: RowNumber,
}
