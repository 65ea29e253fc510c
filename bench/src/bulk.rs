//! The same rows in one file and in many files of one upload: what a bulk costs besides its rows. The
//! server may run under a hard limit of memory.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::cgroup::Cgroup;
use crate::files::{self, Content, Format};
use crate::http::Connection;
use crate::server::{self, Listeners, Server};

/// Longest time that one bulk may take.
const BULK_LIMIT: Duration = Duration::from_mins(15);

/// What is imported, and by which program.
#[derive(Debug)]
pub(crate) struct Bulk<'a> {
    pub(crate) binary: &'a Path,
    pub(crate) cache: &'a Path,
    /// Files of the bulk.
    pub(crate) files: u32,
    /// Rows in all.
    pub(crate) rows: u32,
    /// Millions of bytes that the server may use.
    pub(crate) memory_limit: Option<u64>,
}

/// What one import was seen to take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timed {
    is_bulk: bool,
    /// From the start of the upload to the end of the last job.
    pub(crate) took: Duration,
    /// Most memory that the server had resident, in KiB.
    pub(crate) server_kib: u64,
}

impl fmt::Display for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_bulk { "a bulk" } else { "one file" };
        let peak = self.server_kib * 1024 / 1_000_000;
        write!(f, "{what} {:.2?}, server peak {peak} MB", self.took)
    }
}

impl Bulk<'_> {
    /// Imports the rows by a server of its own.
    pub(crate) fn run(&self, is_bulk: bool, database: Option<&str>) -> Result<Timed> {
        let work = tempfile::tempdir_in(self.cache)?;
        let cgroup = self.memory_limit.map(|limit| Cgroup::new(limit * 1_000_000)).transpose()?;
        let data = work.path().join("data");
        let parts =
            if is_bulk { files::parts(work.path(), self.rows, self.files)? } else { vec![] };
        let server = Server::start_in(self.binary, &data, database, &[], cgroup.as_ref())?;
        let took = if is_bulk {
            let begin = Instant::now();
            let mut connection = Connection::open(server.address())?;
            let answer = connection.upload_all("/api/v1/import/products", &parts)?;
            ensure!(answer.status == 202, "the upload was answered: {}", answer.json);
            let status = answer.json.pointer("/data/statusUrl").and_then(Value::as_str);
            let bulk = wait_for_end(&mut connection, status.context("a status")?)?;
            let created = server::member(&bulk, "/data/counts/created")?;
            ensure!(created == u64::from(self.rows), "{created} rows were created: {bulk}");
            begin.elapsed()
        } else {
            let file = files::file(self.cache, Content::Fresh, Format::Csv, self.rows)?;
            server.import(&file, Listeners::default())?.took
        };
        let server_kib = server.peak_kib()?;
        server.stop()?;
        Ok(Timed { is_bulk, took, server_kib })
    }
}

/// Waits until all files of the bulk are imported.
fn wait_for_end(connection: &mut Connection, path: &str) -> Result<Value> {
    let limit = Instant::now() + BULK_LIMIT;
    loop {
        let answer = connection.get(&format!("{path}?wait=20"))?;
        ensure!(answer.status == 200, "the status was answered {}", answer.status);
        match answer.json.pointer("/data/status").and_then(Value::as_str) {
            Some("completed") => return Ok(answer.json),
            Some("pending" | "processing") => {}
            _ => bail!("the bulk ended so: {}", answer.json),
        }
        ensure!(Instant::now() < limit, "the bulk takes too long: {}", answer.json);
    }
}
