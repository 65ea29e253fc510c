//! Workbooks: XLSX, XLSB, XLS and ODS. The child process opens them all, so they differ here only in
//! their names; which of them a file is, the child finds out.

use std::path::Path;

use super::file_format::{FileFormat, FileStart, InspectRequest, MediaType};
use crate::domain::detected::{Detected, Format};
use crate::domain::options::Hidden;
use crate::domain::row::RawRow;
use crate::domain::warning::{WarningCode, Warnings};
use crate::reader::csv_rows::CELLS_PAST_HEADER;
use crate::reader::error::{ReadError, WorkbookFault};
use crate::reader::header_search::{self, FoundHeader, KnowHeader};
use crate::reader::inspection::{Inspection, SAMPLE_ROWS, header_of, header_warnings};
use crate::reader::merged::{MergedCells, push_cell};
use crate::reader::sniff::Content;
use crate::reader::spool::SpoolRows;
use crate::reader::workbook::{ConvertMode, ConvertRequest};
use crate::reader::{RowSource, failed_rows_file};

/// A kind of workbook.
pub(super) struct Workbook {
    id: Format,
    name: &'static str,
    container: Content,
    rare_endings: &'static [&'static str],
    media_types: &'static [MediaType],
}

/// Office Open XML.
pub(super) const XLSX: Workbook = Workbook {
    id: Format::Xlsx,
    name: "an XLSX workbook",
    container: Content::Zip,
    rare_endings: &[".xltx", ".xltm"],
    media_types: &[
        MediaType::of("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
        MediaType::of(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
            ".xltx",
        ),
        MediaType::of("application/vnd.ms-excel.sheet.macroenabled.12", ".xlsm"),
        MediaType::of("application/vnd.ms-excel.template.macroenabled.12", ".xltm"),
    ],
};

/// Binary Office workbooks.
pub(super) const XLSB: Workbook = Workbook {
    id: Format::Xlsb,
    name: "an XLSB workbook",
    container: Content::Zip,
    rare_endings: &[],
    media_types: &[MediaType::of("application/vnd.ms-excel.sheet.binary.macroenabled.12", ".xlsb")],
};

/// Excel 97 to 2003.
pub(super) const XLS: Workbook = Workbook {
    id: Format::Xls,
    name: "an XLS workbook",
    container: Content::Compound,
    rare_endings: &[".xlt"],
    // Browsers on machines with Excel send it for CSV, and programs for every kind of workbook.
    media_types: &[MediaType::uncertain("application/vnd.ms-excel", ".xls")],
};

/// OpenDocument.
pub(super) const ODS: Workbook = Workbook {
    id: Format::Ods,
    name: "an ODS spreadsheet",
    container: Content::Zip,
    rare_endings: &[".ots"],
    media_types: &[
        MediaType::of("application/vnd.oasis.opendocument.spreadsheet", ".ods"),
        MediaType::of("application/vnd.oasis.opendocument.spreadsheet-template", ".ots"),
    ],
};

impl FileFormat for Workbook {
    fn id(&self) -> Format {
        self.id
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn rare_endings(&self) -> &'static [&'static str] {
        self.rare_endings
    }

    fn media_types(&self) -> &'static [MediaType] {
        self.media_types
    }

    fn is_workbook(&self) -> bool {
        true
    }

    fn recognises(&self, start: &FileStart<'_>) -> bool {
        start.content == self.container
    }

    /// Has the child process open the file; blocks until it ended. The format is the one that the
    /// child found.
    fn inspect(&self, request: &InspectRequest<'_>) -> Result<Inspection, ReadError> {
        let failed = ReadError::io("inspect the workbook");
        let (upload, options) = (request.upload, request.options);
        let child = request.permit.child();
        let convert = ConvertRequest {
            path: upload.path.to_owned(),
            format: None,
            mode: ConvertMode::Head {
                sheet: options.sheet.clone(),
                header_row: options.header_row,
            },
        };
        let folder = upload.path.parent().unwrap_or(Path::new("."));
        let output = tempfile::tempfile_in(folder).map_err(&failed)?;
        child.run(&convert, output.try_clone().map_err(&failed)?, request.stop)?;
        let mut rows = SpoolRows::from_file(output)?;
        let head = rows.head().clone();
        (request.check_declared)(head.format)?;
        let mut starts = Vec::new();
        for part in &head.parts {
            let mut start = Vec::new();
            let mut row = RawRow::new();
            while part.rows.is_none_or(|rows| start.len() < rows) && rows.next(&mut row)? {
                start.push(row.clone());
            }
            starts.push(start);
        }
        let is_asked = options.header_row.is_some();
        let Some(choice) = choose(&starts, is_asked, request.know) else {
            return Err(WorkbookFault::Empty.into());
        };
        let SheetChoice { at, header: found, others } = choice;
        let name_of = |at: usize| head.parts.get(at).map(|part| part.sheet.as_str());
        let mut warnings = Warnings::default();
        header_warnings(&found, name_of(at).filter(|_| at > 0), &mut warnings);
        for other in others.into_iter().filter_map(name_of) {
            warnings.add(WarningCode::OtherSheets, None, None, Some(other));
        }
        let mut header = header_of(&found.row)?;
        let facts = head.parts.get(at).map(|part| part.facts.clone()).unwrap_or_default();
        let facts = facts.within(header.len());
        let mut merged = MergedCells::new(facts.merged);
        let data = starts.get(at).into_iter().flatten().skip(found.data_at());
        let mut sample: Vec<RawRow> = data.take(SAMPLE_ROWS).cloned().collect();
        for row in &mut sample {
            bound_cells(row, header.len());
            merged.fill(row);
        }
        note_hidden(&mut header, &facts.hidden_columns, options.hidden, &mut warnings);
        failed_rows_file::restore_sample(&mut sample, &header);
        Ok(Inspection {
            format: head.format,
            delimiter: None,
            quote: None,
            escape: None,
            encoding: None,
            bom: false,
            encoding_samples: None,
            sheet: name_of(at).map(ToOwned::to_owned),
            sheets: head.sheets.clone(),
            header_row: found.row.row_number.get(),
            header,
            sample,
            warnings,
            meet: None,
        })
    }

    fn open(&self, path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
        Ok(failed_rows_file::restore_cells(SpoolRows::open(path)?, &detected.header))
    }
}

/// The sheet whose header the dataset knows best.
struct SheetChoice {
    /// Which of the sheets.
    at: usize,
    /// Its header.
    header: FoundHeader,
    /// The other sheets whose header has every required column.
    others: Vec<usize>,
}

/// Chooses among the first rows of several sheets: the first of those whose header has the most
/// columns of the dataset, else the first sheet. In a row that was asked for, the header is not
/// looked for.
fn choose(starts: &[Vec<RawRow>], is_asked: bool, know: &KnowHeader<'_>) -> Option<SheetChoice> {
    let header = |rows: &Vec<RawRow>| {
        if is_asked {
            rows.first().map(|row| FoundHeader::given(row, know))
        } else {
            header_search::find(rows, know)
        }
    };
    let headers = starts.iter().map(header).enumerate();
    let headers: Vec<(usize, FoundHeader)> =
        headers.filter_map(|(at, header)| Some((at, header?))).collect();
    let best = headers.iter().reduce(|best, next| {
        let (known, best_known) = (&next.1.known, &best.1.known);
        let is_better = known.is_convincing() && known.rank() > best_known.rank();
        if is_better { next } else { best }
    });
    let (at, header) = best.cloned()?;
    let is_left = |other: &&(usize, FoundHeader)| other.0 != at && other.1.known.is_complete;
    let others = headers.iter().filter(is_left).map(|other| other.0).collect();
    Some(SheetChoice { at, header, others })
}

/// Cuts a row as the job will: past the header only so many cells stay as the report of a long row
/// needs.
fn bound_cells(row: &mut RawRow, header_cells: usize) {
    let most = header_cells + CELLS_PAST_HEADER;
    if row.len() <= most {
        return;
    }
    let mut bounded = RawRow::new();
    (bounded.row_number, bounded.line) = (row.row_number, row.line);
    bounded.is_hidden = row.is_hidden;
    for (index, (text, kind)) in row.cells().take(most - 1).enumerate() {
        push_cell(&mut bounded, kind, text, row.number(index).unwrap_or_default());
    }
    // What lies past the bound stands in the last place, so that it is not overlooked.
    let last = row.cells().skip(most - 1).find(|(text, _)| !text.trim().is_empty());
    if let Some((text, kind)) = last {
        bounded.push(kind, text);
    }
    *row = bounded;
}

/// Warns of the hidden columns that have a header. Where they are to be left out, they lose it, so
/// that nothing can be fed by them.
fn note_hidden(
    header: &mut [String],
    hidden_columns: &[(u32, u32)],
    hidden: Hidden,
    warnings: &mut Warnings,
) {
    for (place, name) in (0_u32..).zip(header) {
        let is_hidden =
            hidden_columns.iter().any(|(first, last)| (*first..=*last).contains(&place));
        if is_hidden && !name.trim().is_empty() {
            warnings.add(WarningCode::HiddenColumns, None, None, Some(name));
            if hidden == Hidden::Skip {
                name.clear();
            }
        }
    }
}
