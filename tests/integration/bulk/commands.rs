//! Commands for a bulk as a whole.

use serde_json::json;

use super::*;

/// A server whose first job is held before its rows are written.
fn held(server: &mut Server) -> Hold {
    let hold = Hold::new(server.folder());
    server.terminate();
    let once = hold.at("prescan.after").replace("=return", "=1*return");
    server.restart_with(&[("FAILPOINTS", &once)]);
    hold
}

async fn post(server: &Server, id: &str, action: &str) -> Answer {
    let path = format!("/api/v1/import/bulks/{id}/{action}");
    server.send(server.request(Method::POST, &path)).await
}

both!(a_bulk_is_cancelled_as_a_whole_and_imported_again, |server| {
    let hold = held(server);
    let files: [(&str, &[u8]); 3] = [
        ("a.csv", b"SKU,Name\nA,A\n"),
        ("b.csv", b"SKU,Name\nB,B\n"),
        ("c.csv", b"SKU,Name\nC,C\nD,\n"),
    ];
    let (id, jobs) = accepted(server, &files).await;
    server.until(jobs[0], |status| status["status"] == "processing").await;
    let running = bulk(server, &id, "").await;
    assert_eq!(
        (&running["status"], &running["files"]["waiting"]),
        (&json!("processing"), &json!(2))
    );
    assert_eq!(running["actions"], json!(["cancel"]));
    post(server, &id, "retry").await.assert_problem(409, "invalid_job_state");
    let cancelled = post(server, &id, "cancel").await.ok().clone();
    assert_eq!(
        (&cancelled["status"], &cancelled["files"]["cancelled"]),
        (&json!("cancelled"), &json!(3))
    );
    post(server, &id, "cancel").await.assert_problem(409, "invalid_job_state");
    hold.release();

    let again = post(server, &id, "retry").await;
    let second = again.ok()["bulkId"].as_str().unwrap().to_owned();
    assert_eq!(again.data()["retryOf"], id.as_str());
    let found = ended(server, &second).await;
    assert_eq!((&found["status"], &found["counts"]["created"]), (&json!("completed"), &json!(3)));
    // Nothing is left but the failed row.
    post(server, &second, "retry").await.assert_problem(409, "nothing_to_retry");
    let third = post(server, &second, "retry?rows=failed").await.ok().clone();
    assert_eq!(third["files"]["total"], 1);
    let found = ended(server, third["bulkId"].as_str().unwrap()).await;
    assert_eq!(found["counts"]["failed"], 1);
});

both!(a_bulk_survives_the_death_of_the_server, |server| {
    let hold = held(server);
    let files: [(&str, &[u8]); 2] = [("a.csv", b"SKU,Name\nA,A\n"), ("b.csv", b"SKU,Name\nB,B\n")];
    let (id, jobs) = accepted(server, &files).await;
    server.until(jobs[0], |status| status["status"] == "processing").await;
    server.kill();
    hold.release();
    server.restart();
    let found = ended(server, &id).await;
    assert_eq!((&found["status"], &found["counts"]["created"]), (&json!("completed"), &json!(2)));
});
