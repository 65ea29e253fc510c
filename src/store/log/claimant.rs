//! A server that claims jobs, and how many of them may run at a time.

use std::time::Duration;

/// A server that claims jobs.
#[derive(Debug, Clone)]
pub struct Claimant {
    /// The server's id.
    pub owner: String,
    /// Where files lie that it can read.
    pub storage_locations: Vec<String>,
    /// How long it keeps a job without a sign of life.
    pub lease: Duration,
    /// The datasets that it has. Jobs of others wait for a server that has them; where there is no
    /// other server, they are taken all the same, to be ended.
    pub datasets: Vec<String>,
    /// It claims new uploads of these datasets and nothing else; without a list whatever there is.
    pub only: Option<Vec<String>>,
    /// How many jobs may run of which datasets.
    pub limits: Vec<TableConcurrency>,
    /// Jobs that it still works on, even if they belong to another server by now. It does not claim
    /// them before that is over.
    pub busy_with: Vec<i64>,
    /// It claims jobs whose file is to be downloaded, and no others; else it leaves these out.
    pub downloads: bool,
    /// It may own jobs that it does not know of: an earlier process of it left them behind, or the
    /// answer to a claim was lost.
    pub has_unknown_claims: bool,
}

/// How many jobs may write to one table at the same time, on all servers together.
#[derive(Debug, Clone)]
pub struct TableConcurrency {
    /// The datasets that write to it.
    pub datasets: Vec<String>,
    /// Jobs at most.
    pub running_max: u32,
}
