//! A finished job is the same to the byte wherever its status comes from.

use crate::support::{Server, Upload, both, wait_until};

const TEXT: &str = "SKU;Name;MRP\nA;Arnica;12,50\nA;Arnica;3,5\nB;;x\n";

/// The answers to everything that is asked about a job, with their tags.
async fn answers(server: &Server, job: i64) -> Vec<(Option<String>, Vec<u8>)> {
    let mut answers = Vec::new();
    for path in ["status/{}", "jobs/{}", "jobs/{}/errors", "jobs/{}/errors.csv", "jobs?limit=9"] {
        let path = format!("/api/v1/import/{}", path.replace("{}", &job.to_string()));
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answers.push((answer.header("etag").map(str::to_owned), answer.bytes));
    }
    answers
}

/// Waits until the status comes from the table: a change made there behind the server's back shows.
async fn until_forgotten(server: &Server, job: i64) {
    let sql = format!("select file_name from import_log where id={job}");
    let name = server.database.value(&sql).await;
    server.database.execute(&format!("update import_log set file_name='x' where id={job}")).await;
    wait_until!(server.status(job).await.ok()["fileName"] == "x", "the job is kept in memory");
    let back = format!("update import_log set file_name='{name}' where id={job}");
    server.database.execute(&back).await;
}

both!(a_job_that_left_the_memory_is_the_same, |server| {
    let failing = Upload::csv("SKU,Name\nA,\n").option("onError", "abort");
    for upload in [Upload::csv(TEXT), failing] {
        let job = server.import("products", upload.option("priority", "3")).await;
        server.finished(job).await;
        let from_memory = answers(server, job).await;
        server.kill();
        server.restart();
        assert_eq!(answers(server, job).await, from_memory, "after a restart");
    }
});

both!(a_job_leaves_the_memory_after_its_time, [("LOADBAY_JOB_TTL", "1ms")], |server| {
    let job = server.import("products", Upload::csv(TEXT)).await;
    server.finished(job).await;
    let before = answers(server, job).await;
    until_forgotten(server, job).await;
    assert_eq!(answers(server, job).await, before);
});

both!(finished_jobs_need_not_be_kept_at_all, [("LOADBAY_JOB_TTL", "0s")], |server| {
    let status = server.load("products", Upload::csv(TEXT)).await;
    assert_eq!(status["counts"]["created"], 1);
    until_forgotten(server, 1).await;
});
