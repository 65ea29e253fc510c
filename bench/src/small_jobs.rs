//! Many files of three rows: how many jobs a second one server ends. What a job costs besides its
//! rows is nearly all of it.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::files::{BenchFile, Content, Format};
use crate::http::Connection;
use crate::server::{self, Server};

/// Rows of each file.
const ROWS: u32 = 3;

/// Clients that upload at a time.
const CLIENTS: usize = 2;

/// Loads so many files by a server of its own; from the first upload to the end of the last job.
pub(crate) fn run(
    binary: &Path,
    cache: &Path,
    database: Option<&str>,
    jobs: u32,
) -> Result<Duration> {
    let work = tempfile::tempdir_in(cache)?;
    let parts = (0..jobs).map(|job| part(work.path(), job)).collect::<Result<Vec<_>>>()?;
    let server = Server::start(binary, &work.path().join("data"), database)?;
    let begin = Instant::now();
    let last = upload(&server, &parts)?;
    let mut connection = Connection::open(server.address())?;
    for job in last {
        server::wait_for_end(&mut connection, &format!("/api/v1/import/status/{job}"))?;
    }
    let took = begin.elapsed();
    server.stop()?;
    Ok(took)
}

/// A file with new products.
fn part(folder: &Path, job: u32) -> Result<BenchFile> {
    let rows = (0..ROWS).map(|row| format!("J{job}-{row},Product {row},{job}.50\n"));
    let text = format!("SKU,Name,Selling Price\n{}", rows.collect::<String>());
    let path = folder.join(format!("part{job}.csv"));
    fs::write(&path, &text)?;
    let (content, format) = (Content::Fresh, Format::Csv);
    Ok(BenchFile { path, content, format, rows: ROWS, bytes: text.len() as u64 })
}

/// Uploads the files by several clients, and gives the last job of each.
fn upload(server: &Server, parts: &[BenchFile]) -> Result<Vec<u64>> {
    let one = |client: usize| -> Result<u64> {
        let mut connection = Connection::open(server.address())?;
        let mut last = 0;
        for part in parts.iter().skip(client).step_by(CLIENTS) {
            let (answer, _) = connection.upload("/api/v1/import/products", part)?;
            ensure!(answer.status == 202, "{}: {}", answer.status, answer.json);
            last = server::member(&answer.json, "/data/jobId")?;
        }
        Ok(last)
    };
    thread::scope(|scope| {
        let one = &one;
        let clients: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || one(client))).collect();
        let died = |_| anyhow::anyhow!("a thread of the client died");
        clients.into_iter().map(|client| client.join().map_err(died)?).collect()
    })
}
