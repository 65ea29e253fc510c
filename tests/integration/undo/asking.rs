//! When an import can be taken back, and what the others are told.

use super::tables::*;
use crate::support::*;

const FILE: &str = "SKU,Name\nA,Arnica\nB,Bryonia\n";

both!(a_job_without_a_journal_cannot_be_taken_back, |server| {
    let plain = server.load("products", Upload::csv(FILE)).await;
    let dry = undoable("SKU,Name\nC,China\n").option("dryRun", "true");
    let dry = server.load("products", dry).await;
    let nothing_new = server.load("products", undoable(FILE)).await;
    for job in [plain, dry, nothing_new] {
        assert!(!job["actions"].to_string().contains("rollback"), "{job}");
        let answer = server.action(job["jobId"].as_i64().unwrap(), "rollback").await;
        answer.assert_problem(409, "nothing_to_undo");
    }
    server.action(4711, "rollback").await.assert_problem(404, "job_not_found");
});

both!(a_job_whose_journal_was_removed_is_gone, |server| {
    let job = load(server, FILE).await;
    let removed = format!(
        "delete from import_undo where import_log_id = {job}; update import_log \
         set files_removed_at = completed_at where id = {job}"
    );
    server.database.execute(&removed).await;
    server.kill();
    server.restart();
    server.action(job, "rollback").await.assert_problem(410, "files_removed");
});

both!(a_rollback_is_final, |server| {
    let job = load(server, FILE).await;
    assert!(server.status(job).await.ok()["actions"].to_string().contains("rollback"));
    let rollback = take_back(server, job).await["jobId"].as_i64().unwrap();
    server.action(rollback, "rollback").await.assert_problem(409, "invalid_job_state");
});

both!(asking_again_with_the_same_key_starts_one, |server| {
    let job = load(server, FILE).await;
    let path = format!("/api/v1/import/jobs/{job}/rollback");
    let post = || server.request(reqwest::Method::POST, &path).header("idempotency-key", "k1");
    let first = server.send(post()).await;
    let rollback = first.ok()["jobId"].as_i64().unwrap();
    assert_eq!(first.header("idempotency-replayed"), None);
    server.finished(rollback).await;
    let again = server.send(post()).await;
    assert_eq!(again.ok()["jobId"], rollback);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    // The key belongs to this wish.
    let other = load(server, "SKU,Name\nC,China\n").await;
    let path = format!("/api/v1/import/jobs/{other}/rollback");
    let taken = server.request(reqwest::Method::POST, &path).header("idempotency-key", "k1");
    server.send(taken).await.assert_problem(422, "idempotency_mismatch");
});

both!(asking_while_it_runs_gives_the_running_one, [SLOW, ("LOADBAY_CHUNK_ROWS", "1")], |server| {
    let rows: String = (0..300).map(|row| format!("S{row},Name\n")).collect();
    let job = load(server, &format!("SKU,Name\n{rows}")).await;
    let (first, second) = futures_util::future::join(ask(server, job), ask(server, job)).await;
    assert_eq!(first, second, "two rollbacks of one job at a time");
    assert_eq!(ask(server, job).await, first);
    assert_counts(&server.finished(first).await, [300, 0, 0, 0]);
    // At its end it stands in nobody's way.
    assert_ne!(ask(server, job).await, first);
    let last = server.database.number("select max(id) from import_log").await;
    server.finished(i64::try_from(last).unwrap()).await;
});
