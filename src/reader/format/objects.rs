//! What the formats of JSON objects share: their inspection, and that their rows name their columns
//! themselves.

use super::file_format::InspectRequest;
use crate::domain::detected::Format;
use crate::domain::row::RawRow;
use crate::domain::warning::Warnings;
use crate::reader::encoding::TextStart;
use crate::reader::error::ReadError;
use crate::reader::inspection::{Inspection, read_sample};
use crate::reader::object_rows::{ObjectRows, ObjectTexts};
use crate::reader::transcode::TextFile;
use crate::reader::{RowSource, encoding, failed_rows_file};

/// A file of objects whose header was read.
pub(super) struct ObjectsFile<T> {
    /// The keys of the first objects.
    pub(super) header: Vec<String>,
    /// All objects, from the first one.
    pub(super) rows: ObjectRows<T>,
    /// The key of their array, if it was asked for.
    pub(super) key: Option<String>,
}

/// Inspects a file of objects; `read` gets what opens its text.
pub(super) fn inspect_objects<T: ObjectTexts>(
    request: &InspectRequest<'_>,
    format: Format,
    read: impl Fn(&dyn Fn() -> Result<TextFile, ReadError>) -> Result<ObjectsFile<T>, ReadError>,
) -> Result<Inspection, ReadError> {
    let upload = request.upload;
    let chosen = encoding::decide(
        TextStart { path: upload.path, head: request.head, valid_utf8: upload.valid_utf8 },
        request.options.encoding.as_deref(),
        request.home_encoding,
    )?;
    let failed = ReadError::io("read the file");
    let open = || TextFile::open(upload.path, chosen.encoding, chosen.bom).map_err(&failed);
    let ObjectsFile { header, mut rows, key } = read(&open)?;
    let mut sample = read_sample(|row| rows.next_row(row))?;
    failed_rows_file::restore_sample(&mut sample, &header);
    let mut warnings = Warnings::default();
    chosen.warn(&mut warnings);
    Ok(Inspection { sheet: key, ..Inspection::of_text(format, chosen, header, sample, warnings) })
}

impl<T: ObjectTexts + Send> RowSource for ObjectRows<T> {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        self.next_row(row)
    }
}
