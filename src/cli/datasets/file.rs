//! What is in a file: its header, and all of its rows.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::dataset::{HeaderNames, Proposal, model::Dataset};
use crate::definitions::{FileToSee, propose_from, see_file};
use crate::domain::options::Options;
use crate::reader::{self, Child, ReadPermit, Upload, may_be_workbook};

/// Looks at the header of a file; the columns of the dataset say where it is.
pub(super) async fn header(
    config: &Config,
    path: &Path,
    dataset: &Dataset,
) -> anyhow::Result<Vec<String>> {
    let permit = permit(config, path).await?;
    let (options, stop) = (Options::default(), AtomicBool::new(false));
    let names = HeaderNames::new(dataset, &options);
    let know = |cells: &[&str]| names.read(cells);
    let home = config.home_encoding.as_deref();
    let inspection = reader::inspect(&upload(path)?, &options, home, &know, &permit, &stop);
    let inspection = inspection.with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(inspection.header)
}

/// Proposes a definition from all rows of a file.
pub(super) async fn infer(
    config: &Config,
    path: &Path,
    name: Option<&str>,
    key: Option<&[String]>,
) -> anyhow::Result<Proposal> {
    let shown = || format!("cannot read `{}`", path.display());
    let permit = permit(config, path).await?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let file = FileToSee {
        upload: upload(path)?,
        options: &Options::default(),
        home_encoding: config.home_encoding.as_deref(),
        folder: folder.path(),
    };
    let seen = see_file(file, &permit, &AtomicBool::new(false)).with_context(shown)?;
    Ok(propose_from(&seen, file.upload.file_name, name, key)?)
}

async fn permit(config: &Config, path: &Path) -> anyhow::Result<ReadPermit> {
    let child = Child {
        program: std::env::current_exe().context("cannot find the program file")?,
        memory_bytes: config.convert.memory_bytes,
        cpu_seconds: config.convert.cpu_seconds,
        wall_seconds: config.convert.wall_seconds,
        slots: Arc::new(Semaphore::new(1)),
    };
    let is_workbook =
        may_be_workbook(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(child.permit(is_workbook).await)
}

fn upload(path: &Path) -> anyhow::Result<Upload<'_>> {
    let shown = || format!("cannot read `{}`", path.display());
    Ok(Upload {
        path,
        file_name: path.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
        media_type: None,
        valid_utf8: is_utf8(path).with_context(shown)?,
        size: std::fs::metadata(path).with_context(shown)?.len(),
    })
}

/// True when the whole file is UTF-8. Reads it in pieces.
fn is_utf8(path: &Path) -> std::io::Result<bool> {
    use std::io::{BufRead, BufReader};
    let mut reader = BufReader::with_capacity(1 << 16, std::fs::File::open(path)?);
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            return Ok(rest.is_empty());
        }
        let read = piece.len();
        rest.extend_from_slice(piece);
        reader.consume(read);
        match std::str::from_utf8(&rest) {
            Ok(_) => rest.clear(),
            Err(fault) if fault.error_len().is_some() => return Ok(false),
            Err(fault) => drop(rest.drain(..fault.valid_up_to())),
        }
    }
}
