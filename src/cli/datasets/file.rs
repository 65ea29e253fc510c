//! What is in a file: its header, and all of its rows.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::dataset::{FileColumns, HeaderNames, Proposal, infer_from_file, model::Dataset};
use crate::domain::detected::Conventions;
use crate::domain::known_header::{KnownColumn, KnownHeader};
use crate::domain::options::Options;
use crate::domain::row::RawRow;
use crate::reader::{self, Child, Inspection, ReadPermit, Upload, may_be_workbook};

/// A file that was looked at.
pub(super) struct Looked {
    permit: ReadPermit,
    pub(super) inspection: Inspection,
}

/// Looks at a file. With a dataset its columns say where the header is, else the first row of texts
/// does.
pub(super) async fn look(
    config: &Config,
    path: &Path,
    dataset: Option<&Dataset>,
) -> anyhow::Result<Looked> {
    let shown = || format!("cannot read `{}`", path.display());
    let child = Child {
        program: std::env::current_exe().context("cannot find the program file")?,
        memory_bytes: config.convert.memory_bytes,
        cpu_seconds: config.convert.cpu_seconds,
        wall_seconds: config.convert.wall_seconds,
        slots: Arc::new(Semaphore::new(1)),
    };
    let permit = child.permit(may_be_workbook(path).with_context(shown)?).await;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let bytes = std::fs::metadata(path).with_context(shown)?.len();
    let upload = Upload {
        path,
        file_name: name,
        media_type: None,
        valid_utf8: is_utf8(path).with_context(shown)?,
        size: bytes,
    };
    let mapping = std::collections::BTreeMap::new();
    let names = dataset.map(|dataset| HeaderNames::new(dataset, &mapping));
    let know = |cells: &[&str]| match &names {
        Some(names) => names.read(cells),
        None => any_header(cells),
    };
    let (options, stop) = (Options::default(), AtomicBool::new(false));
    let home = config.home_encoding.as_deref();
    let inspection = reader::inspect(&upload, &options, home, &know, &permit, &stop);
    Ok(Looked { permit, inspection: inspection.with_context(shown)? })
}

/// A row of texts may be a header; numbers are not.
fn any_header(cells: &[&str]) -> KnownHeader {
    // What separates other cells shows that a row is not divided as it should be.
    let is_name = |cell: &&str| {
        cell.chars().any(char::is_alphabetic) && !cell.contains([';', '\t', '|', ','])
    };
    let cell = |(index, cell): (usize, &&str)| {
        is_name(cell).then_some(KnownColumn { index, is_required: false })
    };
    let is_number = |cell: &&str| !cell.trim().is_empty() && !cell.chars().any(char::is_alphabetic);
    let is_complete = cells.iter().any(is_name) && !cells.iter().any(is_number);
    KnownHeader { cells: cells.iter().enumerate().map(cell).collect(), is_complete }
}

/// Proposes a definition from all rows of a file.
pub(super) async fn infer(
    config: &Config,
    path: &Path,
    name: Option<&str>,
    key: Option<&[String]>,
) -> anyhow::Result<Proposal> {
    let Looked { permit, inspection } = look(config, path, None).await?;
    let header = inspection.header.clone();
    let columns = vec![None; header.len()];
    let detected = inspection.into_detected(columns, Conventions::default());
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let spool = folder.path().join("rows");
    let path_of_rows = if reader::is_workbook(detected.format) {
        let stop = AtomicBool::new(false);
        reader::convert(path, &detected, &spool, &permit, &stop)?;
        spool.as_path()
    } else {
        path
    };
    let mut rows = reader::open(path_of_rows, &detected)?;
    let (mut seen, mut row) = (FileColumns::new(&header), RawRow::new());
    while rows.next(&mut row)? {
        seen.look(&row);
    }
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("rows");
    Ok(infer_from_file(&seen, name.unwrap_or(stem), key)?)
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
