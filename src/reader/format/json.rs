//! JSON: one array of objects, or an object with one such array in it. The keys of the first objects
//! are the header, in the order in which they appear.

use std::path::Path;

use super::file_format::{FileFormat, FileStart, InspectRequest, MediaType};
use super::objects::{ObjectsFile, inspect_objects};
use crate::domain::detected::{Detected, Format};
use crate::domain::limits::SNIFF_BYTES;
use crate::reader::error::ReadError;
use crate::reader::inspection::Inspection;
use crate::reader::json_elements::JsonElements;
use crate::reader::json_object::{first_value_end, members};
use crate::reader::object_rows::{ObjectRows, keys};
use crate::reader::sniff::Content;
use crate::reader::transcode::TextFile;
use crate::reader::{RowSource, encoding, failed_rows_file};

/// One array of objects.
pub(super) struct Json;

const MEDIA_TYPES: &[MediaType] =
    &[MediaType::of("application/json", ".json"), MediaType::of("text/json", ".json")];

impl FileFormat for Json {
    fn id(&self) -> Format {
        Format::Json
    }

    fn name(&self) -> &'static str {
        "a JSON array"
    }

    fn media_types(&self) -> &'static [MediaType] {
        MEDIA_TYPES
    }

    /// It begins with an array of objects, or is one object that goes over several lines or has an
    /// array of objects.
    fn recognises(&self, start: &FileStart<'_>) -> bool {
        if start.content != Content::Text {
            return false;
        }
        let text = encoding::start_as_text(start.bytes);
        let text = text.trim_start();
        let is_declared = start.declared == Some(Format::Json);
        if let Some(array) = text.strip_prefix('[') {
            let array = array.trim_start();
            return is_declared || array.starts_with('{') || array.trim_end() == "]";
        }
        text.starts_with('{') && is_object(text, start)
    }

    fn inspect(&self, request: &InspectRequest<'_>) -> Result<Inspection, ReadError> {
        let wanted = request.options.sheet.as_deref();
        inspect_objects(request, Format::Json, |open| {
            let mut elements = JsonElements::new(open()?, wanted);
            // Without a key that was asked for, the job looks for another array up to the end.
            let key = elements.find()?.filter(|key| wanted == Some(*key)).map(str::to_owned);
            let header = keys(elements)?;
            let rows = ObjectRows::new(JsonElements::new(open()?, wanted), &header);
            Ok(ObjectsFile { header, rows, key })
        })
    }

    fn open(&self, path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
        let text = TextFile::open_detected(path, detected)?;
        let elements = JsonElements::new(text, detected.sheet.as_deref());
        let rows = ObjectRows::new(elements, &detected.header);
        Ok(failed_rows_file::restore_cells(rows, &detected.header))
    }
}

/// True for a file that is one object. A line of NDJSON is an object, too: so one on a single line
/// counts only when an array of objects stands in it and no other object follows.
fn is_object(text: &str, start: &FileStart<'_>) -> bool {
    let has_array = || match JsonElements::new(text.as_bytes(), None).find() {
        Ok(_) => true,
        // Its arrays have no elements.
        Err(ReadError::Empty) => start.declared == Some(Format::Json),
        Err(_) => false,
    };
    let Some(end) = first_value_end(text) else {
        let is_longer = start.bytes.len() >= SNIFF_BYTES;
        return match start.declared {
            Some(Format::Json) => true,
            Some(Format::Ndjson) => false,
            _ => is_longer && has_array(),
        };
    };
    let (object, rest) = text.split_at_checked(end).unwrap_or_default();
    if !rest.trim().is_empty() || start.declared == Some(Format::Ndjson) {
        return false;
    }
    has_array() || (object.contains('\n') && members(object, |_, _| ()).is_ok())
}
