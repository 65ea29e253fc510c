//! Deleting a job: its rows in every table and its files are gone, what it imported stays.

use super::steer::*;
use crate::streams::files::products;
use crate::support::{SLOW, Upload, both};

/// A file that leaves something in every table that knows of jobs.
const TEXT: &str = "SKU,Name,Category,MRP\nA,Arnica,Drops,1\nA,Arnica,Drops,2\nB,Bryonia,Drops,x\n";

both!(a_deleted_job_leaves_nothing_but_what_it_imported, |server| {
    let kept = id(&server.load("products", Upload::csv("SKU,Name\nK,Kali\nL,\n")).await);
    let job = server.load("products", Upload::csv(TEXT)).await;
    let of_job = format!("import_log_id = {}", id(&job));
    let tables = [
        "import_chunks",
        "import_errors",
        "import_error_groups",
        "import_events",
        "import_superseded",
    ];
    for table in tables {
        let count = format!("select count(*) from {table} where {of_job}");
        assert!(server.database.number(&count).await > 0, "{table} has nothing of the job");
    }
    let uuid = format!("select uuid from import_log where id = {}", id(&job));
    let folder = server.data_dir().join("uploads").join(server.database.value(&uuid).await);
    assert!(folder.join("source").is_file());

    let answer = server.delete(id(&job)).await;
    assert_eq!(answer.ok(), &job, "the job as it was");
    assert_eq!(answer.json["message"], format!("Job {} was deleted", id(&job)));
    for table in tables {
        let count = format!("select count(*) from {table} where {of_job}");
        assert_eq!(server.database.number(&count).await, 0, "{table}");
    }
    assert!(!folder.exists(), "its files are left");
    assert_eq!(server.database.number("select count(*) from products").await, 2);

    server.delete(id(&job)).await.assert_problem(404, "job_not_found");
    server.status(id(&job)).await.assert_problem(404, "job_not_found");
    for list in ["events", "errors", "errors.csv", "superseded", "unprocessed.csv"] {
        let path = format!("/api/v1/import/jobs/{}/{list}", id(&job));
        server.get(&path).await.assert_problem(404, "job_not_found");
    }
    let left: Vec<i64> =
        server.jobs("").await.ok()["jobs"].as_array().unwrap().iter().map(id).collect();
    assert_eq!(left, [kept]);
    assert_eq!(server.errors_file(kept, "csv").await.status, 200, "others keep their files");
});

both!(a_job_that_has_not_ended_cannot_be_deleted, [("LOADBAY_CHUNK_ROWS", "1")], |server| {
    let job = server.import_long("L").await;
    server.delete(job).await.assert_problem(409, "invalid_job_state");
    // Who follows it hears its end before it is gone.
    let listener = server.events(job, "").await;
    server.cancel(job).await.ok();
    server.delete(job).await.ok();
    drop(listener.rest().await);
    server.status(job).await.assert_problem(404, "job_not_found");
    // Nothing that its run says in its last moments brings it back.
    for prefix in ["M", "N", "O"] {
        let next = server.import_long(prefix).await;
        server.cancel(next).await.ok();
        server.delete(next).await.ok();
        server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
        server.status(next).await.assert_problem(404, "job_not_found");
    }
    assert!(!server.log().contains("ERROR"), "{}", server.log());
});

// The chunk in flight finds no job any more, which is no fault of anybody.
both!(cancelling_and_deleting_a_running_job_is_no_error_of_the_server, [SLOW], |server| {
    for (prefix, options) in [("P", "none"), ("Q", "all"), ("R", "undo"), ("S", "dryRun")] {
        let text = products(prefix, 40_000);
        let upload = match options {
            "undo" | "dryRun" => Upload::csv(&text).option(options, "true"),
            rows => Upload::csv(&text).option("rows", rows),
        };
        let job = server.import("products", upload).await;
        server.until(job, |status| !status["progress"]["total"].is_null()).await;
        server.cancel(job).await.ok();
        server.delete(job).await.ok();
    }
    // Until the last chunk of the runs has come to its end.
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    assert!(!server.log().contains("ERROR"), "{}", server.log());
});

both!(a_child_does_not_need_its_parent, |server| {
    let parent = id(&server.load("products", Upload::csv(TEXT)).await);
    let child = server.retry(parent, "failed").await;
    server.finished(child).await;
    server.delete(parent).await.ok();
    let grandchild = server.retry(child, "failed").await;
    let status = server.finished(grandchild).await;
    assert_eq!(status["counts"]["failed"], 1, "{status}");
    assert_eq!(server.status(child).await.ok()["retryOf"], parent, "it says whose rows it took");
    server
        .ask(reqwest::Method::POST, parent, "retry", "")
        .await
        .assert_problem(404, "job_not_found");
});
