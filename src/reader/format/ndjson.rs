//! NDJSON: one JSON object a line. The keys of the first objects are the header, in the order in which
//! they appear.

use std::path::Path;

use super::file_format::{FileFormat, FileStart, InspectRequest, MediaType};
use super::objects::{ObjectsFile, inspect_objects};
use crate::domain::detected::{Detected, Format};
use crate::reader::error::ReadError;
use crate::reader::inspection::Inspection;
use crate::reader::json_object::members;
use crate::reader::object_rows::{Lines, ObjectRows, keys};
use crate::reader::sniff::Content;
use crate::reader::transcode::TextFile;
use crate::reader::{RowSource, encoding, failed_rows_file};

/// One JSON object a line.
pub(super) struct Ndjson;

/// Lines at the start of a file that are looked at to tell it from other text.
const LINES_LOOKED_AT: usize = 5;

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
        inspect_objects(request, Format::Ndjson, |open| {
            let header = keys(Lines::new(open()?))?;
            let rows = ObjectRows::new(Lines::new(open()?), &header);
            Ok(ObjectsFile { header, rows, key: None })
        })
    }

    fn open(&self, path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
        let text = TextFile::open_detected(path, detected)?;
        let rows = ObjectRows::new(Lines::new(text), &detected.header);
        Ok(failed_rows_file::restore_cells(rows, &detected.header))
    }
}
