//! Loadbay itself: the real binary, one upload, and what can be seen of it from outside while it
//! works.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::cgroup::Cgroup;
use crate::files::BenchFile;
use crate::http::{self, Connection};

/// The time between two polls of the status.
const POLL: Duration = Duration::from_millis(10);

/// Longest time that one import may take.
const IMPORT_LIMIT: Duration = Duration::from_mins(15);

/// Who listens to the events of an import while it runs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Listeners {
    /// Those who hear progress.
    pub(crate) progress: u32,
    /// One hears what becomes of every row.
    pub(crate) every_row: bool,
}

impl Listeners {
    /// True when somebody listens.
    pub(crate) fn any(self) -> bool {
        self.progress > 0 || self.every_row
    }

    /// What each of them asks for.
    fn queries(self) -> impl Iterator<Item = &'static str> {
        let progress = (0..self.progress).map(|_| "rows=none");
        progress.chain(self.every_row.then_some("rows=all"))
    }
}

/// What one import was seen to take.
#[derive(Debug)]
pub(crate) struct Import {
    /// From the start of the upload to `completed`.
    pub(crate) took: Duration,
    /// From the last byte of the file to the 202.
    pub(crate) accepted_after: Duration,
    /// Answers to the polls, in ascending order.
    pub(crate) polls: Vec<Duration>,
    /// Most memory that the server had resident, in KiB.
    pub(crate) server_kib: u64,
    /// Most memory that a child of it had resident, in KiB; 0 when there was none.
    pub(crate) child_kib: u64,
    /// Bytes of events that were sent.
    pub(crate) heard: u64,
}

/// A running server; killed with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts the binary on a data folder; without an address of a database on its own SQLite.
    pub(crate) fn start(binary: &Path, data: &Path, database: Option<&str>) -> Result<Self> {
        Self::start_with(binary, data, database, &[])
    }

    /// The same with more settings.
    pub(crate) fn start_with(
        binary: &Path,
        data: &Path,
        database: Option<&str>,
        settings: &[(&str, String)],
    ) -> Result<Self> {
        Self::start_in(binary, data, database, settings, None)
    }

    /// The same inside of a cgroup.
    pub(crate) fn start_in(
        binary: &Path,
        data: &Path,
        database: Option<&str>,
        settings: &[(&str, String)],
        cgroup: Option<&Cgroup>,
    ) -> Result<Self> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
        command.current_dir(data.parent().context("the data folder is in a folder")?);
        command.env_clear().env("LC_ALL", "C.UTF-8").env("RUST_LOG", "warn");
        if let Some(database) = database {
            command.env("DATABASE_URL", database);
        }
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("{} cannot be started", binary.display()))?;
        if let Some(cgroup) = cgroup {
            cgroup.take_in(child.id())?;
        }
        let output = BufReader::new(child.stdout.take().context("its output")?);
        let mut server = Self { child, address: String::new() };
        let (lines, first) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        let limit = Instant::now() + Duration::from_mins(1);
        while server.address.is_empty() {
            let line = first
                .recv_timeout(limit.saturating_duration_since(Instant::now()))
                .context("the server does not say where it listens")?;
            if let Some(address) = line.trim().strip_prefix("Loadbay listens on http://") {
                address.trim_end_matches('/').clone_into(&mut server.address);
            }
        }
        Ok(server)
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The most memory that it had resident so far.
    pub(crate) fn peak_kib(&self) -> Result<u64> {
        peak_kib(self.child.id()).context("the server's memory")
    }

    /// Asks the server to stop and waits for that.
    pub(crate) fn stop(mut self) -> Result<()> {
        let id =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("its number")?;
        kill_process(id, Signal::TERM)?;
        let limit = Instant::now() + Duration::from_mins(1);
        while Instant::now() < limit {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status}");
                return Ok(());
            }
            thread::sleep(POLL);
        }
        bail!("the server did not stop")
    }

    /// Imports a file into the products.
    pub(crate) fn import(&self, file: &BenchFile, listeners: Listeners) -> Result<Import> {
        let mut connection = Connection::open(&self.address)?;
        let begin = Instant::now();
        let (answer, accepted_after) = connection.upload("/api/v1/import/products", file)?;
        ensure!(answer.status == 202, "the upload was answered {}: {}", answer.status, answer.json);
        let job = member(&answer.json, "/data/jobId")?;
        let status_path = format!("/api/v1/import/status/{job}");
        let events = |query| format!("/api/v1/import/jobs/{job}/events?{query}");

        let is_done = AtomicBool::new(false);
        let died = |_| anyhow::anyhow!("a thread of the client died");
        thread::scope(|scope| -> Result<_> {
            let listening: Vec<_> = listeners
                .queries()
                .map(|query| scope.spawn(move || http::listen(&self.address, &events(query))))
                .collect();
            let watcher = scope.spawn(|| self.poll(&status_path, &is_done));
            let ended = wait_for_end(&mut connection, &status_path);
            let took = begin.elapsed();
            is_done.store(true, Ordering::Relaxed);
            let (polls, child_kib) = watcher.join().map_err(died)??;
            check_counts(&ended?, file)?;
            let mut heard = 0;
            for listener in listening {
                heard += listener.join().map_err(died)??;
            }
            let server_kib = self.peak_kib()?;
            Ok(Import { took, accepted_after, polls, server_kib, child_kib, heard })
        })
    }

    /// Asks for the status every 10 ms on a connection of its own, and looks after the children.
    fn poll(&self, path: &str, is_done: &AtomicBool) -> Result<(Vec<Duration>, u64)> {
        let mut connection = Connection::open(&self.address)?;
        let (mut polls, mut child_kib) = (Vec::new(), 0);
        while !is_done.load(Ordering::Relaxed) {
            let begin = Instant::now();
            let answer = connection.get(path)?;
            let took = begin.elapsed();
            ensure!(answer.status == 200, "a poll was answered {}", answer.status);
            polls.push(took);
            if polls.len() % 5 == 1 {
                child_kib = child_kib.max(children_peak_kib(self.child.id()));
            }
            thread::sleep(POLL.saturating_sub(took));
        }
        polls.sort_unstable();
        Ok((polls, child_kib))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The database file that a server made in its data folder.
pub(crate) fn database_file(data: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(data)?.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .find(|path| path.extension().is_some_and(|name| name == "sqlite" || name == "db"))
        .context("the server made no SQLite database")
}

/// Waits until the job with this status has completed.
pub(crate) fn wait_for_end(connection: &mut Connection, path: &str) -> Result<Value> {
    let limit = Instant::now() + IMPORT_LIMIT;
    loop {
        let answer = connection.get(&format!("{path}?wait=20"))?;
        ensure!(answer.status == 200, "the status was answered {}", answer.status);
        match answer.json.pointer("/data/status").and_then(Value::as_str) {
            Some("completed") => return Ok(answer.json),
            Some("pending" | "processing") => {}
            _ => bail!("the import ended so: {}", answer.json),
        }
        ensure!(Instant::now() < limit, "the import takes too long: {}", answer.json);
    }
}

/// A number of an answer.
pub(crate) fn member(json: &Value, pointer: &str) -> Result<u64> {
    json.pointer(pointer).and_then(Value::as_u64).with_context(|| format!("{pointer} in {json}"))
}

fn check_counts(status: &Value, file: &BenchFile) -> Result<()> {
    let (created, updated) = file.content.expected(file.rows);
    let expected = [("created", created), ("updated", updated), ("unchanged", 0), ("failed", 0)];
    for (name, count) in expected {
        let found = member(status, &format!("/data/counts/{name}"))?;
        ensure!(found == u64::from(count), "{name} is {found} and should be {count}: {status}");
    }
    Ok(())
}

/// The most memory that a process had resident so far.
fn peak_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status_value(&status, "VmHWM:")
}

fn status_value(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// The most memory that any child of the process that still runs had resident so far.
fn children_peak_kib(parent: u32) -> u64 {
    let Ok(processes) = fs::read_dir("/proc") else { return 0 };
    let peaks = processes.filter_map(|entry| {
        let process: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        (status_value(&status, "PPid:")? == u64::from(parent))
            .then(|| status_value(&status, "VmHWM:"))?
    });
    peaks.max().unwrap_or_default()
}
