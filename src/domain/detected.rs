//! What the reader decided about a file. Stored with the job, shown in its status and used again on
//! resume: a file is never guessed twice.

use serde::{Deserialize, Serialize};

use super::meet::MeetSelection;

/// The format of a file, decided by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text with delimiters.
    Csv,
    /// Text with one JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// The meet definition list of the German swimming federation.
    Dsv,
    /// Office Open XML workbook, `.xlsx` or `.xlsm`.
    Xlsx,
    /// Binary Office workbook.
    Xlsb,
    /// Excel 97 to 2003 workbook.
    Xls,
    /// OpenDocument spreadsheet.
    Ods,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 8] = [
        Self::Csv,
        Self::Ndjson,
        Self::Json,
        Self::Xlsx,
        Self::Xlsb,
        Self::Xls,
        Self::Ods,
        Self::Dsv,
    ];

    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Dsv => "dsv",
            Self::Xlsx => "xlsx",
            Self::Xlsb => "xlsb",
            Self::Xls => "xls",
            Self::Ods => "ods",
        }
    }

    /// Endings of file names, with their point, in the order in which they are offered.
    #[must_use]
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Csv => &[".csv", ".tsv", ".txt"],
            Self::Ndjson => &[".ndjson", ".jsonl"],
            Self::Json => &[".json"],
            Self::Xlsx => &[".xlsx", ".xlsm"],
            Self::Xlsb => &[".xlsb"],
            Self::Xls => &[".xls"],
            Self::Ods => &[".ods"],
            Self::Dsv => &[".dsv6", ".dsv7", ".dsv8", ".dsv"],
        }
    }

    /// The format of a word of the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// The decimal separator of the file's numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DecimalSeparator {
    /// Nothing is declared: what can be read in two ways (`1,234`) is a row error.
    #[default]
    Undeclared,
    /// `1,234.56`.
    Point,
    /// `1.234,56`.
    Comma,
}

/// The order of day, month and year in the file's dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// `22/11/2026`.
    Dmy,
    /// `11/22/2026`.
    Mdy,
    /// `2026/11/22`.
    Ymd,
}

/// How a file writes what people write in several ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conventions {
    /// Its decimals.
    pub decimal: DecimalSeparator,
    /// Its dates; `None`: what can be read in two ways (`05/04/2026`) is a row error.
    pub dates: Option<DateOrder>,
}

/// Everything that was decided about a file before its first row was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Detected {
    /// By content, never by name.
    pub format: Format,
    /// CSV: the delimiter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// CSV: the sign around texts, where it is not `"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<char>,
    /// CSV: the character that escapes a quote inside of a text in quotes, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escape: Option<char>,
    /// CSV: the encoding's WHATWG name in lower case, such as `utf-8`, `windows-1252`, `utf-16le`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// CSV: a byte order mark stands at the start.
    #[serde(default)]
    pub bom: bool,
    /// CSV: nothing names the encoding; it is what the bytes look like.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub encoding_guessed: bool,
    /// CSV: the first cells that the guess is about, as it has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encoding_samples: Vec<String>,
    /// Workbook: the sheet that is read. JSON: the key of the array that was
    /// asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The row of the header as a spreadsheet shows it (a `sep=` line is row 1 of its file); 0 for
    /// NDJSON, JSON and DSV, which have no such row.
    pub header_row: u32,
    /// How the file writes decimals.
    pub decimal: DecimalSeparator,
    /// The order of the parts of its dates, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateOrder>,
    /// The header's cells as they stand in the file.
    pub header: Vec<String>,
    /// For each header cell the dataset's column that it feeds, or nothing.
    pub columns: Vec<Option<String>>,
    /// DSV: the meeting, and which of its events are imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meet: Option<MeetSelection>,
}
