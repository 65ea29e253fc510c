//! CSV: text with delimiters, in any encoding. Finds the encoding, the delimiter and the header.

use std::path::Path;

use super::file_format::{FileFormat, FileStart, InspectRequest, MediaType};
use crate::domain::detected::{Detected, Format};
use crate::domain::limits::SNIFF_BYTES;
use crate::domain::row::RawRow;
use crate::domain::warning::{WarningCode, Warnings};
use crate::reader::csv_record::Dialect;
use crate::reader::csv_rows::CsvRows;
use crate::reader::data_rows::DataRows;
use crate::reader::delimiter::HeaderSearch;
use crate::reader::encoding::TextStart;
use crate::reader::error::ReadError;
use crate::reader::header_search::HEADER_ROWS;
use crate::reader::inspection::{Inspection, header_of, header_warnings, read_sample};
use crate::reader::sniff::Content;
use crate::reader::transcode::TextFile;
use crate::reader::{RowSource, delimiter, dialect, encoding, failed_rows_file};

/// Text with delimiters.
pub(super) struct Csv;

const MEDIA_TYPES: &[MediaType] = &[
    MediaType::of("text/csv", ".csv"),
    MediaType::of("application/csv", ".csv"),
    MediaType::of("text/x-csv", ".csv"),
    MediaType::of("application/x-csv", ".csv"),
    MediaType::of("text/comma-separated-values", ".csv"),
    MediaType::of("text/tab-separated-values", ".tsv"),
    // Many clients send it for everything.
    MediaType::uncertain("text/plain", ".csv"),
];

impl FileFormat for Csv {
    fn id(&self) -> Format {
        Format::Csv
    }

    fn name(&self) -> &'static str {
        "text (CSV)"
    }

    fn rare_endings(&self) -> &'static [&'static str] {
        &[".tab"]
    }

    fn media_types(&self) -> &'static [MediaType] {
        MEDIA_TYPES
    }

    fn recognises(&self, start: &FileStart<'_>) -> bool {
        start.content == Content::Text
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
        let start = open()?.start(SNIFF_BYTES).map_err(&failed)?;
        let declared = delimiter::declared(&start);
        let search = HeaderSearch {
            sample: &start,
            first_row: options.header_row.or(declared.map(|_| 2)),
            rows_max: if options.header_row.is_some() { 1 } else { HEADER_ROWS },
            know: request.know,
        };
        let sign = options.delimiter.or(declared).unwrap_or_else(|| delimiter::find(&search));
        let found = search.find(sign);

        let dialect = dialect::find(&start, u8::try_from(sign).unwrap_or(b','));
        let mut rows = CsvRows::new(open()?, dialect);
        // The beginning may end within the header.
        let first_row = found.as_ref().map(|it| it.row.row_number.get()).or(search.first_row);
        let row = header_row(&mut rows, first_row, options.header_row)?;
        let header_row = row.row_number.get();
        let mut warnings = Warnings::default();
        chosen.warn(&mut warnings);
        if dialect.has_backslash_escapes {
            warnings.add(WarningCode::BackslashEscapes, None, None, None);
        }
        let header = match &found {
            Some(found) if found.row.row_number == row.row_number => {
                header_warnings(found, None, &mut warnings);
                header_of(if found.is_joined { &found.row } else { &row })?
            }
            _ => header_of(&row)?,
        };
        let mut rows = DataRows::new(rows, header.len());
        let mut sample = read_sample(|row| rows.next_row(row))?;
        failed_rows_file::restore_sample(&mut sample, &header);
        Ok(Inspection {
            delimiter: Some(sign),
            quote: Some(char::from(dialect.quote)).filter(|quote| *quote != '"'),
            escape: dialect.has_backslash_escapes.then_some('\\'),
            header_row,
            ..Inspection::of_text(Format::Csv, chosen, header, sample, warnings)
        })
    }

    fn open(&self, path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
        let text = TextFile::open_detected(path, detected)?;
        let mut rows = CsvRows::new(text, Dialect::detected(detected));
        let mut row = RawRow::new();
        while row.row_number.get() < detected.header_row && rows.next_row(&mut row)? {}
        let rows = DataRows::new(rows, detected.header.len());
        Ok(failed_rows_file::restore_cells(rows, &detected.header))
    }
}

/// Reads up to the header: the first row that is not blank and not above `wanted`. A row that the
/// client `asked` for must be the header itself.
fn header_row(
    rows: &mut CsvRows<TextFile>,
    wanted: Option<u32>,
    asked: Option<u32>,
) -> Result<RawRow, ReadError> {
    let mut row = RawRow::new();
    loop {
        if !rows.next_row(&mut row)? {
            return Err(asked.map_or(ReadError::Empty, |row| ReadError::NoHeader { row }));
        }
        if wanted.is_none_or(|wanted| row.row_number.get() >= wanted) {
            break;
        }
    }
    if let Some(row) = asked.filter(|asked| *asked != row.row_number.get()) {
        return Err(ReadError::NoHeader { row });
    }
    match row.fault.take() {
        Some(fault) => Err(ReadError::FaultyHeader { fault }),
        None => Ok(row),
    }
}
