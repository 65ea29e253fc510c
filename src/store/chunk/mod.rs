//! A chunk of a job on its way into the database: what it writes to, what it says about its rows, and
//! Loadbay's own rows about it. The same for both databases.

pub(super) mod chunk_keys;
pub(super) mod differences;
pub(super) mod events;
pub(super) mod fence;
pub(super) mod key_json;
pub(super) mod ledger;
pub(super) mod list_sql;
pub(super) mod open;
pub(super) mod outcome;
pub(in crate::store) mod packed_outcomes;
pub(super) mod protocol;
pub(super) mod quota;
pub(super) mod record_id;
pub(super) mod references;
pub(super) mod row_outcomes;
pub(super) mod rows;
pub(super) mod target;
pub(super) mod whole_file;
pub(super) mod writer;
