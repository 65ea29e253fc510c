//! Which job goes next: by its priority at upload, by one that was given later, and by force.

use reqwest::Method;

use crate::support::{Server, Upload, both, wait_until};

/// Uploads a small file with a priority.
async fn waiting(server: &Server, name: &str, priority: &str) -> i64 {
    let upload = Upload::csv(&format!("SKU,Name\n{name},Waits\n")).option("priority", priority);
    server.import("products", upload).await
}

/// The jobs in the order in which they were taken up, behind the first one.
async fn taken_up(server: &Server, jobs: &[i64]) -> Vec<i64> {
    for job in jobs {
        assert_eq!(server.finished(*job).await["status"], "completed");
    }
    let order = "select id from import_log where import_status = 'COMPLETED' order by claimed_at";
    server.rows(order).await.iter().map(|row| row.concat().parse().unwrap()).collect()
}

both!(
    a_priority_decides_which_job_goes_next_at_upload_and_later,
    [("LOADBAY_CHUNK_ROWS", "1")],
    |server| {
        let first = server.import_long("L").await;
        let low = waiting(server, "low", "-5").await;
        let plain = waiting(server, "plain", "0").await;
        let high = waiting(server, "high", "10").await;
        let late = waiting(server, "late", "-100").await;
        let raised = server.ask(Method::POST, low, "priority", "{\"priority\": 50}").await;
        assert_eq!(
            (raised.ok()["status"].as_str(), raised.data()["priority"].as_i64()),
            (Some("pending"), Some(50))
        );
        assert_eq!(raised.data()["options"]["priority"], -5, "what was asked at the upload");
        server.action(plain, "priority?priority=-7").await.ok();
        server.cancel(first).await.ok();
        assert_eq!(taken_up(server, &[low, plain, high, late]).await, [low, high, plain, late]);
        server.action(low, "priority?priority=1").await.assert_problem(409, "invalid_job_state");
    }
);

both!(a_job_that_moves_is_not_taken_from_its_server, [("LOADBAY_CHUNK_ROWS", "1")], |server| {
    let job = server.import_long("L").await;
    let answer = server.action(job, "force").await;
    answer.assert_problem(409, "invalid_job_state");
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(detail.starts_with(&format!("Job {job} last moved ")), "{detail}");
    assert!(detail.ends_with("`force` takes one that has stood still for 60 s."), "{detail}");
    assert_eq!(answer.json["actions"], serde_json::json!(["pause", "cancel"]));
    server.cancel(job).await.ok();
});

both!(a_forced_job_goes_next, [("LOADBAY_CHUNK_ROWS", "1")], |server| {
    let first = server.import_long("L").await;
    let high = waiting(server, "high", "100").await;
    let forced = waiting(server, "forced", "-100").await;
    let answer = server.action(forced, "force").await;
    assert_eq!(answer.ok()["status"], "pending");
    assert!(answer.data()["priority"].as_i64().unwrap() > 100, "{}", answer.text());
    server.action(first, "pause").await.ok();
    assert_eq!(taken_up(server, &[high, forced]).await, [forced, high]);
    server.cancel(first).await.ok();
});

both!(
    a_job_that_is_resumed_waits_for_its_place_like_any_other,
    [("LOADBAY_CHUNK_ROWS", "1")],
    |server| {
        let first = server.import_long("L").await;
        server.action(first, "pause").await.ok();
        let second = server.import_long("M").await;
        assert_eq!(server.action(first, "resume").await.ok()["status"], "processing");
        // One job a table: the second is not disturbed, the first does not move.
        let rows = |job: i64| format!("select processed_rows from import_log where id = {job}");
        let before = server.database.number(&rows(first)).await;
        let from = server.database.number(&rows(second)).await;
        wait_until!(
            server.database.number(&rows(second)).await >= from + 50,
            "the second job stands still"
        );
        assert_eq!(server.database.number(&rows(first)).await, before);
        server.cancel(second).await.ok();
        wait_until!(
            server.database.number(&rows(first)).await > before,
            "the first job does not go on"
        );
        server.cancel(first).await.ok();
    }
);
