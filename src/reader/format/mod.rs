//! The formats of files that can be imported, as one table. A format is one file of this folder, one
//! line of [`FORMATS`], its word and its endings in [`Format`] and a section of the documentation;
//! everything that lists formats is made from the table.
//!
//! Knows nothing of jobs and HTTP. What a format does with a file is behind [`FileFormat`].

mod csv;
pub(super) mod declared;
mod dsv;
mod file_format;
mod json;
mod ndjson;
mod objects;
mod workbook;

use self::csv::Csv;
use self::dsv::Dsv;
pub(super) use self::file_format::{FileFormat, FileStart, InspectRequest};
use self::json::Json;
use self::ndjson::Ndjson;
use self::workbook::{ODS, XLS, XLSB, XLSX};
use crate::domain::detected::Format;

/// Every format, in the order in which they are listed. The last ones are tried first: CSV takes any
/// text.
const FORMATS: [&dyn FileFormat; 8] = [&Csv, &Ndjson, &Json, &XLSX, &XLSB, &XLS, &ODS, &Dsv];

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
