//! Proposals of a definition: from a table of the database, or from the header and the rows of a file.
//! A proposal is text that a person reads, changes and keeps with the versions of a shop.

mod file;
mod lists;
mod naming;
mod table;
mod toml_text;
mod words;

pub use file::{FileColumns, infer_from_file};
pub use table::{infer_from_table, key_choices};

/// Why nothing can be proposed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposalFault {
    /// It is no plain table.
    #[error("`{table}` {why}")]
    NoTable {
        /// The table.
        table: String,
        /// Completes the sentence.
        why: String,
    },
    /// Nothing tells one record from another.
    #[error(
        "table `{table}` has no unique index that a file could feed, so no row of a file finds its record; make one, as in `CREATE UNIQUE INDEX {index} ON {table} (…)`"
    )]
    NoKey {
        /// The table.
        table: String,
        /// A name for the index.
        index: String,
    },
    /// Several unique indexes could be the key.
    #[error(
        "`{table}` can be told apart by {}; choose with `--key {}`", .keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or by "), .keys.first().map_or("", String::as_str)
    )]
    SeveralKeys {
        /// The table.
        table: String,
        /// Each with commas between its columns.
        keys: Vec<String>,
    },
    /// The key that was asked for cannot be one.
    #[error("`{key}` cannot be the key: {why}")]
    BadKey {
        /// Its columns.
        key: String,
        /// Completes the sentence.
        why: String,
    },
    /// A column takes no NULL and no value that a file has.
    #[error(
        "`{table}.{column}` takes no NULL, has no default, and is `{sql_type}`, which no file feeds; give it a default"
    )]
    Unfed {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type.
        sql_type: String,
    },
    /// The file has no rows.
    #[error("the file has no row below its header, so nothing can be said of its columns")]
    NoRows,
    /// What would be proposed is no definition.
    #[error("the proposal is no definition: {0}")]
    NotADefinition(String),
}

/// A definition that is proposed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The name in addresses.
    pub name: String,
    /// For people.
    pub title: String,
    /// The table, as a definition writes it.
    pub table: String,
    /// Names of the key's columns.
    pub key: Vec<String>,
    /// Loadbay is to make the table.
    pub create_table: bool,
    /// The columns.
    pub columns: Vec<ProposedColumn>,
    /// What a person should know: one sentence each.
    pub notes: Vec<String>,
    /// Of a proposal from a file: the columns that could be the key, the best first.
    pub candidates: Vec<KeyCandidate>,
}

/// A column that could be the key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyCandidate {
    /// The name of the column.
    pub column: String,
    /// Rows with a value that no row before them has.
    pub distinct: u64,
    /// Rows that were looked at.
    pub of: u64,
}

/// A column of a proposal; what is empty or false is not written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProposedColumn {
    /// The name in the API.
    pub name: String,
    /// The header of the template.
    pub title: String,
    /// The column of the table, where it is not the name.
    pub field: Option<String>,
    /// The word of the type; empty for text.
    pub kind: String,
    /// Every row has a value.
    pub required: bool,
    /// Characters at most.
    pub max_length: Option<u32>,
    /// The only values.
    pub allowed: Vec<String>,
    /// The form of whole texts.
    pub pattern: Option<String>,
    /// A value, which the template of a column with a pattern needs.
    pub example: Option<String>,
    /// The only forms of dates.
    pub formats: Vec<String>,
    /// What a new record without a value gets.
    pub default: Option<ProposedDefault>,
    /// Its values are shown to nobody.
    pub sensitive: bool,
    /// The other table.
    pub reference: Option<ProposedReference>,
    /// The join table that its items go into.
    pub join: Option<ProposedJoin>,
    /// Other headers.
    pub aliases: Vec<String>,
    /// Other headers that count where no better one is.
    pub fallback_aliases: Vec<String>,
}

/// The default of a column of a proposal; whether it is one is checked with the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposedDefault {
    /// This value.
    Value(String),
    /// The value of another column.
    Column {
        /// The column.
        column: String,
        /// The word for its letters.
        case: Option<String>,
    },
    /// A word for what is made.
    Generated(String),
}

/// What a column of a proposal refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedReference {
    /// The table.
    pub table: String,
    /// The column by which a file names a record.
    pub match_column: String,
    /// The column that is stored.
    pub key: String,
    /// Further columns by which a record is named.
    pub with: Vec<ProposedPart>,
}

/// The join table of a list of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedJoin {
    /// The table.
    pub table: String,
    /// Its column that refers to the table of the proposal; empty for the one that follows from the names.
    pub owner: String,
    /// Its column that refers to the item; empty likewise.
    pub item: String,
    /// The table of the items.
    pub reference: ProposedReference,
}

/// A further column of a referenced table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedPart {
    /// The column of the other table.
    pub match_column: String,
    /// The column of the proposal whose cells are compared with it.
    pub column: String,
}
