//! Steering a job through the other server: one whose owner is frozen, dead, or well.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::steer::*;
use crate::support::{SLOW, Server, Upload, check_guarantees, wait_until};
use crate::survival::*;

fn signal(server: &Server, signal: Signal) {
    let id = i32::try_from(server.process_id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(id, signal).unwrap();
}

/// Asks until the server answers with this status.
async fn answers(server: &Server, job: i64, status: u16) {
    wait_until!(
        server.status(job).await.status == status,
        "the other server never hears of job {job}"
    );
}

#[tokio::test]
async fn a_frozen_owner_loses_its_job_and_can_commit_nothing_any_more() {
    let [one, two] = Server::start_two(&[SLOW, ("LOADBAY_CHUNK_ROWS", "2")]).await;
    let held = Held::take(&one.database).await;
    let job = one.import("products", Upload::csv(&long("F"))).await;
    // Its first chunks wait for the table when it is frozen.
    one.until(job, |status| status["progress"]["total"] == 20_000).await;
    signal(&one, Signal::STOP);
    assert_eq!(two.action(job, "pause").await.ok()["status"], "paused");
    assert_eq!(two.action(job, "resume").await.ok()["status"], "processing");
    assert_eq!(two.action(job, "priority?priority=5").await.ok()["priority"], 5);
    assert_eq!(two.action(job, "pause").await.ok()["status"], "paused");
    let cancelled = two.cancel(job).await;
    assert_eq!(cancelled.ok()["status"], "cancelled");
    let end = two.status(job).await.text().to_owned();
    held.release().await;
    signal(&one, Signal::CONT);
    // Alive again it shows what the other one did, and has written nothing.
    one.finished(job).await;
    assert_eq!(one.status(job).await.text(), end);
    assert_eq!(one.database.number("select count(*) from products").await, 0);
    one.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    check_guarantees(&two, job).await;
}

#[tokio::test]
async fn the_job_of_a_dead_server_is_steered_and_waits_for_its_file() {
    let [mut one, two] = Server::start_two(&[SLOW, ("LOADBAY_CHUNK_ROWS", "1")]).await;
    let job = one.import_long("D").await;
    // Its lease still runs: for all that anybody knows it lives.
    two.action(job, "force").await.assert_problem(409, "invalid_job_state");
    one.kill();
    let void = "update import_log set lease_expires_at = now() - interval '1 hour'";
    two.database.execute(void).await;
    let forced = two.action(job, "force").await;
    assert_eq!(forced.ok()["status"], "processing");
    assert!(forced.data()["priority"].as_i64().unwrap() > 100);
    let paused = two.action(job, "pause").await;
    assert_eq!(paused.ok()["status"], "paused");
    let text = two.status(job).await.text().to_owned();
    one.restart();
    assert_eq!(one.status(job).await.text(), text, "it stays paused when its server comes back");
    assert_eq!(two.action(job, "resume").await.ok()["status"], "processing");
    let rows = |status: &serde_json::Value| status["progress"]["current"].as_u64().unwrap();
    let at = rows(paused.data());
    two.until(job, |status| rows(status) > at).await;
    assert_eq!(two.cancel(job).await.ok()["status"], "cancelled");
    one.finished(job).await;
    check_guarantees(&one, job).await;

    // Its file is not here.
    for call in ["retry", "retry?rows=unprocessed"] {
        two.action(job, call).await.assert_problem(409, "files_on_other_server");
    }
    let list = format!("/api/v1/import/jobs/{job}/unprocessed.csv");
    two.get(&list).await.assert_problem(409, "files_on_other_server");
    assert_eq!(one.get(&list).await.status, 200);
}

#[tokio::test]
async fn what_is_done_through_one_server_is_seen_on_the_other() {
    let [mut one, two] = Server::start_two(&[SLOW, ("LOADBAY_CHUNK_ROWS", "1")]).await;
    let job = one.import_long("S").await;
    two.action(job, "pause").await.ok();
    // Told at once, but not before the answer.
    one.until(job, |status| status["status"] == "paused").await;
    assert_eq!(one.status(job).await.text(), two.status(job).await.text());
    two.action(job, "resume").await.ok();
    let from = one.status(job).await.data()["progress"]["current"].as_u64();
    one.until(job, |status| status["progress"]["current"].as_u64() > from).await;
    two.cancel(job).await.ok();
    one.finished(job).await;

    // Deleted there, forgotten here, also the copy in memory; its files go when they are a day old.
    two.delete(job).await.ok();
    answers(&one, job, 404).await;
    one.delete(job).await.assert_problem(404, "job_not_found");
    let uploads = one.data_dir().join("uploads");
    one.kill();
    let left: Vec<_> = std::fs::read_dir(&uploads).unwrap().flatten().collect();
    let [home] = left.as_slice() else { panic!("{left:?}") };
    let times = std::fs::FileTimes::new()
        .set_modified(std::time::SystemTime::now() - Duration::from_hours(25));
    std::fs::File::open(home.path()).unwrap().set_times(times).unwrap();
    one.restart();
    wait_until!(std::fs::read_dir(&uploads).unwrap().count() == 0, "its files stay; {}", one.log());
}

#[tokio::test]
async fn a_stuck_job_that_is_forced_is_run_by_the_other_server() {
    let shared = tempfile::tempdir().unwrap();
    let url = format!("file://{}", shared.path().display());
    let settings = [SLOW, ("LOADBAY_STORAGE_URL", url.as_str()), ("LOADBAY_CHUNK_ROWS", "10")];
    let [one, two] = Server::start_two(&settings).await;
    let (counts, expected) = undisturbed(&one).await;
    one.load("products", Upload::csv(&before())).await;
    let job = one.import("products", Upload::csv(&file())).await;
    reaches(&one, job, 0, 100).await;
    let held = Held::take(&one.database).await;
    // Its writers come to the lock and wait there when it is frozen.
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() \
                   and application_name = 'loadbay' and wait_event_type = 'Lock'";
    wait_until!(one.database.number(waiting).await > 0, "no writer waits for the lock");
    signal(&one, Signal::STOP);
    two.action(job, "force").await.assert_problem(409, "invalid_job_state");
    // As if it had stood still for a long time, and its connections had been cut.
    let stands = "update import_log set updated_at = updated_at - interval '1 hour'; \
                  select pg_terminate_backend(pid) from pg_stat_activity \
                  where datname = current_database() and application_name = 'loadbay' \
                  and wait_event_type = 'Lock'";
    two.database.execute(stands).await;
    held.release().await;
    let forced = two.action(job, "force").await;
    assert_eq!(forced.ok()["status"], "processing");
    let status = two.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["counts"], counts);
    assert!(contents(&two).await == expected, "the tables differ from an undisturbed run");
    let end = two.status(job).await.text().to_owned();
    signal(&one, Signal::CONT);
    one.finished(job).await;
    assert_eq!(one.status(job).await.text(), end);
    one.load("products", Upload::csv("SKU,Name\nS00000,Row 0\n")).await;
    check_guarantees(&one, job).await;
}

#[tokio::test]
async fn servers_that_share_their_files_take_up_each_others_rows() {
    let shared = tempfile::tempdir().unwrap();
    let url = format!("file://{}", shared.path().display());
    let settings = [SLOW, ("LOADBAY_STORAGE_URL", url.as_str()), ("LOADBAY_CHUNK_ROWS", "4")];
    let [mut one, two] = Server::start_two(&settings).await;
    let (counts, expected) = undisturbed(&one).await;
    one.load("products", Upload::csv(&before())).await;
    let job = one.import("products", Upload::csv(&file())).await;
    reaches(&one, job, 0, 100).await;
    let part = two.cancel(job).await.ok().clone();
    one.kill();
    let list = two.get(part["links"]["unprocessedCsv"].as_str().unwrap()).await;
    assert_eq!(list.status, 200, "{}", list.text());
    let child = two.retry(job, "unprocessed").await;
    let rest = two.finished(child).await;
    assert_eq!(sum(&[part, rest]), counts);
    assert!(contents(&two).await == expected, "the tables differ from an undisturbed run");
    let folders = || std::fs::read_dir(shared.path().join("uploads")).unwrap().count();
    assert_eq!(folders(), 3);
    for gone in [job, child] {
        two.delete(gone).await.ok();
    }
    assert_eq!(folders(), 1, "whoever deletes a job removes its files");
}
