//! Between the row of `import_log` and the domain's job.

use chrono::{DateTime, Utc};
use entity::import_log;
use sea_orm::ActiveValue::Set;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::counts::Counts;
use crate::domain::download::{Download, SourceUrl};
use crate::domain::job::{Job, NewJob};
use crate::domain::new_reference::NewReferences;
use crate::domain::run_time::RunTime;
use crate::domain::status::JobStatus;
use crate::domain::trace::TraceContext;
use crate::domain::warning::Warnings;
use crate::store::error::StoreError;

/// A new job as a row that waits.
pub(in crate::store) fn waiting(
    new: &NewJob,
    storage_location: &str,
    now: DateTime<Utc>,
) -> import_log::ActiveModel {
    import_log::ActiveModel {
        uuid: Set(new.uuid.to_string()),
        dataset: Set(new.dataset.clone()),
        file_name: Set(new.file_name.clone()),
        file_size: Set(signed(new.file_size)),
        sha256: Set(new.sha256.clone()),
        import_status: Set(JobStatus::Pending.as_stored().to_owned()),
        options: Set(as_json(&new.options)),
        detected: Set(as_json(&new.detected)),
        source_url: Set(new.download.as_ref().map(|it| it.url.reveal().to_owned())),
        download: Set(new.download.as_ref().map(|it| as_json(&it.progress))),
        awaits_file: Set(new.download.as_ref().is_some_and(|it| it.is_awaited)),
        warnings: Set(as_json(&new.warnings)),
        dry_run: Set(new.options.dry_run),
        priority: Set(new.options.priority),
        storage_location: Set(storage_location.to_owned()),
        bulk_id: Set(new.bulk_id.map(|id| id.to_string())),
        created_by: Set(new.created_by.clone()),
        traceparent: Set(new.trace.map(|trace| trace.to_string())),
        idempotency_key: Set(new.idempotency_key.clone()),
        retry_of: Set(new.retry_of),
        rollback_of: Set(new.rollback_of),
        confirms: Set(new.confirms),
        selection: Set(new.selection.as_ref().map(as_json)),
        row_events: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
}

/// Reads a row of `import_log`.
pub(in crate::store) fn job(row: import_log::Model) -> Result<Job, StoreError> {
    let id = row.id;
    let unreadable = |what| StoreError::Unreadable { id, what };
    Ok(Job {
        staged_rows: 0,
        id,
        uuid: Uuid::parse_str(&row.uuid).map_err(|_| unreadable("uuid"))?,
        status: JobStatus::parse(&row.import_status).ok_or(unreadable("import_status"))?,
        counts: Counts {
            created: unsigned(row.created_count),
            updated: unsigned(row.updated_count),
            unchanged: unsigned(row.unchanged_count),
            superseded: unsigned(row.superseded_count),
            failed: unsigned(row.error_count),
            removed: unsigned(row.removed_count),
            absent: absent(row.removed_count, row.rollback_of),
        },
        run_time: RunTime {
            millis: unsigned(row.run_ms),
            pace_rows: unsigned(row.pace_rows),
            pace_millis: unsigned(row.pace_ms),
        },
        options: serde_json::from_value(row.options).map_err(|_| unreadable("options"))?,
        detected: serde_json::from_value(row.detected).map_err(|_| unreadable("detected"))?,
        download: download(id, row.source_url, row.download, row.awaits_file)?,
        warnings: warnings(id, row.warnings)?,
        bulk_id: row.bulk_id.as_deref().and_then(|text| Uuid::parse_str(text).ok()),
        total_rows: row.total_rows.map(unsigned),
        dataset: row.dataset,
        file_name: row.file_name,
        file_size: row.file_size,
        sha256: row.sha256,
        error_code: row.error_code,
        error_message: row.error_message,
        priority: row.priority,
        attempts: row.attempts,
        lease_epoch: row.lease_epoch,
        event_count: unsigned(row.event_count),
        row_events: row.row_events,
        storage_location: row.storage_location,
        retry_of: row.retry_of,
        selection: row
            .selection
            .map(serde_json::from_value)
            .transpose()
            .map_err(|_| unreadable("selection"))?,
        rollback_of: row.rollback_of,
        confirms: row.confirms,
        resume_at: row.resume_at,
        created_by: row.created_by,
        trace: row.traceparent.as_deref().and_then(TraceContext::parse),
        created_at: row.created_at,
        started_at: row.started_at,
        updated_at: row.updated_at,
        completed_at: row.completed_at,
        files_removed_at: row.files_removed_at,
        new_references: new_references(id, row.new_references)?,
        sync: row.sync.map(serde_json::from_value).transpose().map_err(|_| unreadable("sync"))?,
    })
}

/// Reads where the file of a job comes from, unless it was uploaded.
fn download(
    id: i64,
    url: Option<String>,
    progress: Option<serde_json::Value>,
    is_awaited: bool,
) -> Result<Option<Download>, StoreError> {
    let Some(url) = url.map(SourceUrl::new) else { return Ok(None) };
    let progress = progress.map(serde_json::from_value).transpose();
    let unreadable = |_| StoreError::Unreadable { id, what: "download" };
    let progress = progress.map_err(unreadable)?.unwrap_or_default();
    Ok(Some(Download { url, progress, is_awaited }))
}

/// Reads the warnings of a job.
pub(in crate::store) fn warnings(
    id: i64,
    stored: serde_json::Value,
) -> Result<Warnings, StoreError> {
    serde_json::from_value(stored).map_err(|_| StoreError::Unreadable { id, what: "warnings" })
}

/// Reads what the rows of a dry run would create in other tables.
pub(in crate::store) fn new_references(
    id: i64,
    stored: Option<serde_json::Value>,
) -> Result<Option<Box<NewReferences>>, StoreError> {
    let unreadable = |_| StoreError::Unreadable { id, what: "new_references" };
    stored.map(serde_json::from_value).transpose().map_err(unreadable)
}

/// Removed rows that are none of the job's own: those of an import.
pub(in crate::store) fn absent(removed: i64, rollback_of: Option<i64>) -> u64 {
    if rollback_of.is_some() { 0 } else { unsigned(removed) }
}

/// A count of the table. Loadbay stores none below zero; one that somebody else stored counts as zero.
pub(in crate::store) fn unsigned(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A count for the table.
pub(in crate::store) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A value as JSON for the table.
pub(in crate::store) fn as_json(value: &impl Serialize) -> serde_json::Value {
    let json = serde_json::to_value(value);
    assert!(json.is_ok(), "every value that is stored as JSON can be written so: {json:?}");
    json.unwrap_or_default()
}

/// A value as JSON in a column of text.
pub(in crate::store) fn as_text(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value);
    assert!(json.is_ok(), "every value that is stored as JSON can be written so: {json:?}");
    json.unwrap_or_default()
}

/// A number for a column of 32 bits, which no job outgrows.
pub(in crate::store) fn small(number: u32) -> i32 {
    let stored = i32::try_from(number);
    assert!(stored.is_ok(), "{number} is more than the column takes");
    stored.unwrap_or(i32::MAX)
}
