//! DSV: the meet definition list of the German swimming federation, formats 6, 7 and 8. A list has no
//! header; its events have the columns of [`HEADER`].

use std::fs::File;
use std::io::Read;
use std::path::Path;

use encoding_rs::{UTF_8, WINDOWS_1252};

use super::file_format::{FileFormat, FileStart, InspectRequest, MediaType};
use crate::domain::detected::{Detected, Format};
use crate::domain::row::RawRow;
use crate::domain::warning::Warnings;
use crate::reader::encoding::{EncodingChoice, TextStart};
use crate::reader::error::ReadError;
use crate::reader::inspection::{Inspection, read_sample};
use crate::reader::meet_list::{HEADER, MeetChoice, MeetList, MeetListFault};
use crate::reader::sniff::{self, Content};
use crate::reader::transcode::TextFile;
use crate::reader::{RowSource, encoding};

/// Meet definition lists.
pub(super) struct Dsv;

/// Bytes of a list at most. A meeting of 50 events has 20 KB; a list is read into memory.
const BYTES_MAX: u64 = 1 << 20;

const MEDIA_TYPES: &[MediaType] = &[MediaType::of("application/x-dsv", ".dsv7")];

impl FileFormat for Dsv {
    fn id(&self) -> Format {
        Format::Dsv
    }

    fn name(&self) -> &'static str {
        "DSV (a meet definition list)"
    }

    fn rare_endings(&self) -> &'static [&'static str] {
        &[".dsv8z"]
    }

    fn media_types(&self) -> &'static [MediaType] {
        MEDIA_TYPES
    }

    /// The first line with content is the element `FORMAT`, or the name says that it is a list: then
    /// the refusal says what is missing in it.
    fn recognises(&self, start: &FileStart<'_>) -> bool {
        let is_declared = start.declared == Some(Format::Dsv);
        match start.content {
            Content::Text => {
                is_declared || begins_with_format(&encoding::start_as_text(start.bytes))
            }
            Content::Zip => is_declared,
            Content::Compound | Content::Other(_) => false,
        }
    }

    fn inspect(&self, request: &InspectRequest<'_>) -> Result<Inspection, ReadError> {
        let (upload, options) = (request.upload, request.options);
        let is_archive = sniff::content(request.head) == Content::Zip;
        let chosen = if is_archive {
            EncodingChoice::of_text(&unzipped(upload.path)?)
        } else {
            encoding::decide(
                TextStart { path: upload.path, head: request.head, valid_utf8: upload.valid_utf8 },
                options.encoding.as_deref(),
                request.home_encoding,
            )?
        };
        let text = read(upload.path, &chosen)?;
        let list = MeetList::parse(&text, MeetChoice::Asked(options))?;
        let mut index = 0..;
        let sample = read_sample(|row| Ok(index.next().is_some_and(|at| list.row(at, row))))?;
        let mut warnings = Warnings::default();
        chosen.warn(&mut warnings);
        warnings.merge(&list.warnings);
        let header = HEADER.map(str::to_owned).to_vec();
        Ok(Inspection {
            meet: Some(list.selection),
            ..Inspection::of_text(Format::Dsv, chosen, header, sample, warnings)
        })
    }

    fn open(&self, path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
        let label = detected.encoding.as_deref().unwrap_or("utf-8");
        let chosen = EncodingChoice::sure(encoding::by_label(label)?, detected.bom);
        let text = read(path, &chosen)?;
        let Some(selection) = &detected.meet else {
            unreachable!("the inspection of a list decides which events are taken")
        };
        let list = MeetList::parse(&text, MeetChoice::Decided(selection))?;
        Ok(Box::new(MeetFile { list, next: 0 }))
    }
}

/// The first line that is neither blank nor a remark.
fn begins_with_format(text: &str) -> bool {
    let lines = text.lines().map(str::trim);
    let mut content = lines.filter(|line| !line.is_empty() && !line.starts_with("(*"));
    let first = content.next().and_then(|line| line.split_once(':'));
    first.is_some_and(|(name, list)| {
        name.trim_end().eq_ignore_ascii_case("FORMAT") && list.contains(';')
    })
}

/// The text of a list; what is no text in its encoding shows U+FFFD.
fn read(path: &Path, chosen: &EncodingChoice) -> Result<String, ReadError> {
    let failed = ReadError::io("read the file");
    let mut start = Vec::new();
    File::open(path).and_then(|it| it.take(8).read_to_end(&mut start)).map_err(&failed)?;
    if sniff::content(&start) == Content::Zip {
        return Ok(chosen.encoding.decode(&unzipped(path)?).0.into_owned());
    }
    let text = TextFile::open(path, chosen.encoding, chosen.bom).map_err(&failed)?;
    let mut bytes = Vec::new();
    text.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(&failed)?;
    check_length(&bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The one file of a `.DSV8z` archive.
fn unzipped(path: &Path) -> Result<Vec<u8>, ReadError> {
    let failed = ReadError::io("read the file");
    let broken =
        |fault: zip::result::ZipError| MeetListFault::Archive { detail: fault.to_string() };
    let mut archive = zip::ZipArchive::new(File::open(path).map_err(&failed)?).map_err(broken)?;
    if archive.len() != 1 {
        return Err(MeetListFault::NotOneFile { files: archive.len() }.into());
    }
    let mut bytes = Vec::new();
    let file = archive.by_index(0).map_err(broken)?;
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|fault| MeetListFault::Archive { detail: fault.to_string() })?;
    check_length(&bytes)?;
    Ok(bytes)
}

fn check_length(bytes: &[u8]) -> Result<(), MeetListFault> {
    let is_too_long = bytes.len() as u64 > BYTES_MAX;
    if is_too_long { Err(MeetListFault::TooLong { bytes_max: BYTES_MAX }) } else { Ok(()) }
}

impl EncodingChoice {
    /// The encoding of a text that was unpacked: the standard says UTF-8, older programs wrote
    /// windows-1252.
    fn of_text(bytes: &[u8]) -> Self {
        let is_utf8 = std::str::from_utf8(bytes).is_ok();
        Self::sure(if is_utf8 { UTF_8 } else { WINDOWS_1252 }, false)
    }
}

/// The rows of a list.
#[derive(Debug)]
struct MeetFile {
    list: MeetList,
    next: usize,
}

impl RowSource for MeetFile {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        let is_there = self.list.row(self.next, row);
        self.next += 1;
        Ok(is_there)
    }
}
