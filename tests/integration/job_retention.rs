//! The time of a job itself: after `LOADBAY_JOB_RETENTION` it goes with all that belongs to it.

use crate::support::*;

/// Everything that the tables hold of jobs.
const TABLES: [&str; 8] = [
    "import_chunks",
    "import_errors",
    "import_superseded",
    "import_differences",
    "import_events",
    "import_error_groups",
    "import_undo",
    "import_log",
];

const FILE: &str = "SKU,Name\nA,Arnica\nA,Arnica C30\nB,\n";

async fn old_jobs_go_with_all_that_belongs_to_them(kind: Kind) {
    let mut server = Server::start(kind).await;
    let old = server.load("products", Upload::csv(FILE).option("undo", "true")).await;
    server.load("products", Upload::csv(FILE).option("dryRun", "true")).await;
    let large = server.load("products", Upload::csv(FILE)).await;
    // More than one step.
    let more = format!(
        "update import_log set event_count = event_count + 50000 where id = {0}; \
         insert into import_superseded (import_log_id, row_number, by_row_number) \
         values ({0}, 20000, 20001), ({0}, 40000, 40001)",
        large["jobId"]
    );
    server.database.execute(&more).await;
    let paused = server.import("products", Upload::csv(FILE)).await;
    server.finished(paused).await;
    // As if it went on since: it has not ended, whenever it did before.
    let unfinished = format!(
        "update import_log set import_status = 'PAUSED', completed_at = null where id = {paused}"
    );
    server.database.execute(&unfinished).await;

    server.kill();
    server.restart_with(&[("LOADBAY_JOB_RETENTION", "1s")]);
    for table in TABLES {
        let id = if table == "import_log" { "id" } else { "import_log_id" };
        let left = format!("select count(*) from {table} where {id} <> {paused}");
        wait_until!(server.database.number(&left).await == 0, "{table}: {}", server.log());
    }
    for job in [&old, &large] {
        let job = job["jobId"].as_i64().unwrap();
        server.status(job).await.assert_problem(404, "job_not_found");
    }
    assert_eq!(server.status(paused).await.ok()["status"], "paused");
    assert_eq!(server.get("/api/jobs").await.header("x-total-count"), Some("1"));
    // Rows that were imported stay.
    assert_eq!(server.database.number("select count(*) from products").await, 1);
    server.cancel(paused).await.ok();
    let gone = "select count(*) from import_log";
    wait_until!(server.database.number(gone).await == 0, "it has ended: {}", server.log());
}

#[tokio::test]
async fn old_jobs_go_with_all_that_belongs_to_them_on_sqlite() {
    old_jobs_go_with_all_that_belongs_to_them(Kind::Sqlite).await;
}

#[tokio::test]
async fn old_jobs_go_with_all_that_belongs_to_them_on_postgres() {
    old_jobs_go_with_all_that_belongs_to_them(Kind::Postgres).await;
}

async fn without_the_setting_jobs_stay(kind: Kind) {
    let server = Server::start_with(kind, &[("LOADBAY_RETENTION", "1s")]).await;
    let job = server.load("products", Upload::csv(FILE)).await["jobId"].as_i64().unwrap();
    let marked = "select count(*) from import_log where files_removed_at is not null";
    wait_until!(server.database.number(marked).await == 1, "{}", server.log());
    server.status(job).await.ok();
}

#[tokio::test]
async fn without_the_setting_jobs_stay_on_sqlite() {
    without_the_setting_jobs_stay(Kind::Sqlite).await;
}

#[tokio::test]
async fn without_the_setting_jobs_stay_on_postgres() {
    without_the_setting_jobs_stay(Kind::Postgres).await;
}
