//! The formats of files that can be imported, as one table. A format is one file of this folder, one
//! line of [`FORMATS`], its word in [`Format`] and a section of the documentation; everything that
//! lists formats is made from the table.
//!
//! Knows nothing of jobs and HTTP. What a format does with a file is behind [`FileFormat`].

mod csv;
pub(super) mod declared;
mod ndjson;
mod workbook;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use self::csv::Csv;
use self::ndjson::Ndjson;
use self::workbook::{ODS, XLS, XLSB, XLSX};
use super::RowSource;
use super::child::ReadPermit;
use super::error::ReadError;
use super::inspect::{Inspection, Upload};
use super::sniff::Content;
use crate::domain::detected::{Detected, Format};
use crate::domain::options::Options;

/// Every format, in the order in which they are listed. The last ones are tried first: CSV takes any
/// text.
const FORMATS: [&dyn FileFormat; 6] = [&Csv, &Ndjson, &XLSX, &XLSB, &XLS, &ODS];

/// A format of files.
pub(super) trait FileFormat: Sync {
    /// The word that is stored with a job and shown as `detected.format`.
    fn id(&self) -> Format;

    /// The format with its article, for messages: `an XLSX workbook`.
    fn name(&self) -> &'static str;

    /// Endings of file names, with their point; the page offers them to those who choose a file.
    fn endings(&self) -> &'static [&'static str];

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
pub(super) struct MediaType {
    /// In lower case, without parameters.
    pub(super) name: &'static str,
    /// With its point.
    pub(super) ending: &'static str,
    /// False for a type that clients send for other formats too: it contradicts no content.
    pub(super) is_certain: bool,
}

impl MediaType {
    const fn of(name: &'static str, ending: &'static str) -> Self {
        Self { name, ending, is_certain: true }
    }

    const fn uncertain(name: &'static str, ending: &'static str) -> Self {
        Self { name, ending, is_certain: false }
    }
}

/// How a file begins.
pub(super) struct FileStart<'a> {
    /// What its first bytes are.
    pub(super) content: Content,
    /// Its first bytes.
    pub(super) bytes: &'a [u8],
    /// What its name or its media type says.
    pub(super) declared: Option<Format>,
}

/// A file that is to be inspected.
pub(super) struct InspectRequest<'a> {
    pub(super) upload: &'a Upload<'a>,
    /// The file's first bytes.
    pub(super) head: &'a [u8],
    pub(super) options: &'a Options,
    /// How many cells of a header the dataset knows.
    pub(super) header_score: &'a dyn Fn(&[&str]) -> usize,
    pub(super) permit: &'a ReadPermit,
    /// Set when the caller wants no answer any more.
    pub(super) stop: &'a AtomicBool,
}

/// The format of this word.
pub(super) fn by_id(id: Format) -> &'static dyn FileFormat {
    let found = FORMATS.iter().find(|format| format.id() == id);
    assert!(found.is_some(), "the table of formats lacks {id:?}");
    *found.unwrap_or(&FORMATS[0])
}

/// The format that recognises a file.
pub(super) fn recognised(start: &FileStart<'_>) -> Option<&'static dyn FileFormat> {
    FORMATS.into_iter().rev().find(|format| format.recognises(start))
}

/// True for a format that `loadbay convert` reads: its rows are converted before they are opened.
#[must_use]
pub fn is_workbook(format: Format) -> bool {
    by_id(format).is_workbook()
}

/// The endings of files that can be imported, for those who choose one.
pub fn endings() -> impl Iterator<Item = &'static str> {
    FORMATS.into_iter().flat_map(|format| format.endings().iter().copied())
}

/// The ending of a file that is sent with this media type and without a name.
#[must_use]
pub fn ending_of_media_type(name: &str) -> Option<&'static str> {
    let mut types = FORMATS.into_iter().flat_map(FileFormat::media_types);
    types.find(|known| known.name == name).map(|known| known.ending)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_lists_each_format_and_each_ending_once() {
        let mut words = BTreeSet::new();
        let mut endings = BTreeSet::new();
        for format in FORMATS {
            assert!(words.insert(format.id().as_str()), "{}", format.name());
            for ending in format.endings().iter().chain(format.rare_endings()) {
                assert!(ending.starts_with('.') && endings.insert(*ending), "{ending}");
            }
            for media_type in format.media_types() {
                assert!(media_type.ending.starts_with('.'));
                assert_eq!(media_type.name, media_type.name.to_ascii_lowercase());
            }
        }
        let all: BTreeSet<_> = Format::ALL.iter().map(|format| format.as_str()).collect();
        assert_eq!(words, all);
    }
}
