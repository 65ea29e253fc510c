//! What a format of files must be able to do, and what it is given.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::domain::detected::{Detected, Format};
use crate::domain::options::Options;
use crate::reader::RowSource;
use crate::reader::child::ReadPermit;
use crate::reader::error::ReadError;
use crate::reader::header_search::KnowHeader;
use crate::reader::inspection::{Inspection, Upload};
use crate::reader::sniff::Content;

/// A format of files.
pub(in crate::reader) trait FileFormat: Sync {
    /// The word that is stored with a job and shown as `detected.format`.
    fn id(&self) -> Format;

    /// The format with its article, for messages: `an XLSX workbook`.
    fn name(&self) -> &'static str;

    /// Endings of file names, with their point; the page offers them to those who choose a file.
    fn endings(&self) -> &'static [&'static str] {
        self.id().endings()
    }

    /// Endings of rare kinds of the format. They are accepted, but not offered.
    fn rare_endings(&self) -> &'static [&'static str] {
        &[]
    }

    /// What clients send as media type.
    fn media_types(&self) -> &'static [MediaType];

    /// True for a format that is read by `loadbay convert`, in a process of its own.
    fn is_workbook(&self) -> bool {
        false
    }

    /// True when a file that begins so may be of this format. The format that recognises a
    /// file inspects it; formats in the same container share their inspection.
    fn recognises(&self, start: &FileStart<'_>) -> bool;

    /// Finds out everything that is decided about a file before its first row is read.
    fn inspect(&self, request: &InspectRequest<'_>) -> Result<Inspection, ReadError>;

    /// Opens the rows behind the header: of a workbook the converted rows, else the file itself.
    fn open(&self, path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError>;
}

/// A media type, and the ending of files that are sent with it and without a name.
pub(in crate::reader) struct MediaType {
    /// In lower case, without parameters.
    pub(in crate::reader) name: &'static str,
    /// With its point.
    pub(in crate::reader) ending: &'static str,
    /// False for a type that clients send for other formats too: it contradicts no content.
    pub(in crate::reader) is_certain: bool,
}

impl MediaType {
    pub(super) const fn of(name: &'static str, ending: &'static str) -> Self {
        Self { name, ending, is_certain: true }
    }

    pub(super) const fn uncertain(name: &'static str, ending: &'static str) -> Self {
        Self { name, ending, is_certain: false }
    }
}

/// How a file begins.
pub(in crate::reader) struct FileStart<'a> {
    /// What its first bytes are.
    pub(in crate::reader) content: Content,
    /// Its first bytes.
    pub(in crate::reader) bytes: &'a [u8],
    /// What its name or its media type says.
    pub(in crate::reader) declared: Option<Format>,
}

/// A file that is to be inspected.
pub(in crate::reader) struct InspectRequest<'a> {
    pub(in crate::reader) upload: &'a Upload<'a>,
    /// The file's first bytes.
    pub(in crate::reader) head: &'a [u8],
    pub(in crate::reader) options: &'a Options,
    /// The encoding that a guess prefers.
    pub(in crate::reader) home_encoding: Option<&'a str>,
    /// What the dataset knows of a row that may be the header.
    pub(in crate::reader) know: &'a KnowHeader<'a>,
    /// Refuses a file whose name or media type declares another format than this one.
    pub(in crate::reader) check_declared: &'a dyn Fn(Format) -> Result<(), ReadError>,
    pub(in crate::reader) permit: &'a ReadPermit,
    /// Set when the caller wants no answer any more.
    pub(in crate::reader) stop: &'a AtomicBool,
}
