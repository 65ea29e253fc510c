//! After a 202 the job ends as if nothing had happened, whatever happens to the server: killed,
//! stopped, its connections cut.

use std::sync::Arc;

use crate::support::*;
use crate::survival::*;

both!(a_job_survives_being_killed_again_and_again, [SLOW, ("LOADBAY_CHUNK_ROWS", "5")], |server| {
    let (counts, expected) = undisturbed(server).await;
    server.load("products", Upload::csv(&before())).await;
    let job = server.import("products", Upload::csv(&file())).await;
    let mut seen = 0;
    for rows in [0, 1, 200, 500, 501, 700] {
        seen = reaches(server, job, seen, rows).await;
        server.kill();
        server.restart();
    }
    let status = server.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["counts"], counts);
    assert!(contents(server).await == expected, "the tables differ from an undisturbed run");
});

/// Rows that break the rules in every way, between rows that do not.
fn broken_rows() -> String {
    let mut text = "SKU,Name,Brand,Selling Price\n".to_owned();
    for row in 0..240 {
        text.push_str(&match row % 12 {
            3 => format!("B{row:03},\"Row {row}\" wide,Acme,1\n"),
            5 => format!("B{row:03},\"Row {row}\nover two lines\",Acme,2\n"),
            7 => format!("B{row:03},\"Row {row},Acme,3\n"),
            9 => format!("B{row:03},Row\n{row},Acme,4\n"),
            11 => format!("B{row:03},Row {row}\n"),
            _ => format!("B{row:03},Row {row},\"Acme, {row}\",{row}.50\n"),
        });
    }
    text
}

/// What became of the rows of the only job: the counts, the products and the errors.
async fn outcome(server: &Server, status: &serde_json::Value) -> Vec<Vec<Vec<String>>> {
    let errors = "select row_number, code, message from import_errors order by 1, 2";
    let products = "select sku, name, selling_price from products order by 1";
    let counts = vec![vec![status["counts"].to_string(), status["warnings"].to_string()]];
    vec![counts, server.rows(products).await, server.rows(errors).await]
}

both!(broken_rows_are_the_same_after_every_restart, |server| {
    let quiet = server.load("products", Upload::csv(&broken_rows())).await;
    let expected = outcome(server, &quiet).await;
    assert!(expected[2].len() > 40, "{expected:?}");
    let slow = [SLOW, ("LOADBAY_CHUNK_ROWS", "3")];
    let mut disturbed = Server::start_with(server.database.kind(), &slow).await;
    let job = disturbed.import("products", Upload::csv(&broken_rows())).await;
    let mut seen = 0;
    for rows in [1, 20, 50, 90, 130] {
        seen = reaches(&disturbed, job, seen, rows).await;
        disturbed.kill();
        disturbed.restart();
    }
    let status = disturbed.finished(job).await;
    assert!(outcome(&disturbed, &status).await == expected, "the outcomes differ");
    disturbed.check_every_job().await;
});

both!(jobs_that_waited_when_the_server_was_killed_run_after_the_restart, |server| {
    server.kill();
    server.restart_with(&[SLOW, ("LOADBAY_CHUNK_ROWS", "2"), ("LOADBAY_MAX_RUNNING_JOBS", "1")]);
    let mut jobs = vec![server.import("products", Upload::csv(&file())).await];
    for job in 0..4 {
        let text = format!("SKU,Name\nW{job},Waits\n");
        jobs.push(server.import("products", Upload::csv(&text)).await);
    }
    server.kill();
    let waiting = "select count(*) from import_log where import_status = 'PENDING'";
    assert!(server.database.number(waiting).await > 0, "no job was waiting");
    server.restart();
    for job in jobs {
        let status = server.finished(job).await;
        assert_eq!(status["status"], "completed", "{status}");
    }
    let found = "select count(*) from products where name = 'Waits'";
    assert_eq!(server.database.number(found).await, 4);
});

both!(
    a_stopped_server_ends_with_0_and_its_job_goes_on_after_the_restart,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let (counts, expected) = undisturbed(server).await;
        server.load("products", Upload::csv(&before())).await;
        let job = server.import("products", Upload::csv(&file())).await;
        let mut seen = 0;
        // More often than a job may be taken up without an end: a stop is no crash.
        for rows in [1, 2, 3, 4, 500] {
            seen = reaches(server, job, seen, rows).await;
            let status = server.terminate();
            assert!(status.success(), "{status}");
            let sql = format!("select attempts from import_log where id = {job}");
            assert_eq!(server.database.number(&sql).await, 0, "the stop counted as an attempt");
            server.restart();
        }
        let status = server.finished(job).await;
        assert_eq!(status["counts"], counts);
        assert!(contents(server).await == expected, "the tables differ from an undisturbed run");
    }
);

/// The stored file of the only job.
fn source(server: &Server) -> std::path::PathBuf {
    let uploads = std::fs::read_dir(server.data_dir().join("uploads")).expect("the uploads");
    uploads.flatten().next().expect("an upload").path().join("source")
}

both!(
    a_file_that_changed_while_the_server_was_down_fails_the_job,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let job = server.import("products", Upload::csv(&file())).await;
        reaches(server, job, 0, 100).await;
        server.kill();
        let text = std::fs::read_to_string(source(server)).unwrap();
        std::fs::write(source(server), text.replace("Row 19", "Raw 19")).unwrap();
        server.restart();
        let status = server.finished(job).await;
        assert_eq!(status["status"], "failed", "{status}");
        assert_eq!(status["errorCode"], "source_changed", "{status}");
        let changed = "select count(*) from products where name like 'Raw%'";
        assert_eq!(server.database.number(changed).await, 0);
    }
);

both!(a_file_that_changed_before_its_job_began_fails_the_job, |server| {
    server.kill();
    server.restart_with(&[SLOW, ("LOADBAY_CHUNK_ROWS", "10"), ("LOADBAY_MAX_RUNNING_JOBS", "1")]);
    let first = server.import("products", Upload::csv(&file())).await;
    reaches(server, first, 0, 10).await;
    let waits = server.import("products", Upload::csv("SKU,Name\nW,Waits\n")).await;
    server.kill();
    let uuid = server.rows(&format!("select uuid from import_log where id = {waits}")).await;
    let path = server.data_dir().join("uploads").join(uuid.concat().concat()).join("source");
    std::fs::write(path, "SKU,Name\nW,Other\n").unwrap();
    server.restart();
    let status = server.finished(waits).await;
    assert_eq!(status["errorCode"], "source_changed", "{status}");
    server.finished(first).await;
});

both!(
    a_file_that_changed_after_an_orderly_stop_fails_the_job,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let job = server.import("products", Upload::csv(&file())).await;
        reaches(server, job, 0, 100).await;
        assert!(server.terminate().success());
        std::fs::write(source(server), file().replace("Row 19", "Raw 19")).unwrap();
        server.restart();
        assert_eq!(server.finished(job).await["errorCode"], "source_changed");
    }
);

both!(a_log_that_takes_no_more_lines_stops_nothing, |server| {
    server.kill();
    server.fill_log();
    let settings = [SLOW, ("LOADBAY_CHUNK_ROWS", "10"), ("LOADBAY_LOG", "trace")];
    server.restart_with(&settings);
    for _ in 0..2 {
        let status = server.load("products", Upload::csv(&file())).await;
        assert_eq!(status["status"], "completed", "{status}");
    }
    assert!(server.terminate().success());
});

both!(
    a_file_that_is_gone_after_a_restart_fails_the_job,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let job = server.import("products", Upload::csv(&file())).await;
        reaches(server, job, 0, 100).await;
        server.kill();
        std::fs::remove_file(source(server)).unwrap();
        server.restart();
        let status = server.finished(job).await;
        assert_eq!(status["status"], "failed", "{status}");
        assert_eq!(status["errorCode"], "source_unreadable", "{status}");
    }
);

both!(
    a_cancelled_job_keeps_its_rows_and_never_changes_again,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let job = server.import("products", Upload::csv(&file())).await;
        let seen = reaches(server, job, 0, 200).await;
        let cancelled = server.cancel(job).await;
        assert_eq!(cancelled.ok()["status"], "cancelled", "{}", cancelled.text());
        let end = server.status(job).await.text().to_owned();
        // The answer to the cancel is given behind the chunks in flight, two lanes at most.
        let rows = processed(server.status(job).await.ok());
        assert!(rows < ROWS && rows >= seen, "{end}");
        server.cancel(job).await.assert_problem(409, "invalid_job_state");

        // Another job runs to its end; the cancelled one stays as it was, after a restart as well.
        server.load("products", Upload::csv("SKU,Name\nZ,Zincum\n")).await;
        assert_eq!(server.status(job).await.text(), end);
        server.kill();
        server.restart();
        assert_eq!(server.status(job).await.text(), end);
        let sums = "select sum(created_count) from import_log";
        let products = server.database.number("select count(*) from products").await;
        assert_eq!(server.database.number(sums).await, products);
    }
);

#[tokio::test]
async fn a_job_survives_that_its_connections_to_postgres_are_cut() {
    let mut server = Server::start_with(
        Kind::Postgres,
        &[SLOW, ("LOADBAY_CHUNK_ROWS", "10"), ("LOADBAY_WRITERS", "2")],
    )
    .await;
    let (counts, expected) = undisturbed(&server).await;
    server.load("products", Upload::csv(&before())).await;
    let job = server.import("products", Upload::csv(&file())).await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity \
               where datname = current_database() and application_name = 'loadbay'";
    let mut last = 0;
    loop {
        // Every connection is cut after each few chunks, whatever it is doing.
        server.database.execute(cut).await;
        let sql = format!("select processed_rows, import_status from import_log where id = {job}");
        let row = server.rows(&sql).await.concat();
        let rows: u64 = row[0].parse().unwrap();
        assert!(rows >= last, "{rows} rows processed after {last}");
        if row[1] != "PROCESSING" && row[1] != "PENDING" {
            break;
        }
        last = rows;
        let target = rows + 90;
        let moved = format!(
            "select count(*) from import_log where id = {job} \
             and (processed_rows >= {target} or import_status not in ('PENDING', 'PROCESSING'))"
        );
        wait_until!(server.database.number(&moved).await > 0, "the job does not come to {target}");
    }
    let status = server.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["counts"], counts);
    assert!(contents(&server).await == expected, "the tables differ from an undisturbed run");
    server.check_every_job().await;
}

#[tokio::test]
async fn while_postgres_is_away_jobs_wait_and_questions_are_put_off() {
    let cluster = PrivateCluster::start();
    let database = Arc::new(Database::given(cluster.address.clone()));
    let settings = [SLOW, ("LOADBAY_CHUNK_ROWS", "10")];
    let mut server = Server::new(tempfile::tempdir().unwrap(), database, &settings);
    server.restart();
    let ended = server.load("products", Upload::csv(&before())).await;
    let job = server.import("products", Upload::csv(&file())).await;
    reaches(&server, job, 0, 100).await;
    cluster.kill().await;

    // What is in memory is answered as ever.
    assert_eq!(server.status(job).await.ok()["status"], "processing");
    assert_eq!(server.status(ended["jobId"].as_i64().unwrap()).await.ok()["status"], "completed");
    for refused in [
        server.status(999).await,
        server.jobs("").await,
        server.full(Upload::csv("SKU,Name\nA,Arnica\n")).await,
    ] {
        refused.assert_problem(503, "database_unavailable");
        assert!(refused.header("retry-after").is_some());
    }
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/readyz").await.status, 503);

    cluster.restart();
    let status = server.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["total"], ROWS);
    server.check_every_job().await;
}
