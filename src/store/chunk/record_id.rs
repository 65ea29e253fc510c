//! What a row stores to refer to a record of another table.

use std::sync::Arc;

use uuid::Uuid;

/// The key of a record of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum RecordId {
    /// Loadbay gives new records theirs.
    Uuid(Uuid),
    /// The database counts them.
    Integer(i64),
    /// The record's own text, such as the code of a country.
    Text(Arc<str>),
}

/// Which of them the other table has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::store) enum KeyKind {
    #[default]
    Uuid,
    Integer,
    Text,
}
