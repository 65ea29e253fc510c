//! `Idempotency-Key`: an upload that is sent again makes no second job.

use super::forms::{GOOD, assert_left, assert_refused};
use crate::support::{Upload, both};

const KEY: &str = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"";

fn keyed(text: &str) -> Upload {
    Upload::csv(text).header("idempotency-key", KEY)
}

both!(the_same_key_and_file_answer_with_the_same_job, |server| {
    let first = server.upload("products", keyed(GOOD)).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let job = first.data()["jobId"].clone();
    // While it runs and after its end, with the file sent as a form or as the body.
    for upload in [keyed(GOOD), keyed(GOOD).raw()] {
        let again = server.upload("products", upload).await;
        assert_eq!(again.status, 202, "{}", again.text());
        assert_eq!(again.data()["jobId"], job);
        assert_eq!(again.data()["statusUrl"], first.data()["statusUrl"]);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        server.finished(job.as_i64().unwrap()).await;
    }
    let other_name = Upload::file("again.csv", GOOD).header("idempotency-key", KEY);
    assert_eq!(server.upload("products", other_name).await.data()["jobId"], job);
    assert_eq!(server.database.number("select count(*) from import_log").await, 1);
    assert_left(server, 1).await;
});

both!(a_replay_says_where_its_job_is, |server| {
    let done = server.load("products", keyed(GOOD)).await["jobId"].as_i64().unwrap();
    let again = server.upload("products", keyed(GOOD)).await;
    assert_eq!(again.data()["status"], "completed");
    let message = again.json["message"].as_str().unwrap();
    assert!(message.contains(&format!("job {done} is completed")), "{message}");
    assert!(!message.contains("started"), "{message}");
    assert_eq!(again.header("retry-after"), None, "there is nothing to wait for");
});

both!(a_key_that_is_taken_burns_no_job_number, |server| {
    let first = server.import("products", keyed(GOOD)).await;
    for _ in 0..3 {
        server.upload("products", keyed(GOOD)).await;
        let other = server.upload("products", keyed("SKU,Name\nA-1,Belladonna\n")).await;
        assert_eq!(other.code(), "idempotency_mismatch");
    }
    let at_once = |_| server.upload("products", keyed(GOOD));
    futures_util::future::join_all((0..8).map(at_once)).await;
    assert_eq!(server.import("products", Upload::csv(GOOD)).await, first + 1);
    let fresh = |_| server.upload("products", Upload::csv(GOOD).header("idempotency-key", "k2"));
    futures_util::future::join_all((0..8).map(fresh)).await;
    assert_eq!(server.import("products", Upload::csv(GOOD)).await, first + 3);
    for job in first..first + 4 {
        server.finished(job).await;
    }
});

both!(another_upload_under_the_same_key_is_refused, |server| {
    server.load("products", keyed(GOOD)).await;
    let other_file = keyed("SKU,Name\nA-1,Belladonna\n");
    let other_options = keyed(GOOD).option("blank", "keep");
    for other in [other_file, other_options] {
        let answer = server.upload("products", other).await;
        assert_refused(&answer, 422, "idempotency_mismatch", &["1"]);
    }
    assert_eq!(server.database.value("select name from products").await, "Arnica");
    assert_left(server, 1).await;
});

both!(the_same_key_many_times_at_once_makes_one_job, |server| {
    let at_once = |_| server.upload("products", keyed(GOOD));
    let answers = futures_util::future::join_all((0..8).map(at_once)).await;
    let fresh = answers.iter().filter(|it| it.header("idempotency-replayed").is_none()).count();
    assert_eq!(fresh, 1);
    for answer in &answers {
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.data()["jobId"], answers[0].data()["jobId"]);
    }
    server.finished(answers[0].data()["jobId"].as_i64().unwrap()).await;
    assert_eq!(server.database.number("select count(*) from import_log").await, 1);
    assert_left(server, 1).await;
});

both!(a_key_outlives_the_server, |server| {
    let job = server.load("products", keyed(GOOD)).await["jobId"].clone();
    server.kill();
    server.restart();
    let again = server.upload("products", keyed(GOOD)).await;
    assert_eq!(again.data()["jobId"], job);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
});

both!(a_key_that_is_none_is_refused, |server| {
    for key in ["\"\"", "\"open", "two words", &"k".repeat(256)] {
        let upload = Upload::csv(GOOD).header("idempotency-key", key);
        let answer = server.upload("products", upload).await;
        assert_refused(&answer, 400, "malformed_request", &["Idempotency-Key", "255"]);
    }
    assert_eq!(server.database.number("select count(*) from import_log").await, 0);
});
