//! Warnings: what a person should see although no row failed. They are counted by code and column,
//! each with its first rows, and stored with the job.
//!
//! A warning is data; the sentence is made from it here, and nothing ever reads the sentence.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::row_error::shown;
use super::row_number::RowNumber;

/// Examples that are kept of one warning: its first rows.
pub const EXAMPLES_MAX: usize = 5;

macro_rules! warning_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)+) => {
        /// The stable code of a warning, as the API and the table show it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum WarningCode { $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+ }

        impl WarningCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as text.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What it means, one sentence for people.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

warning_codes! {
    /// Columns of the file are not imported.
    UnusedColumns = "unused_columns";
    /// The header is not the first row of the first sheet; what stands before it is not imported.
    HeaderFound = "header_found";
    /// The header stands in two rows; they were joined.
    JoinedHeaders = "joined_headers";
    /// Other sheets have a header of the dataset too; they are not imported.
    OtherSheets = "other_sheets";
    /// A row is the header once more; it was skipped.
    RepeatedHeader = "repeated_header";
    /// A row holds nothing but truth values and zeros; it was skipped.
    DefaultRows = "default_rows";
    /// A row ends before the last column; the values that it does not have stay as stored.
    ShortRow = "short_row";
    /// A cell has more decimals than the column takes; what the cell shows is imported.
    RoundedAsShown = "rounded_as_shown";
    /// A percent is below 1, such as 0.18; write 18 if 18 % is meant.
    PercentBelowOne = "percent_below_one";
    /// A cell is merged with the one above; it has the same value.
    MergedCells = "merged_cells";
    /// A row is hidden in the sheet; the option `hidden` says whether it is imported.
    HiddenRows = "hidden_rows";
    /// Columns are hidden in the sheet; the option `hidden` says whether they are imported.
    HiddenColumns = "hidden_columns";
    /// A word such as NULL stands for no value; the cell counts as empty.
    NullWords = "null_words";
    /// A value stands in a wrapper such as ="…" or behind an apostrophe; only the value is taken.
    WrappedCells = "wrapped_cells";
    /// A currency sign or a unit beside a number is taken off.
    CurrencyStripped = "currency_stripped";
    /// A number that could be read in two ways is read with the decimal separator that other numbers of the file have.
    DecimalsDerived = "decimals_derived";
    /// A date that could be read in two ways is read in the order that other dates of the file have.
    DatesDerived = "dates_derived";
    /// A key or name has white space, hyphens or letters that only look like the plain ones; it is taken with the plain ones.
    FoldedKeys = "folded_keys";
    /// A name holds a character as HTML writes it, such as `&amp;`; it is stored as it stands.
    Entities = "entities";
    /// A text in quotes goes over lines that look like rows of their own; a quote may be missing.
    RowsInQuotes = "rows_in_quotes";
    /// The encoding of the file is a guess; look whether the letters are right.
    EncodingGuessed = "encoding_guessed";
    /// Lines in UTF-8 stand in a file of another encoding; their letters are wrong.
    MixedEncoding = "mixed_encoding";
    /// Quotes inside of texts are written with a backslash, and are read so.
    BackslashEscapes = "backslash_escapes";
    /// The stored record is as new as the row or newer, so the row changed nothing.
    NotNewer = "not_newer";
    /// The key of a row cannot be read or found, so nobody knows which record it means; with `mode=mirror` nothing is removed.
    KeyUnknown = "key_unknown";
    /// The job takes only some rows of its file, so it does not know which records the file lacks; nothing is removed.
    NothingRemoved = "nothing_removed";
    /// The file does not have the record, but the database refused to remove it.
    NotRemoved = "not_removed";
    /// DSV: a line is about an event that the list does not have; it is not imported.
    DanglingReference = "dangling_reference";
    /// DSV: a line has more attributes than the format knows; the others are imported.
    ExtraAttributes = "extra_attributes";
    /// DSV: an event that the upload includes or excludes is not in the list.
    UnknownEvents = "unknown_events";
}

impl utoipa::PartialSchema for WarningCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .enum_values(Some(Self::ALL.iter().map(|code| code.as_str())))
            .into()
    }
}

impl utoipa::ToSchema for WarningCode {}

impl WarningCode {
    /// True for what is about the file as a whole, not about rows.
    #[must_use]
    pub fn is_of_file(self) -> bool {
        matches!(
            self,
            Self::UnusedColumns
                | Self::HeaderFound
                | Self::JoinedHeaders
                | Self::OtherSheets
                | Self::EncodingGuessed
                | Self::MixedEncoding
                | Self::BackslashEscapes
                | Self::DanglingReference
                | Self::ExtraAttributes
                | Self::UnknownEvents
                | Self::HiddenColumns
        )
    }
}

/// One place where a warning arose.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    /// The row as a spreadsheet shows it; `None` where the warning is the whole file's.
    pub row_number: Option<RowNumber>,
    /// The value, shortened to 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What a person should see, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// What kind.
    pub code: WarningCode,
    /// The column's name as the dataset has it; `None` when it is not one column's.
    pub column: Option<String>,
    /// How many cells, rows or columns it is about.
    pub count: u64,
    /// The first ones, at most [`EXAMPLES_MAX`], by row.
    pub examples: Vec<Example>,
}

impl Warning {
    /// The warning in a sentence: what it means, how often, and where first.
    #[must_use]
    pub fn message(&self) -> String {
        let mut text = self.code.meaning().trim_end_matches('.').to_owned();
        // Writing to a String cannot fail.
        let _ = match &self.column {
            Some(column) => write!(text, " ({} in {column}", self.count),
            None => write!(text, " ({}", self.count),
        };
        if let Some(row) = self.examples.first().and_then(|first| first.row_number) {
            let _ = write!(text, ", first in row {row}");
        }
        let values: Vec<_> =
            self.examples.iter().filter_map(|example| example.value.as_deref()).take(3).collect();
        if !values.is_empty() {
            let _ = write!(text, ": `{}`", values.join("`, `"));
        }
        text.push(')');
        text
    }

    /// True when it is about the file as a whole, not about rows.
    #[must_use]
    pub fn is_of_file(&self) -> bool {
        self.code.is_of_file()
    }

    fn keep_first(&mut self, example: Example) {
        // Those of one row, and those of the whole file, stay in the order in which they came.
        let at = self.examples.partition_point(|it| it.row_number <= example.row_number);
        if at < EXAMPLES_MAX {
            self.examples.truncate(EXAMPLES_MAX - 1);
            self.examples.insert(at, example);
        }
    }
}

/// A warning as clients see it: with its sentence.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarningView {
    message: String,
    #[serde(flatten)]
    warning: Warning,
}

impl WarningView {
    /// The view of a warning.
    #[must_use]
    pub fn of(warning: &Warning) -> Self {
        Self { message: warning.message(), warning: warning.clone() }
    }
}

/// Warnings by code and column. The result does not depend on the order in which they are added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Warnings(Vec<Warning>);

impl Warnings {
    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The warnings, by code and column.
    pub fn iter(&self) -> std::slice::Iter<'_, Warning> {
        self.0.iter()
    }

    /// Those of the file as a whole, which say the same of whatever rows of it are taken.
    #[must_use]
    pub fn of_file(&self) -> Self {
        Self(self.0.iter().filter(|it| it.is_of_file()).cloned().collect())
    }

    /// Leaves out the texts of the file of which nobody knows the column.
    pub fn hide_texts(&mut self) {
        let of_text = [WarningCode::EncodingGuessed, WarningCode::MixedEncoding];
        for warning in self.0.iter_mut().filter(|it| of_text.contains(&it.code)) {
            warning.examples.iter_mut().for_each(|example| example.value = None);
        }
    }

    /// Forgets them, keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts one more.
    pub fn add(
        &mut self,
        code: WarningCode,
        column: Option<&str>,
        row_number: Option<RowNumber>,
        value: Option<&str>,
    ) {
        let warning = self.of(code, column);
        warning.count += 1;
        // Most are not among the first; they cost no allocation.
        let is_full = warning.examples.len() == EXAMPLES_MAX;
        if !is_full || warning.examples.last().is_some_and(|last| row_number < last.row_number) {
            warning.keep_first(Example { row_number, value: value.map(shown) });
        }
    }

    /// Adds those of another part of the file.
    pub fn merge(&mut self, other: &Self) {
        for theirs in &other.0 {
            let ours = self.of(theirs.code, theirs.column.as_deref());
            ours.count += theirs.count;
            for example in &theirs.examples {
                ours.keep_first(example.clone());
            }
        }
    }

    fn of(&mut self, code: WarningCode, column: Option<&str>) -> &mut Warning {
        // Those of a column come before those of none.
        let at = self.0.binary_search_by(|it| {
            let theirs = it.column.as_deref();
            it.code
                .cmp(&code)
                .then(theirs.is_none().cmp(&column.is_none()))
                .then(theirs.cmp(&column))
        });
        let at = at.unwrap_or_else(|at| {
            let column = column.map(ToOwned::to_owned);
            self.0.insert(at, Warning { code, column, count: 0, examples: Vec::new() });
            at
        });
        let Some(warning) = self.0.get_mut(at) else { unreachable!("it was found or inserted") };
        warning
    }
}

impl<'a> IntoIterator for &'a Warnings {
    type Item = &'a Warning;
    type IntoIter = std::slice::Iter<'a, Warning>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: WarningCode = WarningCode::ShortRow;

    #[test]
    fn the_first_rows_are_kept_in_whatever_order_they_come() {
        let (mut forwards, mut backwards) = (Warnings::default(), Warnings::default());
        for row in 2..12 {
            forwards.add(SHORT, Some("brand"), Some(RowNumber::new(row)), Some("NULL"));
            backwards.add(SHORT, Some("brand"), Some(RowNumber::new(13 - row)), Some("NULL"));
        }
        assert_eq!(forwards, backwards);
        let warning = forwards.iter().next().unwrap();
        assert_eq!((warning.count, warning.examples.len()), (10, EXAMPLES_MAX));
        assert_eq!(warning.examples[0].row_number, Some(RowNumber::new(2)));
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let (mut whole, mut one, mut two) =
            (Warnings::default(), Warnings::default(), Warnings::default());
        for row in 2..9 {
            let (code, part) = if row % 2 == 0 {
                (SHORT, &mut one)
            } else {
                (WarningCode::UnusedColumns, &mut two)
            };
            whole.add(code, None, Some(RowNumber::new(row)), None);
            part.add(code, None, Some(RowNumber::new(row)), None);
        }
        two.merge(&one);
        assert_eq!(whole, two);
        let stored = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Warnings>(&stored).unwrap(), whole);
    }

    #[test]
    fn the_sentence_says_how_often_and_where_first() {
        let mut warnings = Warnings::default();
        warnings.add(SHORT, Some("brand"), Some(RowNumber::new(7)), Some("N/A"));
        warnings.add(SHORT, Some("brand"), Some(RowNumber::new(9)), Some("NULL"));
        warnings.add(WarningCode::UnusedColumns, None, None, Some("Colour"));
        let texts: Vec<_> = warnings.iter().map(Warning::message).collect();
        assert_eq!(
            texts,
            [
                "Columns of the file are not imported (1: `Colour`)",
                "A row ends before the last column; the values that it does not have stay as stored \
                 (2 in brand, first in row 7: `N/A`, `NULL`)"
            ]
        );
    }
}
