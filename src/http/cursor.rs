//! Pages of lists: a cursor is opaque text that names the entry before the next page.
//!
//! Knows no list's contents.

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
    /// The messages of a webhook, newest first.
    Deliveries,
    /// The differences of one dry run.
    Differences(i64),
}

impl List {
    fn checksum(self, id: i64) -> u64 {
        let text = match self {
            Self::Jobs => format!("jobs {id}"),
            Self::RowErrors(job) => format!("row errors {job} {id}"),
            Self::Superseded(job) => format!("superseded {job} {id}"),
            Self::Deliveries => format!("deliveries {id}"),
            Self::Differences(job) => format!("differences {job} {id}"),
        };
        xxh3_64(text.as_bytes()) & 0xff_ffff
    }

    /// The cursor of the page after the entry `id`.
    pub(super) fn cursor(self, id: i64) -> String {
        format!("{id:x}{:06x}", self.checksum(id))
    }

    /// The entry before the page of a cursor.
    pub(super) fn position(self, cursor: &str) -> Result<i64, Problem> {
        let refused = || {
            Problem::invalid_parameter("cursor", cursor, "the `nextCursor` of the previous page")
        };
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
    /// The entry before the page; `None` for the first page.
    pub(super) after: Option<i64>,
}

impl PageRequest {
    /// Reads `limit` and `cursor` of the query.
    pub(super) fn of(list: List, query: &Query) -> Result<Self, Problem> {
        let rows = query.number("limit", 1..=PAGE_ROWS_MAX)?.unwrap_or(PAGE_ROWS_DEFAULT);
        let after = query.get("cursor").map(|cursor| list.position(cursor)).transpose()?;
        Ok(Self { list, rows, after })
    }

    /// Entries to fetch: one more than the page holds shows whether there is a next page.
    pub(super) fn fetch_limit(&self) -> u64 {
        self.rows + 1
    }

    /// Truncates the fetched entries to the page and returns the cursor of the next one. `id`
    /// gives the id of an entry.
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
