//! What a table of the database looks like, as the store reports it.

/// A table of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableShape {
    /// Its name.
    pub table: String,
    /// Its columns.
    pub columns: Vec<FieldShape>,
    /// The sets of columns whose values are unique, the primary key among them.
    pub unique: Vec<Vec<String>>,
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
