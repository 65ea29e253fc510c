//! Workbooks: XLSX, XLSB, XLS and ODS. The child process opens them all, so they differ here only in
//! their names; which of them a file is, the child finds out.

use std::path::Path;

use super::file_format::{FileFormat, FileStart, InspectRequest, MediaType};
use crate::domain::detected::{Detected, Format};
use crate::domain::row::RawRow;
use crate::reader::error::{ReadError, WorkbookFault};
use crate::reader::inspection::{Inspection, header_of};
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
        let mut row = RawRow::new();
        if !rows.next(&mut row)? {
            return Err(WorkbookFault::Empty.into());
        }
        let header_row = row.row_number.get();
        let header = header_of(&row)?;
        let mut sample = Vec::new();
        while rows.next(&mut row)? {
            sample.push(row.clone());
        }
        failed_rows_file::restore_sample(&mut sample, &header);
        Ok(Inspection {
            format: head.format,
            delimiter: None,
            encoding: None,
            bom: false,
            sheet: Some(head.sheet),
            sheets: head.sheets,
            header_row,
            decimal: options.decimal,
            header,
            sample,
        })
    }

    fn open(&self, path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
        Ok(failed_rows_file::restore_cells(SpoolRows::open(path)?, &detected.header))
    }
}
