//! Why a row failed, and the table of all reasons. A row error is data: it never fails a job by
//! itself and never a request.

use super::row_number::RowNumber;
use serde::{Deserialize, Serialize};

use super::limits::SHOWN_VALUE_CHARS;

macro_rules! row_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)+) => {
        /// The stable code of a row error, as the API, the table and the failed-rows file show it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum RowCode { $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+ }

        impl RowCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as text.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Reads a code.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }

            /// What it means, one sentence for the documentation.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

row_codes! {
    /// A required cell is empty.
    Required = "required";
    /// The text is longer than the column allows.
    TooLong = "too_long";
    /// The value is not a number.
    NotANumber = "not_a_number";
    /// The value is not a whole number.
    NotAnInteger = "not_an_integer";
    /// The number could be read in two ways; declare the decimal separator with `decimal`.
    AmbiguousNumber = "ambiguous_number";
    /// The number has more digits after the decimal point than the column holds.
    TooManyDecimals = "too_many_decimals";
    /// The number is below the smallest or above the largest that the column holds.
    OutOfRange = "out_of_range";
    /// The value is none of the usual spellings of yes and no.
    NotABoolean = "not_a_boolean";
    /// The value is not a day of the calendar in a form that can be read in one way only.
    NotADate = "not_a_date";
    /// The value is not JSON.
    NotJson = "not_json";
    /// The list has more items than a join table takes of one record.
    TooManyItems = "too_many_items";
    /// The value is none of those that the column allows.
    NotAllowed = "not_allowed";
    /// The text does not match the pattern of the column.
    PatternMismatch = "pattern_mismatch";
    /// The upload takes only rows with another value in this column.
    OtherValue = "other_value";
    /// The row is outside of the `scope` of the upload.
    OutOfScope = "out_of_scope";
    /// The text holds a NUL character.
    NulCharacter = "nul_character";
    /// The text holds a control character.
    ControlCharacter = "control_character";
    /// The bytes are not text in the encoding of the file.
    BadEncoding = "bad_encoding";
    /// The spreadsheet kept only the first digits of this number; format the column as text, enter the value again and save.
    PrecisionLost = "precision_lost";
    /// The cell holds an error value of the spreadsheet, such as #N/A.
    CellError = "cell_error";
    /// The spreadsheet made a day or a time of what was typed, such as MAR1 or 1:30; format the
    /// column as text and enter the value again.
    BecameDay = "became_day";
    /// The formula has no stored value; open and save the workbook in a spreadsheet program.
    FormulaWithoutValue = "formula_without_value";
    /// The line breaks the rules of the file's format, so its cells cannot be read.
    MalformedRow = "malformed_row";
    /// The object has a key that none of the first objects of the file has.
    UnknownKey = "unknown_key";
    /// The row has fewer cells than the header has columns.
    MissingColumns = "missing_columns";
    /// The row has more cells than the header has columns, and they are not empty.
    TooManyColumns = "too_many_columns";
    /// The row has the names of the header in another order; the rows below it may be wrong.
    OtherHeader = "other_header";
    /// The row looks like a total: a word such as `Total` stands in the place of its key.
    TotalRow = "total_row";
    /// The same key stands in a later row of the file, and the upload has `duplicates=error`.
    DuplicateInFile = "duplicate_in_file";
    /// The key is in the table already, and the upload has `mode=insert`.
    AlreadyExists = "already_exists";
    /// The key is not in the table, and the upload has `mode=update`.
    NotFound = "not_found";
    /// The record named by this value does not exist, and the dataset does not create it.
    UnknownReference = "unknown_reference";
    /// The database refused the row: a constraint of the table.
    ConstraintViolated = "constraint_violated";
    /// The database refused the row for another reason.
    RefusedByDatabase = "refused_by_database";
    /// The row raises a warning, and the upload has `strict=true`.
    RefusedByStrict = "refused_by_strict";
    /// The row was changed after the import that is rolled back, and is kept as it is.
    ChangedSince = "changed_since";
}

impl utoipa::PartialSchema for RowCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .enum_values(Some(Self::ALL.iter().map(|code| code.as_str())))
            .into()
    }
}

impl utoipa::ToSchema for RowCode {}

/// Why a row failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowError {
    /// The row as a spreadsheet shows it.
    pub row_number: RowNumber,
    /// The physical line on which the row begins.
    pub line: u64,
    /// The column's name as the dataset has it; `None` when the fault is the whole row's.
    pub column: Option<String>,
    /// What kind of fault.
    pub code: RowCode,
    /// A sentence for the user: the value, the rule and the way out.
    pub message: String,
    /// The value, shortened to 100 characters.
    pub value: Option<String>,
}

impl RowError {
    /// The message with its column, for places that do not show the column beside it.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.column {
            // It names the column itself.
            Some(_) if self.code == RowCode::Required => self.message.clone(),
            Some(column) => format!("{column}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// A row error of the table, with what the table knows beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredRowError {
    /// Its place among the stored errors.
    #[serde(skip)]
    pub id: i64,
    /// Why the row failed.
    #[serde(flatten)]
    pub error: RowError,
    /// The key of the row as the file has it; `None` when the row has none that can be read.
    pub key: Option<String>,
}

/// Shortens `text` to the characters that a row error shows; `…` marks a cut.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(SHOWN_VALUE_CHARS).collect();
    if chars.next().is_some() {
        short.pop();
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_by_characters() {
        assert_eq!(shown("ä"), "ä");
        let cut = shown(&"ä".repeat(500));
        assert_eq!(cut.chars().count(), SHOWN_VALUE_CHARS);
        assert!(cut.ends_with('…'));
    }
}
