//! NDJSON: one JSON object a line. The keys of the first objects are the header, in the order in which
//! they appear.

use std::collections::HashSet;
use std::path::Path;

use super::file_format::{FileFormat, FileStart, InspectRequest, MediaType};
use crate::domain::detected::{Detected, Format};
use crate::domain::limits::{COLUMNS_MAX, SNIFF_BYTES};
use crate::domain::row::RawRow;
use crate::domain::warning::Warnings;
use crate::reader::encoding::TextStart;
use crate::reader::error::ReadError;
use crate::reader::inspection::{Inspection, read_sample};
use crate::reader::json_object::members;
use crate::reader::ndjson_rows::{Lines, NdjsonRows};
use crate::reader::sniff::Content;
use crate::reader::transcode::TextFile;
use crate::reader::{RowSource, encoding, failed_rows_file};

/// One JSON object a line.
pub(super) struct Ndjson;

/// Lines at the start of a file that are looked at to tell it from other text.
const LINES_LOOKED_AT: usize = 5;

/// Lines whose keys make the header, if they lie within the first [`SNIFF_BYTES`].
const HEADER_LINES: usize = 1_000;

const MEDIA_TYPES: &[MediaType] = &[
    MediaType::of("application/x-ndjson", ".ndjson"),
    MediaType::of("application/ndjson", ".ndjson"),
    MediaType::of("application/jsonl", ".jsonl"),
    MediaType::of("application/x-jsonlines", ".jsonl"),
];

impl FileFormat for Ndjson {
    fn id(&self) -> Format {
        Format::Ndjson
    }

    fn name(&self) -> &'static str {
        "NDJSON (one JSON object a line)"
    }

    fn media_types(&self) -> &'static [MediaType] {
        MEDIA_TYPES
    }

    /// The first lines begin with `{`, and one of them is an object or the name says that they are.
    fn recognises(&self, start: &FileStart<'_>) -> bool {
        if start.content != Content::Text {
            return false;
        }
        let text = encoding::start_as_text(start.bytes);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<&str> = lines.take(LINES_LOOKED_AT).collect();
        let is_declared = start.declared == Some(Format::Ndjson);
        let is_object = |line: &&str| {
            let mut keys = 0;
            members(line, |_, _| keys += 1).is_ok() && keys > 0
        };
        match lines.first() {
            Some(first) if first.starts_with('{') => is_declared || lines.iter().any(is_object),
            _ => is_declared && lines.iter().any(is_object),
        }
    }

    fn inspect(&self, request: &InspectRequest<'_>) -> Result<Inspection, ReadError> {
        let failed = ReadError::io("read the file");
        let (upload, options) = (request.upload, request.options);
        let chosen = encoding::decide(
            TextStart { path: upload.path, head: request.head, valid_utf8: upload.valid_utf8 },
            options.encoding.as_deref(),
            request.home_encoding,
        )?;
        let open = || TextFile::open(upload.path, chosen.encoding, chosen.bom).map_err(&failed);
        let header = keys(open()?)?;
        let mut rows = NdjsonRows::new(open()?, &header);
        let mut sample = read_sample(|row| rows.next_row(row))?;
        failed_rows_file::restore_sample(&mut sample, &header);
        let mut warnings = Warnings::default();
        chosen.warn(&mut warnings);
        Ok(Inspection {
            format: Format::Ndjson,
            delimiter: None,
            quote: None,
            escape: None,
            encoding: Some(chosen.name()),
            bom: chosen.bom,
            encoding_samples: chosen.guessed,
            sheet: None,
            sheets: Vec::new(),
            // No row of the file is the header.
            header_row: 0,
            header,
            sample,
            warnings,
            meet: None,
        })
    }

    fn open(&self, path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
        let text = TextFile::open_detected(path, detected)?;
        let rows = NdjsonFile { rows: NdjsonRows::new(text, &detected.header) };
        Ok(failed_rows_file::restore_cells(rows, &detected.header))
    }
}

/// The keys of the first objects, in the order of their first appearance.
fn keys(text: TextFile) -> Result<Vec<String>, ReadError> {
    let mut lines = Lines::new(text);
    let (mut header, mut known) = (Vec::new(), HashSet::new());
    let (mut read, mut bytes) = (0, 0);
    while read < HEADER_LINES && bytes < SNIFF_BYTES && lines.next()? {
        let line = lines.text();
        (read, bytes) = (read + 1, bytes + line.len());
        let mut of_line = Vec::new();
        // A line that is no object has no keys: it is a fault of its row.
        if members(&line, |key, _| of_line.push(key.into_owned())).is_ok() {
            header.extend(of_line.into_iter().filter(|key| known.insert(key.clone())));
        }
        if header.len() > COLUMNS_MAX {
            return Err(ReadError::TooManyColumns { found: header.len() });
        }
    }
    if header.is_empty() {
        return Err(if read == 0 {
            ReadError::Empty
        } else {
            ReadError::NoObjects { lines: read }
        });
    }
    Ok(header)
}

/// The rows of an NDJSON file.
#[derive(Debug)]
struct NdjsonFile {
    rows: NdjsonRows<TextFile>,
}

impl RowSource for NdjsonFile {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        self.rows.next_row(row)
    }
}
