//! Only the time in which a job runs counts: for its duration, its pace and its estimate.

use serde_json::Value;

use crate::support::{SLOW, both};
use crate::survival::reaches;

fn number(job: &Value, member: &str) -> f64 {
    job[member].as_f64().unwrap_or_else(|| panic!("{member} is no number: {job}"))
}

both!(
    a_pause_is_no_part_of_duration_pace_and_estimate,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "4")],
    |server| {
        let job = server.import_long("L").await;
        reaches(server, job, 0, 40).await;
        server.action(job, "pause").await.ok();
        // It began, and was paused, an hour ago.
        let hour = match server.database.kind() {
            crate::support::Kind::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', {}, '-1 hour')",
            crate::support::Kind::Postgres => "{} - interval '1 hour'",
        };
        let ago = |column: &str| format!("{column} = {}", hour.replace("{}", column));
        let columns = ["created_at", "started_at", "updated_at"].map(ago).join(", ");
        let sql = format!("update import_log set {columns} where id = {job}");
        server.database.execute(&sql).await;
        server.kill();
        server.restart();
        let paused = server.status(job).await.ok().clone();
        server.action(job, "resume").await.ok();
        let now = server
            .until(job, |job| {
                job["progress"]["current"].as_i64() > paused["progress"]["current"].as_i64()
            })
            .await;
        assert!(number(&now, "runSeconds") < 1_800.0, "{now}");
        assert!(number(&now, "rowsPerSecond") > 1.0, "{now}");
        assert!(number(&now, "etaSeconds") < 1_800.0, "{now}");
        let ended = server.cancel(job).await.ok().clone();
        assert!(number(&ended, "runSeconds") >= number(&paused, "runSeconds"), "{ended}");
        assert!(number(&ended, "runSeconds") < 1_800.0, "{ended}");
        assert!(number(&ended, "rowsPerSecond") > 1.0, "{ended}");
    }
);

both!(the_pace_is_that_of_the_last_minute, [SLOW, ("LOADBAY_CHUNK_ROWS", "4")], |server| {
    let job = server.import_long("L").await;
    reaches(server, job, 0, 20).await;
    // Until now it ran for an hour, and wrote next to nothing in the last half minute.
    let sql = format!(
        "update import_log set run_ms = run_ms + 3600000, next_pace_ms = run_ms + 3560000, \
         next_pace_rows = processed_rows where id = {job}"
    );
    server.database.execute(&sql).await;
    let rows = server.status(job).await.ok()["progress"]["current"].as_i64().unwrap();
    let now = server.until(job, |job| job["progress"]["current"].as_i64() > Some(rows + 80)).await;
    // By all of its time it would need hours, by its last minute it needs minutes at most.
    let written = number(&now["progress"], "current");
    assert!(number(&now, "rowsPerSecond") > 10.0 * written / number(&now, "runSeconds"), "{now}");
    server.cancel(job).await.ok();
});
