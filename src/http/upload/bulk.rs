//! An upload of several files: parts of a form, or the files of a ZIP archive. Each becomes a job of
//! one bulk, or is refused in its place.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use serde::Serialize;

use super::far;
use super::parsed::{ParsedFiles, ParsedUpload, ReceivedFile};
use super::requester::{IDEMPOTENCY_REPLAYED, Requester, true_value};
use crate::dataset::model::Dataset;
use crate::dataset::singular;
use crate::domain::bulk::FileCounts;
use crate::domain::bulk_view::{BulkEntry, bulk_url, entries};
use crate::domain::error_code::ErrorCode;
use crate::domain::limits::BULK_FILES_MAX;
use crate::domain::options::Options;
use crate::domain::path_prefix::PathPrefix;
use crate::domain::sentence::sentence;
use crate::files::{ArchiveError, ArchivedFile, shown_name};
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::{bulks, envelope};
use crate::jobs::{BulkFile, BulkRequest, BulkSubmitted};

/// What came: one file, or several.
#[derive(Debug)]
pub(super) enum Received {
    /// A file, which becomes a job.
    One(Box<ParsedUpload>),
    /// Files, which become a bulk.
    Many(Box<ReceivedFiles>),
}

/// Files in their order, and what is asked of all of them.
#[derive(Debug)]
pub(in crate::http) struct ReceivedFiles {
    files: Vec<NamedFile>,
    options: Options,
}

#[derive(Debug)]
enum NamedFile {
    Received(ReceivedFile),
    Refused { file_name: Option<String>, fault: ArchiveError },
}

/// The answer to a bulk upload.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct BulkAccepted<'a> {
    bulk_id: String,
    status_url: String,
    job_ids: Vec<i64>,
    /// Of an archive with one file: where clients of single imports look for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    jobs: Vec<BulkEntry<'a>>,
}

/// Opens the archives among the files: what is inside stands in their places.
pub(super) async fn sort(api: &Api, parsed: ParsedFiles) -> Result<Received, Problem> {
    let ParsedFiles { files, options, .. } = parsed;
    let is_one = files.len() == 1;
    let (mut sorted, mut has_archive) = (Vec::with_capacity(files.len()), false);
    for file in files {
        match unpack(api, file).await? {
            Unpacked::File(file) => sorted.push(NamedFile::Received(file)),
            Unpacked::Archive(files) => {
                has_archive = true;
                sorted.extend(files.into_iter().map(named));
            }
            Unpacked::Refused(file, fault) if is_one => {
                drop(file);
                return Err(Problem::because(fault.code(), fault).with_remedy());
            }
            Unpacked::Refused(file, fault) => {
                sorted.push(NamedFile::Refused { file_name: file.file_name, fault });
            }
        }
    }
    if sorted.len() > BULK_FILES_MAX {
        return Err(Problem::because(ErrorCode::TooManyFiles, ArchiveError::TooManyFiles));
    }
    if sorted.is_empty() {
        return Err(Problem::new(ErrorCode::NoFile, "the ZIP archive has no file"));
    }
    if is_one
        && !has_archive
        && let Some(NamedFile::Received(file)) = sorted.pop()
    {
        return Ok(Received::One(Box::new(file.with_options(options))));
    }
    Ok(Received::Many(Box::new(ReceivedFiles { files: sorted, options })))
}

enum Unpacked {
    File(ReceivedFile),
    Archive(Vec<ArchivedFile>),
    Refused(ReceivedFile, ArchiveError),
}

/// The files inside when `file` says that it is an archive, and is one of files. What is the disk's
/// fault ends the request.
async fn unpack(api: &Api, file: ReceivedFile) -> Result<Unpacked, Problem> {
    if !claims_to_be_archive(&file) {
        return Ok(Unpacked::File(file));
    }
    let (data_dir, limit) = (Arc::clone(&api.data_dir), api.max_upload);
    let unpack = move || {
        let unpacked = data_dir.unpack(&file.upload, limit);
        (file, unpacked)
    };
    let unpacked = tokio::task::spawn_blocking(unpack).await;
    let (file, unpacked) =
        unpacked.map_err(|fault| Problem::because(ErrorCode::Internal, fault))?;
    match unpacked {
        Ok(None) => Ok(Unpacked::File(file)),
        Ok(Some(files)) => Ok(Unpacked::Archive(files)),
        Err(ArchiveError::File(fault)) => Err(fault.into()),
        Err(fault) => Ok(Unpacked::Refused(file, fault)),
    }
}

/// By its name or media type. A file without both may be anything.
fn claims_to_be_archive(file: &ReceivedFile) -> bool {
    let ending = file.file_name.as_deref().and_then(|name| Path::new(name).extension());
    let of_name = ending.map(|ending| ending.eq_ignore_ascii_case("zip"));
    let of_media_type = file.media_type.as_deref().map(|it| it.contains("zip"));
    match (of_name, of_media_type) {
        (None, None) => true,
        (name, media_type) => name.unwrap_or(false) || media_type.unwrap_or(false),
    }
}

fn named((name, unpacked): ArchivedFile) -> NamedFile {
    match unpacked {
        Ok(upload) => {
            NamedFile::Received(ReceivedFile { upload, file_name: Some(name), media_type: None })
        }
        Err(fault) => NamedFile::Refused { file_name: Some(name), fault },
    }
}

/// Stores the bulk.
pub(in crate::http) async fn submit(
    api: &Api,
    dataset: &Arc<Dataset>,
    received: ReceivedFiles,
    requester: Requester,
) -> Result<BulkSubmitted, Problem> {
    let ReceivedFiles { files, options } = received;
    far::refuse_option(&options)?;
    let file = |file| match file {
        NamedFile::Received(file) => {
            let parsed = file.with_options(options.clone());
            BulkFile::Received(Box::new(parsed.into_request(Arc::clone(dataset))))
        }
        NamedFile::Refused { file_name, fault } => BulkFile::Refused {
            file_name: shown_name(file_name.as_deref(), &dataset.name, None),
            code: fault.code(),
            message: format!("{} {}", sentence(&fault.to_string()), fault.code().remedy()),
        },
    };
    let files = files.into_iter().map(file).collect();
    let Requester { idempotency_key, created_by, trace } = requester;
    let dataset = Arc::clone(dataset);
    let request = BulkRequest { dataset, files, idempotency_key, created_by, trace };
    Ok(api.jobs.submit_bulk(request).await?)
}

/// 202 with all jobs; 200 with the bulk at its end when the client waits for that, or with its events.
pub(super) async fn answer(
    api: &Api,
    submitted: BulkSubmitted,
    wait: Option<u64>,
    wants_events: bool,
    prefix: &PathPrefix,
) -> Result<HttpResponse, Problem> {
    let replayed = submitted.replayed;
    let id = submitted.bulk.id;
    let mut response = if wants_events {
        bulks::events::follow(api, id, "", prefix.clone()).await?
    } else if let Some(seconds) = wait.filter(|seconds| *seconds > 0) {
        let (bulk, jobs) = api.jobs.wait_for_bulk(id, Duration::from_secs(seconds)).await?;
        if FileCounts::of(&bulk, &jobs).status().is_terminal() {
            bulks::view(api, &bulk, &jobs, prefix).await?
        } else {
            accepted(api, &BulkSubmitted { bulk, jobs, replayed }, prefix)?
        }
    } else {
        accepted(api, &submitted, prefix)?
    };
    if replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, true_value());
    }
    Ok(response)
}

fn accepted(
    api: &Api,
    submitted: &BulkSubmitted,
    prefix: &PathPrefix,
) -> Result<HttpResponse, Problem> {
    let BulkSubmitted { bulk, jobs, replayed } = submitted;
    let noun = api
        .dataset(&bulk.dataset)
        .map_or_else(|_| bulk.dataset.clone(), |dataset| singular(&dataset.title));
    let message = match (replayed, bulk.refused.len()) {
        (true, _) => format!("{noun} bulk was accepted before"),
        (false, 0) => format!("{noun} {} started in background", imports(jobs.len())),
        (false, refused) => {
            format!("{noun} {} started in background, {refused} refused", imports(jobs.len()))
        }
    };
    let status_url = bulk_url(bulk, prefix);
    let accepted = BulkAccepted {
        bulk_id: bulk.id.to_string(),
        job_ids: jobs.iter().map(|job| job.id).collect(),
        job_id: if let [job] = jobs.as_slice() { Some(job.id) } else { None },
        status: replayed.then(|| FileCounts::of(bulk, jobs).status().as_str()),
        jobs: entries(bulk, jobs, prefix),
        status_url: status_url.clone(),
    };
    let body = envelope::body(Some(&message), &accepted)?;
    let mut response = HttpResponse::build(StatusCode::ACCEPTED);
    response.insert_header((LOCATION, status_url)).insert_header((RETRY_AFTER, "1"));
    Ok(response.content_type("application/json").body(body))
}

/// So many imports, in words.
fn imports(files: usize) -> String {
    if files == 1 { "import of 1 file".to_owned() } else { format!("imports of {files} files") }
}
