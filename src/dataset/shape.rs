//! What a table of the database looks like, as the store reports it.

use std::collections::BTreeMap;

/// A table of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableShape {
    /// Its name.
    pub table: String,
    /// What it is.
    pub kind: TableKind,
    /// Its columns.
    pub columns: Vec<FieldShape>,
    /// The sets of columns whose values are unique, the primary key among them.
    pub unique: Vec<Vec<String>>,
}

/// What stands behind the name of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TableKind {
    /// A table with rows of its own.
    #[default]
    Table,
    /// A view.
    View,
    /// A table whose statements are rewritten by rules.
    Ruled,
    /// A table that is divided into others.
    Partitioned,
    /// A table of another server.
    Foreign,
    /// A table that a module of SQLite makes.
    Virtual,
    /// A table of SQLite whose rows have no number.
    WithoutRowid,
}

impl TableKind {
    /// Why rows cannot be imported into it, and the way out.
    pub(super) fn fault(self) -> Option<&'static str> {
        match self {
            Self::Table => None,
            Self::View => Some("is a view; name the table behind it"),
            Self::Ruled => Some(
                "has rules (CREATE RULE), which rewrite the statements of an import; use triggers \
                 instead",
            ),
            Self::Partitioned => Some(
                "is partitioned, and PostgreSQL does not say there which rows are new; name a \
                 partition, or a table that is not divided",
            ),
            Self::Foreign => Some("lies on another server; import into it there"),
            Self::Virtual => Some("is a virtual table; name a plain one"),
            Self::WithoutRowid => Some("is a table WITHOUT ROWID; make it without these words"),
        }
    }
}

/// A table with what else a proposal of a definition needs to know of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableDetails {
    /// The table.
    pub shape: TableShape,
    /// What its columns refer to.
    pub foreign_keys: Vec<ForeignKey>,
    /// The only values of columns, as `CHECK … IN (…)` lists them.
    pub allowed: BTreeMap<String, Vec<String>>,
    /// The tables that it and its join tables refer to, by name.
    pub referenced: BTreeMap<String, TableShape>,
    /// The tables that may join it with others, where these are asked for.
    pub joins: Vec<JoinDetails>,
}

/// A table with two foreign keys: one to the table at hand, one to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinDetails {
    /// The table between the two.
    pub shape: TableShape,
    /// What refers to the table at hand.
    pub owner: ForeignKey,
    /// What refers to the other.
    pub item: ForeignKey,
}

/// Columns that refer to those of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its columns.
    pub columns: Vec<String>,
    /// The other table, as a definition writes it.
    pub table: String,
    /// The columns there, in the same order.
    pub referenced: Vec<String>,
}

/// A column of a table of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldShape {
    /// Its name.
    pub name: String,
    /// The type as the database words it, with or without brackets: `character varying`, `numeric`,
    /// `int8`, `uuid_text`, `varchar(255)`.
    pub sql_type: String,
    /// It may be NULL.
    pub nullable: bool,
    /// It has a default, or the database makes its value.
    pub has_default: bool,
    /// The default as SQL, unless the database makes its value otherwise.
    pub default_sql: Option<String>,
    /// No statement may give it a value: it is computed, or always numbered.
    pub is_generated: bool,
    /// The values of an enumeration.
    pub labels: Vec<String>,
    /// The name of the enumeration in SQL.
    pub enum_type: Option<String>,
    /// Characters at most, for texts.
    pub max_length: Option<u32>,
    /// Digits in all of a fixed-point type, or bits of a binary integer; `None` without a limit.
    pub precision: Option<u32>,
    /// Digits after the point of a fixed-point type.
    pub scale: Option<u32>,
}

impl TableShape {
    /// The column called `name`.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&FieldShape> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl FieldShape {
    /// Counted by the database: a number that nobody writes into a file.
    pub(super) fn is_counted(&self) -> bool {
        self.has_default && self.default_sql.as_ref().is_none_or(|sql| sql.contains("nextval("))
    }

    /// A record without a value of it is refused: it takes no NULL and has no default.
    pub(super) fn needs_value(&self) -> bool {
        !self.nullable && !self.has_default
    }

    /// It holds whole numbers.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.family() == Family::Integer
    }

    /// It holds texts.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.family() == Family::Text
    }

    /// An empty cell means the default: there is one, and NULL is not taken.
    #[must_use]
    pub fn takes_default(&self) -> bool {
        !self.nullable && self.default_sql.is_some()
    }
}

/// What a type can hold, whatever the database calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Characters.
    Text,
    /// Whole numbers.
    Integer,
    /// Fixed-point numbers.
    Decimal,
    /// Floating-point numbers.
    Float,
    /// Yes and no.
    Boolean,
    /// Days.
    Date,
    /// Points in time.
    Moment,
    /// JSON.
    Json,
    /// UUIDs.
    Uuid,
    /// Anything at all: a column of SQLite that was declared without a type.
    Any,
    /// Something that no column of a dataset fits.
    Other,
}

impl FieldShape {
    /// The family of its type.
    ///
    /// The words are those of PostgreSQL's `information_schema` and `pg_type`, those that SQLite
    /// schemas declare, and what sea-query writes there (`uuid_text`, `real_decimal`, `json_text`).
    pub(super) fn family(&self) -> Family {
        if !self.labels.is_empty() {
            return Family::Text;
        }
        let lower = self.sql_type.to_ascii_lowercase();
        let word = lower.split('(').next().unwrap_or_default().trim();
        match word {
            "" => Family::Any,
            "text" | "clob" | "citext" | "bpchar" | "nvarchar" | "nchar" | "name" => Family::Text,
            "boolean" | "bool" => Family::Boolean,
            "date" | "date_text" => Family::Date,
            "json" | "jsonb" | "json_text" | "jsonb_text" => Family::Json,
            "uuid" | "uuid_text" | "uuid_blob" => Family::Uuid,
            "integer" | "int" | "int2" | "int4" | "int8" | "bigint" | "smallint" | "tinyint"
            | "mediumint" => Family::Integer,
            "numeric" | "decimal" | "real_decimal" | "money" | "real_money" => Family::Decimal,
            "real" | "double" | "double precision" | "float" | "float4" | "float8" => Family::Float,
            _ if word.starts_with("varchar") || word.starts_with("char") => Family::Text,
            _ if word.starts_with("timestamp") || word.starts_with("datetime") => Family::Moment,
            _ => Family::Other,
        }
    }

    /// Bits of a binary integer, if the type's word or its precision says so.
    ///
    /// `integer` alone is 32 bits on PostgreSQL, which reports the precision, and 64 on SQLite.
    pub(super) fn integer_bits(&self) -> u32 {
        match self.sql_type.to_ascii_lowercase().as_str() {
            "smallint" | "int2" => 16,
            "int4" => 32,
            _ => self.precision.filter(|bits| matches!(bits, 16 | 32 | 64)).unwrap_or(64),
        }
    }
}
