//! The options of an upload: what may be asked for. How they are written is in `parse`.

mod null_words;
mod parse;
mod row_limit;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::detected::{DateOrder, DecimalSeparator};
use super::saved_mapping::MappingName;
pub use null_words::NullWords;
pub use parse::OptionFault;
pub use row_limit::RowLimit;

/// Which rows may change the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Create what is missing, update what is there.
    #[default]
    Upsert,
    /// Create only; a key that is there already is a row error.
    Insert,
    /// Update only; a key that is missing is a row error.
    Update,
    /// Create what is missing, update what is there in an older version.
    Newer,
    /// Create what is missing, update what is there, remove what the file does not have.
    Mirror,
}

/// What a row error means for the job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// Report the row, go on.
    #[default]
    Continue,
    /// End the job after the chunk with the first row error.
    Abort,
}

/// What an empty cell does to a stored value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Blank {
    /// It clears the stored value.
    #[default]
    Clear,
    /// It leaves the stored value alone.
    Keep,
}

/// What the earlier ones of several rows with the same key are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    /// Superseded: the last one wins.
    #[default]
    Last,
    /// Failed: the last one is still written.
    Error,
}

/// What a currency sign or a unit beside a number does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Currency {
    /// It is a row error.
    #[default]
    Refuse,
    /// It is taken off and counted.
    Strip,
}

/// What rows and columns that a sheet hides are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Hidden {
    /// Rows and columns like any other.
    #[default]
    Import,
    /// Left out.
    Skip,
}

/// Whether the job has an event for every row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RowEventMode {
    /// Up to 10,000 rows, and when somebody asks while it runs.
    #[default]
    Auto,
    /// Always.
    All,
    /// Never.
    None,
}

/// Column → name in the file → name of the record that is meant.
pub type Replacements = BTreeMap<String, BTreeMap<String, String>>;

/// Everything that a client may ask for an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that is true or false")]
pub struct Options {
    /// Which rows may change the table.
    pub mode: Mode,
    /// Do everything but keep nothing: counts and errors say what would happen.
    pub dry_run: bool,
    /// What a row error means for the job.
    pub on_error: OnError,
    /// End the job when more rows than this, or a larger share of them, have failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub max_errors: Option<RowLimit>,
    /// Mirror: column → its value in the records that the file is about; empty: all are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub scope: BTreeMap<String, String>,
    /// Mirror: remove nothing when the file does not have more records than this, or a larger share of
    /// those in scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub mirror_max: Option<RowLimit>,
    /// All rows of the file or none: a failed row undoes the others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub atomic: bool,
    /// What an empty cell does to a stored value.
    pub blank: Blank,
    /// Words that stand for no value.
    pub nulls: NullWords,
    /// What the earlier ones of several rows with the same key are.
    pub duplicates: Duplicates,
    /// CSV: the delimiter, instead of detecting it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// CSV: the encoding's name, instead of detecting it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The decimal separator, instead of deriving it.
    pub decimal: DecimalSeparator,
    /// The order of day, month and year in dates, instead of deriving it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateOrder>,
    /// Take currency signs and units off numbers.
    pub currency: Currency,
    /// Workbook: the sheet's name, instead of finding it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The row of the header as a spreadsheet shows it, instead of finding it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u32>,
    /// Workbook: what hidden rows and columns are.
    pub hidden: Hidden,
    /// Header cell → column name, for headers that are not found by themselves; an empty column
    /// name leaves the header out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mapping: BTreeMap<String, String>,
    /// Column → its value in every row, for columns that the file does not have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Column → name in the file → name of the record that is meant, for columns whose cells name records
    /// of another table.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub replace: BTreeMap<String, BTreeMap<String, String>>,
    /// The saved mapping that is in `mapping`: the one that the upload names, or that of its headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_mapping: Option<MappingName>,
    /// The name under which the mapping of the file is remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_mapping: Option<MappingName>,
    /// Higher goes first; -100 to 100.
    pub priority: i32,
    /// Whether the job has an event for every row.
    pub rows: RowEventMode,
    /// Keep what is needed to take the import back.
    pub undo: bool,
    /// Refuse instead of warning: the file as a whole, or the row.
    pub strict: bool,
    /// DSV: the name of the meeting in the key of its events, instead of its name in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting: Option<String>,
    /// DSV: import only events of these numbers; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include_events: Vec<u32>,
    /// DSV: leave out events of these numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_events: Vec<u32>,
    /// Of a file that is downloaded: import nothing when the last import from this address had the
    /// same content.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub only_if_changed: bool,
    /// Column → the one value that its cells may have; a row with another one fails. Set by addresses
    /// of older programs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub only: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_their_storage() {
        let options = Options::parse([
            ("mode", "insert"),
            ("delimiter", "tab"),
            ("mapping", r#"{"Art.-Nr.":"sku"}"#),
            ("set", r#"{"Channel":"Shopee","rank":1.50,"note":null}"#),
            ("replace", r#"{"brand":{"Dilusion":"Dilution"}}"#),
            ("priority", "-5"),
            ("maxErrors", "2.5%"),
            ("scope", r#"{"brand":"ACME","is_active":true,"cost_price":1.50}"#),
            ("mirrorMax", "100%"),
            ("nulls", "-,keine"),
            ("meeting", "meeting-123"),
            ("includeEvents", "[1, 2]"),
            ("excludeEvents", "2,3"),
        ])
        .unwrap();
        let stored = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&stored).unwrap(), options);
    }
}
