//! What a rollback needs stays while it has not ended, and is no more needed to find what it was.

use reqwest::Method;

use super::tables::*;
use crate::support::*;
use crate::survival::{before, file, reaches};

async fn delete(server: &Server, job: i64) -> Answer {
    server.send(server.request(Method::DELETE, &format!("/api/v1/import/jobs/{job}"))).await
}

/// Takes a job back as far as its middle, and sets that aside.
async fn half_back(server: &Server, job: i64) -> i64 {
    let rollback = ask(server, job).await;
    reaches(server, rollback, 0, 200).await;
    assert_eq!(server.action(rollback, "pause").await.ok()["status"], "paused");
    rollback
}

async fn journal(server: &Server, job: i64) -> u64 {
    let count = format!("select count(*) from import_undo where import_log_id = {job}");
    server.database.number(&count).await
}

both!(
    a_job_is_not_deleted_while_it_is_taken_back,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        server.load("products", Upload::csv(&before())).await;
        let rows = products(server).await;
        let job = load(server, &file()).await;
        let rollback = half_back(server, job).await;
        let refused = delete(server, job).await;
        refused.assert_problem(409, "invalid_job_state");
        let detail = refused.json["detail"].as_str().unwrap();
        let expected = format!("Job {job} is being taken back by job {rollback} and");
        assert!(detail.starts_with(&expected), "{detail}");
        assert!(journal(server, job).await > 0);
        server.action(rollback, "resume").await.ok();
        let status = server.finished(rollback).await;
        assert_eq!(
            (&status["status"], &status["counts"]["failed"]),
            (&"completed".into(), &0.into())
        );
        assert!(products(server).await == rows, "the products differ from those before the import");
        delete(server, job).await.ok();
        assert_eq!(journal(server, job).await, 0);
        server.status(job).await.assert_problem(404, "job_not_found");
    }
);

both!(
    a_journal_whose_time_is_over_stays_until_it_is_worked_off,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        // Without failed rows: their list goes at the end of its time.
        let text = file().replace(",free,", ",1,");
        server.load("products", Upload::csv(&before())).await;
        let rows = products(server).await;
        let job = load(server, &text).await;
        let rollback = half_back(server, job).await;
        let other = load(server, "SKU,Name\nOther,Other\n").await;
        server.kill();
        // As if its time had come to its end in the moment in which the rollback was asked for.
        let over = "update import_log set files_removed_at = completed_at \
                    where completed_at is not null";
        server.database.execute(over).await;
        server.restart_with(&[("LOADBAY_RETENTION", "1s"), ("LOADBAY_CHUNK_ROWS", "10")]);
        wait_until!(journal(server, other).await == 0, "the other job's journal stays");
        server.action(rollback, "resume").await.ok();
        let status = server.finished(rollback).await;
        assert_eq!(status["status"], "completed", "{status}");
        server.database.execute("delete from products where sku = 'Other'").await;
        assert!(products(server).await == rows, "the products differ from those before the import");
        wait_until!(journal(server, job).await == 0, "the job's journal stays");
    }
);

both!(the_same_wish_is_one_rollback_whatever_became_of_the_job, |server| {
    let job = load(server, "SKU,Name\nA,Arnica\n").await;
    let other = load(server, "SKU,Name\nB,Bryonia\n").await;
    let asked = async |job: i64| {
        let path = format!("/api/v1/import/jobs/{job}/rollback");
        server.send(server.request(Method::POST, &path).header("idempotency-key", "back")).await
    };
    let rollback = asked(job).await.ok()["jobId"].clone();
    server.finished(rollback.as_i64().unwrap()).await;
    let again = async || {
        let answer = asked(job).await;
        assert_eq!(answer.ok()["jobId"], rollback);
        assert_eq!(answer.header("idempotency-replayed"), Some("true"));
        asked(other).await.assert_problem(422, "idempotency_mismatch");
    };
    again().await;
    let over = format!("update import_log set files_removed_at = completed_at where id = {job}");
    server.database.execute(&over).await;
    again().await;
    delete(server, job).await.ok();
    again().await;
    assert_eq!(server.jobs("").await.ok()["jobs"].as_array().unwrap().len(), 2);
});
