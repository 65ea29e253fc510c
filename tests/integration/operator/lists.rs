//! A dry run is no import, jobs with errors are found, a waiting job knows its place, and the log
//! says whose job it is.

use serde_json::Value;

use crate::support::{Hold, Upload, both, wait_until};

const GOOD: &str = "SKU,Name\nA,Arnica\nB,Bryonia\n";
const PARTLY: &str = "SKU,Name\nA,Arnica\nB,\n";

fn ids(answer: &Value) -> Vec<i64> {
    let jobs = answer["jobs"].as_array().unwrap();
    jobs.iter().map(|job| job["jobId"].as_i64().unwrap()).collect()
}

both!(a_dry_run_is_no_import, |server| {
    let trial = server.load("products", Upload::csv(GOOD).option("dryRun", "true")).await;
    let import = server.load("products", Upload::csv(GOOD)).await;
    assert_eq!((&trial["dryRun"], &import["dryRun"]), (&true.into(), &false.into()));
    let imports = "select id, created_count from import_log where not dry_run";
    assert_eq!(server.rows(imports).await, [["2", "2"]]);
    let older = server.get("/api/jobs").await;
    assert_eq!(older.json.as_array().unwrap().len(), 1, "{}", older.text());
    assert_eq!(older.header("x-total-count"), Some("1"));
    let said = "select event from import_events where import_log_id = 1 and kind = 'complete'";
    let said = server.rows(said).await.concat().concat();
    assert!(said.contains("Dry run completed: 2 created"), "{said}");
});

both!(jobs_with_errors_are_found, |server| {
    server.load("products", Upload::csv(GOOD)).await;
    server.load("products", Upload::csv(PARTLY)).await;
    server.load("products", Upload::csv(PARTLY).option("onError", "abort")).await;
    for (query, expected) in [
        ("?withErrors=true", &[3, 2][..]),
        ("?withErrors=true&status=completed", &[2]),
        ("?withErrors=true&dataset=products&status=failed", &[3]),
        ("?withErrors=true&dataset=products", &[3, 2]),
        ("?withErrors=false", &[3, 2, 1]),
    ] {
        assert_eq!(ids(server.jobs(query).await.ok()), expected, "{query}");
    }
    server.jobs("?withErrors=some").await.assert_problem(400, "invalid_option");
});

both!(the_events_of_a_waiting_job_say_its_place, |server| {
    let hold = Hold::new(server.folder());
    server.terminate();
    server.restart_with(&[
        ("FAILPOINTS", &hold.at("partition.after")),
        ("LOADBAY_MAX_RUNNING_JOBS", "1"),
    ]);
    let running = server.import("products", Upload::csv(GOOD)).await;
    let written = format!("select processed_rows from import_log where id = {running}");
    wait_until!(server.database.number(&written).await == 2, "job {running} is not held");
    let first = server.import("products", Upload::csv(GOOD)).await;
    let second = server.import("products", Upload::csv(GOOD)).await;
    let mut events = server.events(second, "").await;
    let snapshot = events.next().await.unwrap().data;
    assert_eq!(snapshot["job"]["queuePosition"], 2, "{snapshot}");
    let mut all = server.listen("/api/v1/import/events").await;
    let snapshot = all.next().await.unwrap().data;
    let places = ["0", "1", "2"].map(|at| snapshot["jobs"][at.parse::<usize>().unwrap()].clone());
    let places = places.map(|job| job["queuePosition"].clone());
    assert_eq!(places, [Value::from(2), Value::from(1), Value::Null], "{snapshot}");

    server.cancel(first).await.ok();
    let moved = events.until(|event| event.kind() == "queue").await;
    let moved = &moved.last().unwrap().data;
    assert_eq!(moved["queuePosition"], 1, "{moved}");
    hold.release();
    server.finished(second).await;
    // What runs has no place any more.
    let rest = events.rest().await;
    assert!(rest.iter().all(|event| event.kind() != "queue"));
    server.finished(running).await;
});

both!(a_waiting_job_knows_its_place_in_the_queue, |server| {
    let hold = Hold::new(server.folder());
    server.terminate();
    server.restart_with(&[("FAILPOINTS", &hold.at("partition.after"))]);
    let running = server.import("products", Upload::csv(GOOD)).await;
    let written = format!("select processed_rows from import_log where id = {running}");
    wait_until!(server.database.number(&written).await == 2, "job {running} is not held");
    let upload = |client: &str| Upload::csv(GOOD).header("X-Loadbay-Client", client);
    let mut waiting = Vec::new();
    for client in ["many", "many", "many", "one"] {
        waiting.push(server.import("products", upload(client)).await);
    }
    let urgent = server.import("products", upload("many").option("priority", "5")).await;
    // The urgent job is a turn of `many`: then `one` has its own.
    let expected = [urgent, waiting[3], waiting[0], waiting[1], waiting[2]];
    for (job, place) in expected.into_iter().zip(1..) {
        wait_until!(
            server.status(job).await.ok()["queuePosition"] == place,
            "job {job} is not in place {place}"
        );
    }
    let listed = server.jobs("?status=pending").await.ok().clone();
    assert_eq!(listed["jobs"][0]["queuePosition"], 1, "{listed}");
    assert_eq!(server.status(running).await.ok()["queuePosition"], Value::Null);

    hold.release();
    for job in expected {
        server.finished(job).await;
    }
    let claimed = format!("select id from import_log where id > {running} order by claimed_at");
    let claimed: Vec<i64> =
        server.rows(&claimed).await.concat().iter().map(|id| id.parse().unwrap()).collect();
    assert_eq!(claimed, expected, "the queue is not in the order that was told");
});

both!(lines_of_the_log_name_file_client_dataset_and_dry_run, |server| {
    let upload = Upload::file("night prices.csv", GOOD).header("X-Loadbay-Client", "nightly");
    server.load("products", upload.option("dryRun", "true")).await;
    wait_until!(server.log().contains("job ended"), "the end is not logged");
    let log = server.log();
    for message in ["job received", "job runs", "job ended"] {
        let line = log.lines().find(|line| line.contains(message)).unwrap_or_default();
        for part in ["night prices.csv", "nightly", "products", "dry_run", "true"] {
            assert!(line.contains(part), "`{part}` is not in `{line}`");
        }
    }
});

both!(
    a_trusted_proxy_says_who_sends,
    [("LOADBAY_TRUSTED_PROXIES", "127.0.0.1,10.9.0.0/16")],
    |server| {
        for (told, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("198.51.100.1, 203.0.113.7, 10.9.0.4", "203.0.113.7"),
            ("nonsense", "127.0.0.1"),
        ] {
            let job =
                server.load("products", Upload::csv(GOOD).header("X-Forwarded-For", told)).await;
            assert_eq!(job["createdBy"], expected, "{told}");
        }
    }
);
