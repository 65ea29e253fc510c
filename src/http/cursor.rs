//! Where the next page of a list begins, as clients see it: text without a meaning for them.

use xxhash_rust::xxh3::xxh3_64;

use super::problem::Problem;
use super::query::Query;
use crate::domain::limits::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX};

/// The lists that have pages. A cursor fits only the list that gave it.
#[derive(Debug, Clone, Copy)]
pub(super) enum List {
    /// Jobs, newest first.
    Jobs,
    /// The row errors of one job.
    RowErrors(i64),
    /// The superseded rows of one job.
    Superseded(i64),
}

impl List {
    fn checksum(self, id: i64) -> u64 {
        let text = match self {
            Self::Jobs => format!("jobs {id}"),
            Self::RowErrors(job) => format!("row errors {job} {id}"),
            Self::Superseded(job) => format!("superseded {job} {id}"),
        };
        xxh3_64(text.as_bytes()) & 0xff_ffff
    }

    /// The cursor behind the entry `id`.
    pub(super) fn cursor(self, id: i64) -> String {
        format!("{id:x}{:06x}", self.checksum(id))
    }

    /// The entry that a cursor stands behind.
    pub(super) fn position(self, cursor: &str) -> Result<i64, Problem> {
        let refused =
            || Problem::invalid_parameter("cursor", cursor, "the `nextCursor` of the page before");
        let (id, _) =
            cursor.split_at_checked(cursor.len().saturating_sub(6)).ok_or_else(refused)?;
        let id = i64::from_str_radix(id, 16).map_err(|_| refused())?;
        if self.cursor(id) == cursor { Ok(id) } else { Err(refused()) }
    }
}

/// The part of a list that a request asks for by `limit` and `cursor`.
#[derive(Debug)]
pub(super) struct PageRequest {
    list: List,
    rows: u64,
    /// The entry that it begins behind; `None` at the start.
    pub(super) after: Option<i64>,
}

impl PageRequest {
    /// Reads what the request asks for.
    pub(super) fn of(list: List, query: &Query) -> Result<Self, Problem> {
        let rows = query.number("limit", 1..=PAGE_ROWS_MAX)?.unwrap_or(PAGE_ROWS_DEFAULT);
        let after = query.get("cursor").map(|cursor| list.position(cursor)).transpose()?;
        Ok(Self { list, rows, after })
    }

    /// Entries to look up: one more than the page has shows whether there is a next one.
    pub(super) fn fetch_limit(&self) -> u64 {
        self.rows + 1
    }

    /// Cuts what was found to the page; gives the cursor of the next one. `id` is what a cursor
    /// stands behind.
    pub(super) fn truncate<T>(&self, found: &mut Vec<T>, id: impl Fn(&T) -> i64) -> Option<String> {
        let more = found.len() as u64 > self.rows;
        found.truncate(usize::try_from(self.rows).unwrap_or(usize::MAX));
        found.last().filter(|_| more).map(|last| self.list.cursor(id(last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_entry_in_its_own_list_only() {
        for id in [0, 1, 123, i64::MAX] {
            let cursor = List::Jobs.cursor(id);
            assert_eq!(List::Jobs.position(&cursor).unwrap(), id);
            assert!(List::RowErrors(1).position(&cursor).is_err());
        }
        for bad in ["", "x", "123", "ü€", "7b000000", "-7b123456"] {
            assert!(List::Jobs.position(bad).is_err(), "{bad}");
        }
    }
}
