//! Whatever fails at whichever step, in whichever way: the job ends in the tables and counts of an
//! undisturbed run. Every named place × {error, panic, abort, sleep past the lease} × {SQLite,
//! PostgreSQL}, each on a server of its own.

mod goods;
mod grounds;
mod places;

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::*;
use grounds::{Ground, UNDONE, Work};
use places::{Case, During, How, PLACES, Place};
use reqwest::{Body, Method, RequestBuilder};
use serde_json::Value;
use tokio::sync::Semaphore;

/// Servers at a time; most of them wait.
static TOGETHER: Semaphore = Semaphore::const_new(6);

/// Longest time that one case may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// How long a client waits for an answer before it asks again, as one does that lost its server.
const ASK_AGAIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_on_sqlite_ends_as_if_there_had_been_none() {
    every_fault(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_on_postgres_ends_as_if_there_had_been_none() {
    every_fault(Kind::Postgres).await;
}

#[test]
fn every_place_of_the_sources_is_tried() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut waiting = vec![root];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.file_name().is_some_and(|name| name != "faults.rs") {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let places = text.split("fault!(\"").skip(1);
            found.extend(places.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    found.sort();
    found.dedup();
    // Not a place of its own: it is where the disk is full. No job comes through what removes files
    // (tests/storage).
    // Uploads are no downloads (tests/far). What follows a job is no part of it (tests/search, tests/webhooks).
    let elsewhere = ["retention.", "download", "outbox.", "search.", "webhooks."];
    let is_elsewhere = |name: &str| elsewhere.iter().any(|start| name.starts_with(start));
    found.retain(|name| name != "chunk.disk_full" && !is_elsewhere(name));
    let mut tried = PLACES.map(|place| place.name.to_owned()).to_vec();
    tried.sort();
    tried.dedup();
    assert_eq!(found, tried);
}

async fn every_fault(kind: Kind) {
    let mut grounds: Vec<Arc<Ground>> = Vec::new();
    for case in Case::all() {
        if ground_of(&grounds, case).is_none() {
            let ground = Ground::prepare(kind, case.place.subject, case.place.during.work()).await;
            grounds.push(Arc::new(ground));
        }
    }
    let mut cases = tokio::task::JoinSet::new();
    for case in Case::all() {
        let ground = ground_of(&grounds, case).unwrap();
        cases.spawn(async move {
            let place = TOGETHER.acquire().await.unwrap();
            let began = Instant::now();
            let run = suffer(ground, case).await;
            eprintln!("{kind:?}: {case}: {} ms", began.elapsed().as_millis());
            drop(place);
            // To drop a database waits for all sessions that are just beginning: for those of this
            // thread's other cases, too.
            tokio::task::spawn_blocking(move || drop(run)).await.unwrap();
        });
    }
    let mut broken = 0;
    while let Some(ended) = cases.join_next().await {
        broken += usize::from(ended.is_err());
    }
    assert_eq!(broken, 0, "so many cases ended otherwise; see above");
}

fn ground_of(grounds: &[Arc<Ground>], case: Case) -> Option<Arc<Ground>> {
    let Place { subject, during, .. } = case.place;
    let is_it = |it: &&Arc<Ground>| it.subject == subject && it.work == during.work();
    grounds.iter().find(is_it).map(Arc::clone)
}

/// A server on which one place fails once.
struct Run {
    case: Case,
    ground: Arc<Ground>,
    server: Server,
    /// The process ended, as it was told to.
    aborted: bool,
}

async fn suffer(ground: Arc<Ground>, case: Case) -> Run {
    let points = case.failpoints();
    let settings =
        ground.settings(&[("LOADBAY_LEASE", case.lease()), ("FAILPOINTS", points.as_str())]);
    let mut server = ground.origin.copy(&settings).await;
    // A place on the way of a claim may be reached before the server listens.
    let is_up = server.starts();
    assert!(is_up || case.how == How::Abort, "{case}: {}", server.log());
    let mut run = Run { case, ground, server, aborted: false };
    if !is_up {
        run.starts_again().await;
    }
    let job = run.deliver().await;
    match case.place.during {
        During::Stop => run.stop_in_the_middle(job).await,
        During::Control => run.pause_and_resume(job).await,
        During::Import | During::Workbook | During::Full | During::WholeFile | During::Rollback => {
        }
    }
    run.ends(job).await;
    // A server may be asleep between the commit of the end and telling it.
    let status = run.server.finished(job).await;
    assert_eq!(status["status"], "completed", "{case}: {status}\n{}", run.server.log());
    assert_eq!(status["counts"], run.ground.counts, "{case}");
    let contents = run.ground.subject.contents(&run.server).await;
    assert!(contents == run.ground.contents, "{case}: the tables differ");
    check_guarantees(&run.server, job).await;
    let jobs = run.server.database.number("select count(*) from import_log").await;
    let expected = if run.ground.work == Work::Rollback { 3 } else { 2 };
    assert_eq!(jobs, expected, "{case}: the wish made another job");
    assert!(run.server.is_running(), "{case}: the server ended:\n{}", run.server.log());
    run
}

impl Run {
    /// What is asked for: an upload, or a rollback.
    fn wish(&self) -> RequestBuilder {
        let post = |path: &str| {
            self.server.request(Method::POST, path).header("idempotency-key", "the-wish")
        };
        let Ground { subject, work, .. } = &*self.ground;
        let import = format!("/api/v1/import/{}", subject.dataset());
        let (name, bytes) = match (work, self.case.place.during) {
            (Work::Rollback, _) => {
                return post(&format!("/api/v1/import/jobs/{UNDONE}/rollback"));
            }
            (Work::WholeFile, _) => {
                return post(&format!("{import}?atomic=true"))
                    .header("content-type", "text/csv")
                    .body(subject.whole_file());
            }
            (Work::Import, During::Workbook) => ("rows.xlsx", workbook(&subject.file())),
            (Work::Import, _) => ("rows.csv", subject.file().into_bytes()),
        };
        post(&import)
            .header("content-type", "application/octet-stream")
            .header("content-disposition", format!("attachment; filename=\"{name}\""))
            .body(Body::from(bytes))
    }

    /// Asks until it is accepted, always with the same key.
    async fn deliver(&mut self) -> i64 {
        let limit = Instant::now() + PATIENCE;
        loop {
            let request = self.wish().timeout(ASK_AGAIN);
            let Ok(answer) = request.send().await else {
                self.look_after();
                assert!(Instant::now() < limit, "{}: no answer", self.case);
                before_the_next_look().await;
                continue;
            };
            let status = answer.status();
            let json: Value = answer.json().await.unwrap_or_default();
            if status.is_success() {
                return json["data"]["jobId"].as_i64().expect("a job number");
            }
            assert!(status.is_server_error(), "{}: {status}: {json}", self.case);
            assert!(Instant::now() < limit, "{}: {status}: {json}", self.case);
            before_the_next_look().await;
        }
    }

    /// The process may end when it is told to, and never else; then it is started again.
    fn look_after(&mut self) {
        let Some(status) = self.server.ended() else { return };
        let was_told = self.case.how == How::Abort && !self.aborted;
        assert!(
            was_told && status.signal() == Some(6),
            "{}: the server ended with {status}:\n{}",
            self.case,
            self.server.log()
        );
        self.aborted = true;
        self.server.restart_with(&self.ground.settings(&[]));
    }

    /// The process ended before it listened: it has no address to ask at.
    async fn starts_again(&mut self) {
        let limit = Instant::now() + PATIENCE;
        while !self.aborted {
            assert!(Instant::now() < limit, "{}: the server does not end", self.case);
            before_the_next_look().await;
            self.look_after();
        }
    }

    async fn comes_to_its_middle(&self, job: i64) {
        let chunk =
            format!("select count(*) from import_log where id = {job} and processed_rows > 0");
        wait_until!(
            self.server.database.number(&chunk).await > 0,
            "{}: no chunk is committed",
            self.case
        );
    }

    /// Asks for each until it is done, or was done although nobody heard of it.
    async fn pause_and_resume(&mut self, job: i64) {
        self.comes_to_its_middle(job).await;
        let limit = Instant::now() + PATIENCE;
        for action in ["pause", "resume"] {
            let path = format!("/api/v1/import/jobs/{job}/{action}");
            loop {
                assert!(Instant::now() < limit, "{}: no {action}", self.case);
                let answer = self.server.request(Method::POST, &path).send().await;
                match answer.map(|answer| answer.status().as_u16()) {
                    Ok(200 | 409) => break,
                    Ok(status) => assert!(status >= 500, "{}: {action}: {status}", self.case),
                    Err(_) => self.look_after(),
                }
                before_the_next_look().await;
            }
        }
    }

    async fn stop_in_the_middle(&mut self, job: i64) {
        self.comes_to_its_middle(job).await;
        let status = self.server.terminate();
        self.aborted = status.signal() == Some(6);
        let as_told = if self.case.how == How::Abort { self.aborted } else { status.success() };
        assert!(as_told, "{}: {status}:\n{}", self.case, self.server.log());
        self.server.restart_with(&self.ground.settings(&[]));
    }

    /// Waits for the end of the job.
    async fn ends(&mut self, job: i64) {
        let open =
            format!("select count(*) from import_log where id = {job} and completed_at is null");
        let limit = Instant::now() + PATIENCE;
        while self.server.database.number(&open).await != 0 {
            self.look_after();
            assert!(
                Instant::now() < limit,
                "{}: the job does not end:\n{}",
                self.case,
                self.server.log()
            );
            if self.case.place.during == During::Full {
                // Room is there again, and nobody waits for the next try.
                let now =
                    "update import_log set resume_at = created_at where resume_at is not null";
                self.server.database.execute(now).await;
            }
            before_the_next_look().await;
        }
        // The place may lie behind the last commit.
        while !self.has_struck() {
            let (case, log) = (self.case, self.server.log());
            assert!(Instant::now() < limit, "{case}: the place was not reached:\n{log}");
            before_the_next_look().await;
            self.look_after();
        }
    }

    /// The place was reached.
    fn has_struck(&self) -> bool {
        let log = self.server.log();
        match self.case.how {
            How::Error => log.contains(&format!("failpoint=\"{}\"", self.case.place.name)),
            How::Panic => log.contains("panicked") && log.contains(self.case.place.name),
            How::Abort => self.aborted,
            // It leaves no trace, but the others at the same place do.
            How::Sleep => true,
        }
    }
}

/// The same cells as texts of a sheet.
fn workbook(csv: &str) -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, line) in (0..).zip(csv.lines()) {
        for (column, cell) in (0..).zip(line.split(',')) {
            sheet.write(row, column, cell).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}
