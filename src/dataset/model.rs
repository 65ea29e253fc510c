//! The compiled dataset: what the definition file says, checked and ready for use.

use serde::Deserialize;

use super::constant::Constant;
pub use super::date_format::DateFormat;
pub use super::pattern::Pattern;
use crate::domain::fixed_point::FixedPoint;

/// What stands in the place of a value that is shown to nobody.
pub const HIDDEN: &str = "***";

/// How an upload into the dataset is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// 202 at once; the rows are loaded in the background.
    Background,
    /// 200 with the results.
    Inline,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ColumnType {
    /// Text, trimmed and in NFC.
    #[default]
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A fixed-point number; at most 18 digits in all, so that it fits 64 bits.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A point in time, stored in UTC.
    DateTime,
    /// Any JSON value.
    Json,
    /// Several texts in one cell, separated by `,`, `;` or `|`; stored as a JSON array.
    List,
}

impl ColumnType {
    /// A number of this type as people write it: 1999 units of `decimal(12,2)` are `19.99`.
    #[must_use]
    pub fn number(self, units: i64) -> FixedPoint {
        let scale = if let Self::Decimal { scale, .. } = self { scale } else { 0 };
        FixedPoint::new(units, scale)
    }
}

impl std::fmt::Display for ColumnType {
    /// The word of the definition file: `decimal(12,2)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision},{scale})"),
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Json => "json",
            Self::List => "list",
        };
        f.write_str(word)
    }
}

impl TryFrom<String> for ColumnType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let solid: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let digits = solid.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')'));
        if let Some((precision, scale)) = digits.and_then(|digits| digits.split_once(',')) {
            return match (precision.parse::<u8>(), scale.parse::<u8>()) {
                (Ok(precision @ 1..=18), Ok(scale)) if scale <= precision => {
                    Ok(Self::Decimal { precision, scale })
                }
                _ => Err(format!(
                    "`{text}` is not possible: a decimal has 1 to 18 digits in all and at most as \
                     many after the point"
                )),
            };
        }
        match solid.as_str() {
            "text" => Ok(Self::Text),
            "integer" => Ok(Self::Integer),
            "boolean" => Ok(Self::Boolean),
            "date" => Ok(Self::Date),
            "datetime" => Ok(Self::DateTime),
            "json" => Ok(Self::Json),
            "list" => Ok(Self::List),
            _ => Err(format!(
                "there is no type `{text}`; the types are text, integer, decimal(12,2), boolean, \
                 date, datetime, json and list"
            )),
        }
    }
}

/// A column whose cell names a record of another table ("master").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The other table.
    pub table: String,
    /// Its column whose value is stored.
    pub key: String,
    /// The column of the other table that the cell is compared with, whatever the letter case.
    pub match_column: String,
    /// The other columns by which the record is found.
    pub also: Vec<ReferencePart>,
    /// Create the record when it is missing; else a missing one is a row error.
    pub create: bool,
}

/// A table that says which items a record has, a row for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinTable {
    /// The table: `product_tags`.
    pub table: String,
    /// Its column that holds the `id` of the dataset's table: `product_id`.
    pub owner: String,
    /// Its column that holds the key of the item: `tag_id`.
    pub item: String,
    /// The items' own table: `tags`.
    pub reference: Reference,
}

/// A further column by which a record of another table is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferencePart {
    /// The column of the other table.
    pub match_column: String,
    /// The dataset's column whose cells are compared with it.
    pub column: String,
}

impl Reference {
    /// The columns of the other table by which a record is found.
    #[must_use]
    pub fn match_columns(&self) -> Vec<&str> {
        let also = self.also.iter().map(|part| part.match_column.as_str());
        std::iter::once(self.match_column.as_str()).chain(also).collect()
    }
}

/// What a new record gets where its row has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnDefault {
    /// The same in every record.
    Constant(Constant),
    /// The value of another column of the row.
    Column {
        /// Its name.
        name: String,
        /// The letters that it gets.
        case: LetterCase,
    },
    /// When the job was created.
    Now,
    /// A UUID that follows from the job and the row.
    Uuid,
}

/// Which letters a text gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LetterCase {
    /// Those that it has.
    #[default]
    Same,
    /// Capitals.
    Upper,
    /// Small ones.
    Lower,
}

impl LetterCase {
    /// The word of the definition; nothing where letters stay as they are.
    #[must_use]
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Same => None,
            Self::Upper => Some("upper"),
            Self::Lower => Some("lower"),
        }
    }

    /// The text in these letters.
    pub(super) fn of(self, text: &str) -> String {
        match self {
            Self::Same => text.to_owned(),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
        }
    }
}

/// A column of the dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key that is true or false")]
pub struct Column {
    /// The name in API, options and errors: `cost_price`, `category`.
    pub name: String,
    /// The header of the template: `Cost Price`.
    pub title: String,
    /// The column of the table: `cost_price`, `category_id`.
    pub field: String,
    /// What it holds. A reference column is `Text` here: the cell's name of the other record.
    pub kind: ColumnType,
    /// An empty cell, or a file without the column, is a fault.
    pub required: bool,
    /// Characters at most, for texts.
    pub max_length: Option<u32>,
    /// Smallest value, in units of the last digit.
    pub min: Option<i64>,
    /// Largest value, in units of the last digit.
    pub max: Option<i64>,
    /// Its numbers are percents: `18 %` is 18.
    pub percent: bool,
    /// The only values that are allowed, if any are named; compared whatever the letter case.
    pub allowed: Vec<String>,
    /// What a text must look like as a whole.
    pub pattern: Option<Pattern>,
    /// The only forms of days or times; without any, all that have one meaning.
    pub formats: Vec<DateFormat>,
    /// Other names that a header may have.
    pub aliases: Vec<String>,
    /// Names of headers that feed it only where no other header does.
    pub fallback_aliases: Vec<String>,
    /// An empty cell means the default of the table's column, which takes no NULL: a new record gets
    /// it, a stored value stays.
    pub default_when_empty: bool,
    /// What a new record gets where its row has no value; a stored value stays.
    pub default: Option<ColumnDefault>,
    /// Its values are shown to nobody: not in row errors, events, lists, warnings or previews.
    pub sensitive: bool,
    /// What people should know about it.
    pub description: Option<String>,
    /// The other table that the cell names a record of.
    pub reference: Option<Reference>,
    /// The column whose record its cells help to name. They are stored nowhere themselves; `field` is the
    /// column of the other table.
    pub part_of: Option<String>,
    /// The table that its lists go into, a row for each item; `field` is the name of that table and its
    /// column for items then.
    pub join: Option<JoinTable>,
    /// A value for the template's example row.
    pub example: Option<String>,
}

impl Dataset {
    /// A text of a file as it may be shown. One of which nobody knows the column may be of one whose values
    /// nobody sees.
    #[must_use]
    pub fn shown<'a>(&self, column: Option<&Column>, text: &'a str) -> &'a str {
        match column {
            Some(column) => column.shown(text),
            None if self.has_sensitive() && !text.trim().is_empty() => HIDDEN,
            None => text,
        }
    }

    /// True when values of some column are shown to nobody.
    #[must_use]
    pub fn has_sensitive(&self) -> bool {
        self.columns.iter().any(|column| column.sensitive)
    }
}

impl Column {
    /// A text of the column as it may be shown.
    #[must_use]
    pub fn shown<'a>(&self, text: &'a str) -> &'a str {
        if self.sensitive && !text.trim().is_empty() { HIDDEN } else { text }
    }

    /// The dataset's table has a column for it.
    #[must_use]
    pub fn has_field(&self) -> bool {
        self.part_of.is_none() && self.join.is_none()
    }

    /// The records that its cells name: one of a reference, several of a list.
    #[must_use]
    pub fn named_records(&self) -> Option<&Reference> {
        self.reference.as_ref().or_else(|| self.join.as_ref().map(|join| &join.reference))
    }

    /// An empty cell leaves the stored value alone, because it stands for a default.
    #[must_use]
    pub fn empty_is_default(&self) -> bool {
        self.default_when_empty || self.default.is_some()
    }

    /// Every new record has a value, though the column is not required.
    #[must_use]
    pub fn has_sure_default(&self) -> bool {
        match &self.default {
            Some(ColumnDefault::Constant(constant)) => !constant.value().is_empty(),
            Some(ColumnDefault::Now | ColumnDefault::Uuid) => true,
            Some(ColumnDefault::Column { .. }) | None => false,
        }
    }
}

/// A table that keeps the old values of some columns. The current record has no `archived_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The table: `product_prices`.
    pub table: String,
    /// Its column that holds the `id` of the dataset's table: `product_id`.
    pub owner: String,
    /// Indexes of the dataset's columns whose values it keeps, under the same field names.
    pub columns: Vec<usize>,
}

/// What becomes of a record that a mirrored file does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// It is deleted.
    Delete,
    /// A column gets a value that stands for its absence.
    Deactivate {
        /// Index of the column.
        column: usize,
        /// The value, as a cell would have it.
        value: String,
    },
}

/// A dataset, compiled from its definition file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The name in addresses.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// The table that the rows go into.
    pub table: String,
    /// Indexes of the columns that make the key, in the order of the definition.
    pub key: Vec<usize>,
    /// Index of the column that says which of two versions of a record is newer.
    pub version: Option<usize>,
    /// What `mode=mirror` does with records that the file does not have; without it, it is refused.
    pub absent: Option<Absent>,
    /// Loadbay makes the tables that are missing.
    pub create_table: bool,
    /// How an upload is answered.
    pub run: Run,
    /// Jobs into it that may run at the same time, on all servers together.
    pub running_max: u32,
    /// The columns in the order of the definition and the template.
    pub columns: Vec<Column>,
    /// The history tables.
    pub histories: Vec<History>,
}

impl Dataset {
    /// The index of the column called `name`.
    #[must_use]
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The reference that a column is part of, with its column.
    #[must_use]
    pub fn reference_of_part(&self, part: &Column) -> Option<(&Column, &Reference)> {
        let main = part.part_of.as_ref()?;
        let main = self.columns.iter().find(|column| column.name == *main)?;
        Some((main, main.reference.as_ref()?))
    }

    /// For a column whose cells name a record, alone or as a part of its name: the column of the table that
    /// stores the record's key, the reference, and the column of the other table.
    #[must_use]
    pub fn named_by<'a>(&'a self, column: &'a Column) -> Option<(&'a str, &'a Reference, &'a str)> {
        if let Some(reference) = &column.reference {
            return Some((&column.field, reference, &reference.match_column));
        }
        let (main, reference) = self.reference_of_part(column)?;
        Some((&main.field, reference, &column.field))
    }

    /// Gives tables other names: `name` answers the one to use instead.
    pub(super) fn rename_tables(&mut self, name: &dyn Fn(&str) -> Option<String>) {
        let named = self.columns.iter_mut().flat_map(|column| {
            let reference = column.reference.iter_mut().map(|reference| &mut reference.table);
            let joined = column.join.iter_mut();
            reference.chain(joined.flat_map(|join| [&mut join.table, &mut join.reference.table]))
        });
        let tables = std::iter::once(&mut self.table)
            .chain(self.histories.iter_mut().map(|history| &mut history.table))
            .chain(named);
        for table in tables {
            if let Some(other) = name(table) {
                *table = other;
            }
        }
    }

    /// The join tables of its lists.
    pub fn joins(&self) -> impl Iterator<Item = &JoinTable> {
        self.columns.iter().filter_map(|column| column.join.as_ref())
    }

    /// Every table that its rows go into: its own, those of its histories, references and lists.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        let mut tables = vec![self.table.clone()];
        tables.extend(self.histories.iter().map(|history| history.table.clone()));
        let references = self.columns.iter().filter_map(Column::named_records);
        tables.extend(references.map(|reference| reference.table.clone()));
        tables.extend(self.joins().map(|join| join.table.clone()));
        tables
    }
}
