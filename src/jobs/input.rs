//! The uploaded file of a job, opened to be read as rows: checked against what was uploaded, and
//! converted when it is a workbook.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::context::JobsContext;
use super::error::RunError;
use super::row_input::RowInput;
use super::stop::Stop;
use crate::domain::detected::Detected;
use crate::domain::job::Job;
use crate::faults::fault;
use crate::files::SourceFile;
use crate::reader::{self, ReadPermit};

/// What the reader decided about the file of a job, which is here.
pub(super) fn detected_of(job: &Job) -> Result<&Detected, RunError> {
    job.detected.as_ref().ok_or(RunError::NotDownloaded)
}

/// The uploaded file as rows; a workbook is converted first. Blocks.
pub(super) fn open_input(
    context: &JobsContext,
    job: &Job,
    file: SourceFile,
    permit: &ReadPermit,
    stop: &Stop,
) -> Result<RowInput, RunError> {
    if !is_fresh(context, job, &file) {
        verify(file.path(), &job.sha256, stop)?;
    }
    fault!("open.after", RunError::Panicked);
    let detected = Box::new(detected_of(job)?.clone());
    if !reader::is_workbook(detected.format) {
        return Ok(RowInput::File { file, detected });
    }
    let spool = tempfile::Builder::new()
        .prefix("rows-")
        .tempfile_in(context.data_dir.tmp())
        .map_err(|source| RunError::Io { doing: "make room for the rows of the workbook", source })?
        .into_temp_path();
    fault!("convert.before", RunError::Panicked);
    reader::convert(file.path(), &detected, &spool, permit, stop.flag())?;
    if stop.is_stopped() {
        return Err(RunError::Stopped);
    }
    Ok(RowInput::Spool { path: spool, detected })
}

/// The file was uploaded to this process, for this job, and is read for the first time.
fn is_fresh(context: &JobsContext, job: &Job, file: &SourceFile) -> bool {
    let written = || file.path().metadata().and_then(|found| found.modified());
    let is_first = file.is_own() && job.lease_epoch <= 1 && job.retry_of.is_none();
    is_first && written().is_ok_and(|written| written >= context.began)
}

/// The bytes are still those that were uploaded.
fn verify(path: &Path, sha256: &str, stop: &Stop) -> Result<(), RunError> {
    let unreadable = |source| RunError::Io { doing: "read the uploaded file", source };
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        if stop.is_stopped() {
            return Err(RunError::Stopped);
        }
        let count = file.read(&mut buffer).map_err(unreadable)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
    }
    if crate::domain::hexadecimal::hex(&hash.finalize()) == sha256 {
        Ok(())
    } else {
        Err(RunError::SourceChanged)
    }
}
