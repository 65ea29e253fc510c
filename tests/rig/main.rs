//! The black-box rig: the real program and a PostgreSQL of its own import hundreds of thousands of
//! rows while they are killed, frozen, stopped and cut off, and in the end no row is lost or
//! doubled and every count is right. What a plain map in memory says is right.
//!
//! Settings: `LOADBAY_RIG_SEED` draws the same harm again; with `LOADBAY_RIG_MINUTES` it goes on for
//! so long, else until each database saw every kind of harm and `LOADBAY_RIG_KILLS` kills.
//! `scripts/rig` sets them; without it the rig is short, as one of the tests.

#![allow(clippy::allow_attributes, reason = "as in the module `support`")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

mod disk;
mod draw;
mod expect;
mod files;
mod harm;
mod proxy;
mod suffer;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use draw::Draw;
use expect::{Counts, Model};
use futures_util::FutureExt;
use harm::Harm;
use support::{Kind, check_guarantees};
use world::World;

/// Kills of a run that is one of the tests.
const KILLS: u64 = 12;

/// How long the rig goes on.
#[derive(Debug)]
struct Budget {
    began: Instant,
    minutes: Option<u64>,
    kills: u64,
    /// The chances of a run without minutes that did not come yet.
    deck: Vec<u64>,
    draw: Draw,
}

impl Budget {
    fn is_spent(&self, tally: &Tally) -> bool {
        match self.minutes {
            Some(minutes) => self.began.elapsed() >= Duration::from_secs(60 * minutes),
            None => tally.kills >= self.kills && self.deck.is_empty(),
        }
    }

    /// The next harm.
    fn harm(&mut self, kind: Kind) -> Harm {
        if self.minutes.is_none() && self.deck.is_empty() {
            self.deck = harm::deck(&mut self.draw);
        }
        let chance = self.deck.pop();
        Harm::draw(&mut self.draw, kind, chance)
    }
}

/// What happened, and what was wrong.
#[derive(Debug, Default)]
struct Tally {
    blows: BTreeMap<&'static str, u64>,
    kills: u64,
    rounds: u32,
    rows: u64,
    jobs: usize,
    lost: u64,
    doubled: u64,
    wrong: u64,
    faults: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    run(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    run(Kind::Postgres).await;
}

fn setting(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "the rig has no configuration")]
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Past the test's capture, so that it is seen in every log.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

async fn run(kind: Kind) {
    let seed = setting("LOADBAY_RIG_SEED")
        .unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 % 1_000_000);
    let mut budget = Budget {
        began: Instant::now(),
        minutes: setting("LOADBAY_RIG_MINUTES"),
        kills: setting("LOADBAY_RIG_KILLS").unwrap_or(KILLS),
        deck: Vec::new(),
        draw: Draw::new(seed, "harm"),
    };
    say(&format!("rig on {kind:?}: seed {seed}"));
    let mut world = World::start(kind, if kind == Kind::Sqlite { 1 } else { 2 });
    let (mut tally, mut model) = (Tally::default(), Model::default());
    while tally.rounds == 0 || !budget.is_spent(&tally) {
        if tally.rounds == 1 && kind == Kind::Postgres {
            world.add_server(tempfile::tempdir().unwrap());
        }
        round(&mut world, &mut tally, seed, &mut budget).await;
        judge(&mut world, &mut model, &mut tally).await;
        tally.rounds += 1;
    }
    report(kind, seed, &budget, &tally, &world, &model);
}

/// Uploads all files of a round and does harm until their jobs have ended.
async fn round(world: &mut World, tally: &mut Tally, seed: u64, budget: &mut Budget) {
    let mut files = files::of_round(seed, tally.rounds);
    Draw::new(seed, "order").shuffle(&mut files);
    // The last are taken first: the large one runs while the others come and go.
    files.sort_by_key(|file| file.rows == files::LARGE);
    let unfinished = "select count(*) from import_log \
                      where import_status in ('PENDING', 'PROCESSING', 'PAUSED')";
    loop {
        if budget.is_spent(tally) {
            while let Some(file) = files.pop() {
                world.deliver(file).await;
            }
        }
        world.feed(&mut files).await;
        if files.is_empty() && world.database.number(unfinished).await == 0 {
            break;
        }
        if budget.is_spent(tally) {
            world.until("all jobs end", unfinished).await;
            continue;
        }
        let harm = budget.harm(world.database.kind());
        world.steady(harm.attempts).await;
        let now = budget.began.elapsed().as_secs_f32();
        let kind = world.database.kind();
        eprintln!("{} {now:6.1} s  {kind:?}: {harm}", chrono::Utc::now().format("%T%.3f"));
        let servers = world.servers.len();
        if world.suffer(&harm, &mut files).await {
            *tally.blows.entry(harm.blow.name()).or_default() += 1;
            tally.kills += harm.blow.kills(servers);
        }
    }
    world.check_alive();
}

/// Compares the jobs of the round and the tables with the model.
async fn judge(world: &mut World, model: &mut Model, tally: &mut Tally) {
    let delivered: Vec<_> = world.delivered.drain(..).collect();
    tally.jobs += delivered.len();
    let stored = world.database.number("select count(*) from import_log").await;
    if stored != delivered.len() as u64 {
        tally.wrong += 1;
        tally.faults.push(format!("{stored} jobs came of {} files", delivered.len()));
    }
    for it in &delivered {
        tally.rows += u64::from(it.file.rows);
        let expected = model.apply(&it.file);
        let found = outcome_of(world, it.job).await;
        if found != (String::from("COMPLETED"), expected) {
            tally.wrong += 1;
            let name = it.file.name();
            let log = log_of(world, it.job).await;
            tally
                .faults
                .push(format!("job {} of {name}: {found:?}, not {expected:?}{log}", it.job));
            continue;
        }
        // The server that has the job's files knows all of it.
        let place = format!("select source_server from import_log where id = {}", it.job);
        let place = world.database.value(&place).await;
        let has_it = |server: &&support::Server| {
            std::fs::read_to_string(server.data_dir().join("server-id"))
                .is_ok_and(|id| id.trim() == place)
        };
        let server = world.servers.iter().find(has_it).unwrap_or(&world.servers[0]);
        if AssertUnwindSafe(check_guarantees(server, it.job)).catch_unwind().await.is_err() {
            tally.wrong += 1;
            tally.faults.push(format!("job {} broke a guarantee; see above", it.job));
        }
    }
    let difference = model.compare(&world.database).await;
    tally.lost += difference.lost;
    tally.doubled += difference.doubled;
    tally.faults.extend(difference.examples);
    for it in &delivered {
        world.forget(it.job).await;
    }
}

async fn outcome_of(world: &World, job: i64) -> (String, Counts) {
    let sql = format!(
        "select import_status, created_count, updated_count, unchanged_count, superseded_count, \
         error_count from import_log where id = {job}"
    );
    let row = world.database.rows(&sql).await.concat();
    let count = |index: usize| row[index].parse().expect("a count");
    (row[0].clone(), [count(1), count(2), count(3), count(4), count(5)])
}

/// What is known of a job that ended otherwise than it should.
async fn log_of(world: &World, job: i64) -> String {
    let sql = format!("select error_code, error_message from import_log where id = {job}");
    let mut lines = vec![world.database.rows(&sql).await.concat().join(": ")];
    for (server, log) in world.servers.iter().map(support::Server::log).enumerate() {
        let of_job = log.lines().filter(|line| line.contains(&format!("job={job} ")));
        lines.extend(of_job.map(|line| format!("server {server}: {line}")));
    }
    let told = format!(
        "select created_at, event from import_events where import_log_id = {job} \
         and kind not in ('rows', 'progress') order by number"
    );
    lines.extend(world.database.rows(&told).await.iter().map(|event| event.join(" ")));
    lines.join("\n    ")
}

fn report(kind: Kind, seed: u64, budget: &Budget, tally: &Tally, world: &World, model: &Model) {
    let panicked = world.servers.iter().filter(|server| server.log().contains("panicked"));
    let panicked = panicked.count();
    let blows: Vec<_> =
        tally.blows.iter().map(|(name, count)| format!("\n  {name}: {count}")).collect();
    let blows = blows.concat();
    let Tally { kills, rounds, rows, jobs, lost, doubled, wrong, .. } = tally;
    say(&format!(
        "rig on {kind:?}: seed {seed}, {:.1} minutes, {rounds} rounds, {rows} rows in {jobs} jobs, \
         {} products\n  kills survived: {kills}{blows}\n  rows lost: {lost}, rows doubled: {doubled}, \
         counts wrong: {wrong}",
        budget.began.elapsed().as_secs_f32() / 60.0,
        model.len(),
    ));
    if world.disk.is_none() {
        say("  the disk was never filled: that needs a tmpfs, and mounting one was refused");
    }
    let faults = tally.faults.join("\n  ");
    assert!(lost + doubled + wrong == 0, "seed {seed}:\n  {faults}");
    assert_eq!(panicked, 0, "seed {seed}: a server panicked");
    assert!(budget.minutes.is_some() || *kills >= budget.kills, "seed {seed}: only {kills} kills");
}
