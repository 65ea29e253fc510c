//! What can go wrong with a file as a whole. A bad row is no error here: it is a row with a cell
//! that the dataset refuses.

use serde::{Deserialize, Serialize};

use crate::domain::detected::Format;
use crate::domain::error_code::ErrorCode;
use crate::domain::limits::{COLUMNS_MAX, FIELD_BYTES_MAX, ROW_BYTES_MAX, ROWS_MAX};
use crate::domain::row::{RowFault, RowPosition};
use crate::domain::row_error::shown;
use crate::reader::companion::Companion;
use crate::reader::meet_list::MeetListFault;

/// Why a file cannot be read, or not further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk, not the file's content.
    #[error("failed to {action}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Nothing, only a byte order mark, or only white space and delimiters.
    #[error("the file is empty: it has no header and no rows")]
    Empty,
    /// The content is of a kind that cannot be imported.
    #[error("the file is {found}, which cannot be imported; the server reads {}", readable())]
    Unsupported {
        /// What the content is, with its article: `a PDF document`.
        found: String,
    },
    /// A small file that a program keeps beside the one that was meant.
    #[error("the file is {}; upload `{}` instead", .0.what, shown(&.0.of))]
    Companion(Companion),
    /// Name or media type say another format than the content.
    #[error("{claimed} says {expected}, but the content is {found}")]
    Mismatch {
        /// Who says it: "the file name `a.xlsx`", "the media type `text/csv`".
        claimed: String,
        /// What it says.
        expected: &'static str,
        /// What the content is.
        found: &'static str,
    },
    /// The text's encoding cannot be detected.
    #[error("the encoding of the text cannot be detected: {reason}")]
    EncodingUnknown {
        /// What was seen.
        reason: String,
    },
    /// The option `encoding` names none that is known.
    #[error(
        "option `encoding` does not take `{label}`; it takes names such as utf-8, utf-16le, \
         windows-1252, iso-8859-15 or shift_jis"
    )]
    NoSuchEncoding {
        /// The name as it was sent.
        label: String,
    },
    /// The header row is blank or past the end.
    #[error("row {row} has no header: it is blank or past the end of the file")]
    NoHeader {
        /// The row where the header was looked for.
        row: u32,
    },
    /// JSON: none of the first rows is an object.
    #[error(
        "none of the first {read} rows is a JSON object with keys; write each row as an object, such \
         as {{\"sku\": \"A1\"}}"
    )]
    NoObjects {
        /// Rows that were read.
        read: usize,
    },
    /// JSON: the file as a whole cannot be imported.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// The header has too many cells.
    #[error("the header has {found} columns; {COLUMNS_MAX} are the most")]
    TooManyColumns {
        /// Columns of the header.
        found: usize,
    },
    /// A CSV field or row is out of bounds.
    #[error("{}", too_long(*position, *what))]
    TooLong {
        /// Where the field or the row began.
        position: RowPosition,
        /// Which bound was passed.
        what: TooLong,
    },
    /// The row of the header is no row.
    #[error("the header cannot be read: {fault}")]
    FaultyHeader {
        /// What is wrong with it.
        fault: RowFault,
    },
    /// Row numbers ran out.
    #[error("the file has more than {ROWS_MAX} rows")]
    TooManyRows,
    /// DSV: the list as a whole cannot be imported.
    #[error(transparent)]
    MeetList(#[from] MeetListFault),
    /// The child process found a fault in the workbook.
    #[error(transparent)]
    Workbook(#[from] WorkbookFault),
    /// The child process ended without an answer.
    #[error("the workbook stopped the program that reads it: {how}")]
    ParserCrashed {
        /// How it ended.
        how: String,
    },
    /// The spool file is not what `convert` wrote.
    #[error("the converted rows of the workbook are damaged: {reason}")]
    SpoolDamaged {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The caller asked to stop.
    #[error("reading was stopped on request")]
    Stopped,
}

/// Why a JSON file cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// The text between the rows breaks the rules of JSON.
    #[error("the file breaks the rules of JSON in line {line}: {expected} is missing")]
    Broken {
        /// What should stand there.
        expected: &'static str,
        /// Where.
        line: u64,
    },
    /// The end of the file came first.
    #[error("the file ends in line {line} before its array does; it was cut off")]
    Cut {
        /// The last line.
        line: u64,
    },
    /// There are no rows in it.
    #[error(
        "the file is one JSON object without an array of objects; send the rows as an array, such as \
         [{{\"sku\": \"A1\"}}]"
    )]
    NoArray,
    /// The array that was asked for is missing.
    #[error("the file has no array of objects with the key `{}`", shown(key))]
    NoSuchArray {
        /// What was asked for.
        key: String,
    },
    /// Which one is meant is not known.
    #[error(
        "the arrays `{}` and `{}` have objects; name the one to import with the option `sheet`",
        shown(first),
        shown(second)
    )]
    SeveralArrays {
        /// The key of the first one.
        first: String,
        /// The key of the next one.
        second: String,
    },
}

impl JsonFault {
    /// The code that a client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Broken { .. } | Self::Cut { .. } | Self::NoArray => ErrorCode::InvalidJson,
            Self::NoSuchArray { .. } | Self::SeveralArrays { .. } => ErrorCode::NoSuchSheet,
        }
    }
}

/// Which bound of a CSV row was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooLong {
    /// More bytes than a field may have.
    Field,
    /// More bytes than a row may have.
    Row,
    /// More cells than a row may have.
    Cells,
}

/// Cells of one CSV row. The bound keeps a file of delimiters from filling the memory.
pub const ROW_CELLS_MAX: usize = 16_384;

fn too_long(position: RowPosition, what: TooLong) -> String {
    match what {
        TooLong::Field => format!(
            "the field that begins in {position} is longer than {FIELD_BYTES_MAX} bytes; perhaps a \
             quote is missing there"
        ),
        TooLong::Row => format!(
            "{position} is longer than {ROW_BYTES_MAX} bytes; perhaps a quote or a line break is \
             missing there"
        ),
        TooLong::Cells => format!("{position} has more than {ROW_CELLS_MAX} cells"),
    }
}

/// A fault that `loadbay convert` found. It crosses the process border as one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum WorkbookFault {
    /// The archive is no spreadsheet.
    #[error("the file is {found}, which cannot be imported; the server reads {}", readable())]
    Unsupported {
        /// What it is, with its article.
        found: String,
    },
    /// Encrypted.
    #[error("the workbook is protected by a password")]
    Password,
    /// The content breaks the rules of its format.
    #[error("the workbook is damaged: {detail}")]
    Corrupt {
        /// What was found.
        detail: String,
    },
    /// A decompression bomb, or a workbook too large for the memory limit.
    #[error("the workbook is far larger inside than outside: {detail}")]
    Expands {
        /// Which part, and the bound.
        detail: String,
    },
    /// The sheet that was asked for is missing.
    #[error("the workbook has no sheet `{sheet}`; it has {}", listed(sheets))]
    NoSuchSheet {
        /// The name that was asked for.
        sheet: String,
        /// The worksheets that there are.
        sheets: Vec<String>,
    },
    /// No visible worksheet has a cell with content.
    #[error("no visible sheet of the workbook has data")]
    Empty,
    /// The header row is blank or past the end.
    #[error("row {row} of sheet `{sheet}` has no header: it is blank or past the end")]
    NoHeader {
        /// The row where it was looked for.
        row: u32,
        /// The sheet.
        sheet: String,
    },
    /// A row number past what a worksheet can hold.
    #[error("sheet `{sheet}` has more rows than a worksheet can hold (1,048,576)")]
    TooManyRows {
        /// The sheet.
        sheet: String,
    },
    /// The time is up.
    #[error("reading the workbook took longer than {seconds} seconds")]
    TimeUp {
        /// The limit.
        seconds: u64,
    },
    /// No space for the converted rows.
    #[error("there is no space on the disk for the converted rows")]
    DiskFull,
    /// The system refused something.
    #[error("the workbook cannot be read: {detail}")]
    Unreadable {
        /// The system's words.
        detail: String,
    },
}

/// The endings of the files that can be imported.
fn readable() -> String {
    let endings: Vec<_> = Format::ALL.iter().flat_map(|format| format.endings()).copied().collect();
    endings.join(", ")
}

/// The names of worksheets, not more than a person reads.
pub(super) fn listed(sheets: &[String]) -> String {
    if sheets.is_empty() {
        return "no worksheet".to_owned();
    }
    let mut text = String::new();
    for (index, sheet) in sheets.iter().enumerate() {
        if index == 20 {
            text.push_str(" and more");
            break;
        }
        text.push_str(if index == 0 { "`" } else { ", `" });
        text.push_str(&crate::domain::row_error::shown(sheet));
        text.push('`');
    }
    text
}

impl WorkbookFault {
    /// The code that a client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unsupported { .. } => ErrorCode::UnsupportedFormat,
            Self::Password => ErrorCode::PasswordProtected,
            Self::Corrupt { .. } => ErrorCode::CorruptWorkbook,
            Self::Expands { .. } => ErrorCode::ExpandsTooLarge,
            Self::NoSuchSheet { .. } => ErrorCode::NoSuchSheet,
            Self::Empty => ErrorCode::EmptyFile,
            Self::NoHeader { .. } => ErrorCode::NoHeader,
            Self::TooManyRows { .. } => ErrorCode::TooManyRows,
            Self::TimeUp { .. } => ErrorCode::ParserTimeout,
            Self::DiskFull => ErrorCode::StorageFull,
            Self::Unreadable { .. } => ErrorCode::SourceUnreadable,
        }
    }
}

impl ReadError {
    /// The code that a client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                ErrorCode::StorageFull
            }
            Self::Io { .. } | Self::SpoolDamaged { .. } => ErrorCode::SourceUnreadable,
            Self::Empty => ErrorCode::EmptyFile,
            Self::Unsupported { .. } | Self::Companion(_) => ErrorCode::UnsupportedFormat,
            Self::Mismatch { .. } => ErrorCode::FormatMismatch,
            Self::EncodingUnknown { .. } => ErrorCode::EncodingUnknown,
            Self::NoSuchEncoding { .. } => ErrorCode::InvalidOption,
            Self::NoHeader { .. } | Self::NoObjects { .. } => ErrorCode::NoHeader,
            Self::TooManyColumns { .. } => ErrorCode::TooManyColumns,
            Self::TooLong { .. } => ErrorCode::FieldTooLong,
            Self::FaultyHeader { .. } => ErrorCode::UnclosedQuote,
            Self::TooManyRows => ErrorCode::TooManyRows,
            Self::MeetList(_) => ErrorCode::InvalidMeetList,
            Self::Json(fault) => fault.code(),
            Self::Workbook(fault) => fault.code(),
            Self::ParserCrashed { .. } => ErrorCode::ParserCrashed,
            Self::Stopped => ErrorCode::ShuttingDown,
        }
    }

    /// Where in the file, if the fault has a position.
    #[must_use]
    pub fn position(&self) -> Option<RowPosition> {
        if let Self::TooLong { position, .. } = self {
            return Some(*position);
        }
        None
    }

    /// An answer of the system, with what was being done.
    pub(crate) fn io(action: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}
