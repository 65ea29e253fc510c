//! The stream of all jobs: the newest, then each that changes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::files::{Locked, products};
use crate::support::{Kind, Listener, Server, Upload, both};

const PATH: &str = "/api/v1/import/events";

/// The jobs as they are told, until those named have the status; each status that they had.
async fn statuses(listener: &mut Listener, jobs: &[i64], end: &str) -> BTreeMap<i64, Vec<String>> {
    let mut seen: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    while !jobs.iter().all(|job| seen.get(job).is_some_and(|it| it.last().unwrap() == end)) {
        let heard = listener.next().await.expect("the stream does not end");
        assert_eq!((heard.kind(), heard.id), ("job", None));
        let job = &heard.data["job"];
        let word = job["status"].as_str().unwrap().to_owned();
        seen.entry(job["jobId"].as_i64().unwrap()).or_default().push(word);
    }
    seen
}

fn numbers(snapshot: &Value) -> Vec<i64> {
    let jobs = snapshot["jobs"].as_array().expect("a list of jobs");
    jobs.iter().map(|job| job["jobId"].as_i64().unwrap()).collect()
}

both!(the_newest_jobs_are_told_first_and_then_what_changes, |server| {
    let mut empty = server.listen(PATH).await;
    let first = empty.next().await.unwrap();
    assert_eq!((first.kind(), &first.data["jobs"]), ("snapshot", &Value::Array(vec![])));
    for number in 0..3 {
        server.load("products", Upload::csv(&products(&format!("N{number}"), 2))).await;
    }
    statuses(&mut empty, &[1, 2, 3], "completed").await;

    let mut listener = server.listen(PATH).await;
    let snapshot = listener.next().await.unwrap().data;
    assert_eq!(numbers(&snapshot), [3, 2, 1]);
    assert_eq!(snapshot["jobs"][0], *server.status(3).await.ok());
    let job = server.import("products", Upload::csv(&products("M", 2))).await;
    let seen = statuses(&mut listener, &[job], "completed").await;
    // What is told late of an earlier job is what the snapshot has.
    assert!(
        seen.iter().all(|(it, words)| *it == job || words.iter().all(|word| word == "completed")),
        "{seen:?}"
    );
    let broken = server.import("products", Upload::csv("SKU,Name\n")).await;
    statuses(&mut listener, &[broken], "completed").await;
});

#[tokio::test]
async fn fifty_jobs_are_shown_and_a_running_one_is_told_at_most_four_times_a_second() {
    let mut server = Server::start_with(Kind::Sqlite, &[("LOADBAY_CHUNK_ROWS", "5")]).await;
    for number in 0..52 {
        server.import("products", Upload::csv(&products(&format!("N{number}"), 1))).await;
    }
    for job in 1..=52 {
        server.finished(job).await;
    }
    let mut listener = server.listen(PATH).await;
    let expected: Vec<i64> = (3..=52).rev().collect();
    assert_eq!(numbers(&listener.next().await.unwrap().data), expected);
    let begun = std::time::Instant::now();
    let job = server.import("products", Upload::csv(&products("R", 1_500))).await;
    let seen = statuses(&mut listener, &[job], "completed").await;
    let most = begun.elapsed().as_millis() / 250 + 2;
    assert!(seen[&job].len() as u128 <= most, "{} times", seen[&job].len());
    server.check_every_job().await;
}

#[tokio::test]
async fn jobs_of_other_servers_are_told_as_well() {
    let [one, two] = Server::start_two(&[]).await;
    let mut listener = two.listen(PATH).await;
    assert_eq!(listener.next().await.unwrap().kind(), "snapshot");
    let lock = Locked::products(&one).await;
    let job = one.import("products", Upload::csv(&products("X", 10))).await;
    statuses(&mut listener, &[job], "processing").await;
    let cancelled = one.cancel(job).await;
    assert_eq!(cancelled.ok()["status"], "cancelled");
    statuses(&mut listener, &[job], "cancelled").await;
    lock.release().await;
    crate::support::check_guarantees(&two, job).await;
}
