//! What an inspection is given and what it finds.

use std::fmt;
use std::path::Path;

use super::encoding::EncodingChoice;
use super::error::{ReadError, listed};
use super::failed_rows_file;
use super::header_search::FoundHeader;
use crate::domain::detected::{Conventions, Detected, Format};
use crate::domain::limits::{COLUMNS_MAX, SNIFF_BYTES};
use crate::domain::meet::MeetSelection;
use crate::domain::row::RawRow;
use crate::domain::row_error::shown;
use crate::domain::warning::{WarningCode, Warnings};

/// Rows after the header that an inspection needs: a fault in one of them is the file's.
pub(super) const SAMPLE_ROWS: usize = 20;

/// Rows after the header that an inspection reads, if they have no more than [`SNIFF_BYTES`].
const SAMPLE_ROWS_MAX: usize = 10_000;

/// A file as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    /// Where it lies.
    pub path: &'a Path,
    /// The name that the client gave it.
    pub file_name: &'a str,
    /// The media type that the client gave it.
    pub media_type: Option<&'a str>,
    /// It is UTF-8 from the first byte to the last.
    pub valid_utf8: bool,
    /// Its bytes.
    pub size: u64,
}

/// What a file is and how it is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// By content.
    pub format: Format,
    /// CSV: the delimiter.
    pub delimiter: Option<char>,
    /// CSV: the sign around texts, where it is not `"`.
    pub quote: Option<char>,
    /// CSV: the character that escapes a quote inside of a text in quotes, if one does.
    pub escape: Option<char>,
    /// CSV: the encoding's WHATWG name in lower case.
    pub encoding: Option<String>,
    /// CSV: a byte order mark stands at the start.
    pub bom: bool,
    /// CSV: cells as the encoding has them, where it was guessed.
    pub encoding_samples: Option<Vec<String>>,
    /// Workbook: the sheet that is read. JSON: the key of the array that was asked for.
    pub sheet: Option<String>,
    /// Workbook: every worksheet.
    pub sheets: Vec<String>,
    /// The row of the header as a spreadsheet shows it.
    pub header_row: u32,
    /// The header's cells as they stand in the file, without empty ones at the end.
    pub header: Vec<String>,
    /// The first data rows, as the job will read them.
    pub sample: Vec<RawRow>,
    /// What a person should see of the file as a whole.
    pub warnings: Warnings,
    /// DSV: the meeting, and which of its events are imported.
    pub meet: Option<MeetSelection>,
}

/// Where a header was found, and where else it may be meant to be. Shown as sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderPlace {
    /// The row, as a spreadsheet shows it.
    pub row: u32,
    /// Workbook: the sheet.
    pub sheet: Option<String>,
    /// Workbook: the other worksheets.
    pub other_sheets: Vec<String>,
}

impl fmt::Display for HeaderPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} ", self.row)?;
        if let Some(sheet) = &self.sheet {
            write!(f, "of sheet `{}` ", shown(sheet))?;
        }
        f.write_str("was taken for the header; the option `headerRow` chooses another row")?;
        if !self.other_sheets.is_empty() {
            write!(f, ", the option `sheet` another sheet: {}", listed(&self.other_sheets))?;
        }
        Ok(())
    }
}

impl Inspection {
    /// Of a text file of which nothing is known besides its encoding and its rows; its header is none
    /// of these.
    pub(super) fn of_text(
        format: Format,
        chosen: EncodingChoice,
        header: Vec<String>,
        sample: Vec<RawRow>,
        warnings: Warnings,
    ) -> Self {
        Self {
            format,
            delimiter: None,
            quote: None,
            escape: None,
            encoding: Some(chosen.name()),
            bom: chosen.bom,
            encoding_samples: chosen.guessed,
            sheet: None,
            sheets: Vec::new(),
            header_row: 0,
            header,
            sample,
            warnings,
            meet: None,
        }
    }

    /// Where the header was found; `None` for a format whose rows name their columns themselves.
    #[must_use]
    pub fn header_place(&self) -> Option<HeaderPlace> {
        let is_other = |sheet: &&String| Some(*sheet) != self.sheet.as_ref();
        (self.header_row > 0).then(|| HeaderPlace {
            row: self.header_row,
            sheet: self.sheet.clone(),
            other_sheets: self.sheets.iter().filter(is_other).cloned().collect(),
        })
    }

    /// What a job keeps of it, with the name of the column that each cell of the header feeds, and
    /// how the cells are written.
    #[must_use]
    pub fn into_detected(self, columns: Vec<Option<String>>, conventions: Conventions) -> Detected {
        Detected {
            format: self.format,
            delimiter: self.delimiter,
            quote: self.quote,
            escape: self.escape,
            encoding: self.encoding,
            bom: self.bom,
            encoding_guessed: self.encoding_samples.is_some(),
            encoding_samples: self.encoding_samples.unwrap_or_default(),
            sheet: self.sheet,
            header_row: self.header_row,
            decimal: conventions.decimal,
            dates: conventions.dates,
            header: self.header,
            columns,
            meet: self.meet,
        }
    }
}

/// Reads the first rows. A fault after the first few ends the sample; the job meets it again.
pub(super) fn read_sample(
    mut next: impl FnMut(&mut RawRow) -> Result<bool, ReadError>,
) -> Result<Vec<RawRow>, ReadError> {
    let (mut row, mut sample, mut bytes) = (RawRow::new(), Vec::new(), 0);
    while sample.len() < SAMPLE_ROWS_MAX && bytes < SNIFF_BYTES {
        match next(&mut row) {
            Ok(true) => {
                bytes += row.text_bytes();
                sample.push(row.clone());
            }
            Err(fault) if sample.len() < SAMPLE_ROWS => return Err(fault),
            Ok(false) | Err(_) => break,
        }
    }
    Ok(sample)
}

/// The header's cells up to the last one with content.
pub(super) fn header_of(row: &RawRow) -> Result<Vec<String>, ReadError> {
    let mut header: Vec<String> = row.cells().map(|(text, _)| text.to_owned()).collect();
    let filled = header.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
    header.truncate(filled);
    if filled > COLUMNS_MAX {
        return Err(ReadError::TooManyColumns { found: filled });
    }
    Ok(failed_rows_file::restore_header(header))
}

/// What a person should see of a header that was found: it is not the first row of the first sheet,
/// or stands in two rows.
pub(super) fn header_warnings(header: &FoundHeader, sheet: Option<&str>, warnings: &mut Warnings) {
    let row_number = Some(header.row.row_number);
    if header.rows_above > 0 || sheet.is_some() {
        warnings.add(WarningCode::HeaderFound, None, row_number, sheet);
    }
    if header.is_joined {
        warnings.add(WarningCode::JoinedHeaders, None, row_number, None);
    }
}
