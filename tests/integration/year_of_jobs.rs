//! A table of 300,000 jobs: every list reads its page by an index, whatever it asks for, and what
//! clients ask keeps nothing from jobs or from the question whether the server is ready.

use loadbay::domain::status::JobStatus;
use loadbay::store::{ImportsPage, JobFilter, ListQuestion, Store, StoreSettings};

use crate::support::*;

/// How many jobs a busy installation has after a year.
const JOBS: u64 = 300_000;

/// Copies the one job that there is, with statuses, datasets and parents of all kinds.
fn fill(kind: Kind) -> String {
    let numbers = match kind {
        Kind::Sqlite => {
            "with recursive numbers (n) as \
             (select 2 union all select n + 1 from numbers where n < 300000) "
        }
        Kind::Postgres => "with numbers (n) as (select generate_series(2, 300000)) ",
    };
    let uuid = match kind {
        Kind::Sqlite => "printf('%08x-0000-4000-8000-000000000000', n)",
        Kind::Postgres => "md5(n::text)::uuid::text",
    };
    format!(
        "insert into import_log (id, uuid, dataset, file_name, file_size, sha256, import_status, \
         options, detected, warnings, source_server, created_by, created_at, updated_at, \
         completed_at, files_removed_at, retry_of, rollback_of, error_count) {numbers} \
         select n, {uuid}, case when n % 3 = 0 then 'dealers' else 'products' end, file_name, \
         file_size, sha256, case n % 100 when 0 then 'FAILED' when 1 then 'CANCELLED' \
         else 'COMPLETED' end, options, detected, warnings, source_server, 'client', created_at, \
         updated_at, completed_at, case when n < 290000 then completed_at end, \
         case when n % 50 = 7 then n - 3 end, case when n % 50 = 9 then n - 2 end, n % 20 \
         from numbers cross join import_log where import_log.id = 1"
    )
}

async fn filled(kind: Kind) -> (Server, Store) {
    let server = Server::start(kind).await;
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    server.database.execute(&fill(kind)).await;
    let settings = StoreSettings {
        database_url: server.database.url().map(str::to_owned),
        sqlite_path: server.data_dir().join("loadbay.sqlite"),
        schema: "loadbay".to_owned(),
        lease: std::time::Duration::from_secs(30),
    };
    let store = Store::connect(&settings).await.expect("the tables are up to date");
    (server, store)
}

/// A job that failed has errors, too.
const FAILED: &[&str] = &["import_log_by_status", "import_log_with_errors_by_status"];
const FAILED_OF_DATASET: &[&str] =
    &["import_log_by_dataset_and_status", "import_log_with_errors_by_dataset_and_status"];

fn failing(filter: JobFilter) -> JobFilter {
    JobFilter { with_errors: true, ..filter }
}

/// Each list, and the indexes one of which leads to it.
fn lists() -> Vec<(JobFilter, &'static [&'static str])> {
    let jobs = |status, dataset: Option<&str>, of, before| JobFilter {
        with_errors: false,
        status,
        dataset: dataset.map(str::to_owned),
        of,
        client: None,
        before,
        limit: 51,
    };
    let (done, failed) = (Some(JobStatus::Completed), Some(JobStatus::Failed));
    let products = Some("products");
    let client = |filter| JobFilter { client: Some("key:nightly".to_owned()), ..filter };
    vec![
        (client(jobs(None, None, None, None)), &["import_log_by_client"]),
        (client(jobs(done, products, None, Some(1000))), &["import_log_by_client"]),
        (jobs(None, None, None, None), &["import_log_pkey", "SCAN import_log"]),
        (jobs(None, None, None, Some(1000)), &["import_log_pkey", "INTEGER PRIMARY KEY"]),
        (jobs(done, None, None, None), &["import_log_by_status"]),
        (jobs(failed, None, None, None), FAILED),
        (jobs(failed, None, None, Some(250_000)), FAILED),
        (jobs(Some(JobStatus::Pending), None, None, None), &["import_log_by_status"]),
        (jobs(None, products, None, None), &["import_log_by_dataset"]),
        (jobs(None, products, None, Some(9)), &["import_log_by_dataset"]),
        (jobs(failed, products, None, None), FAILED_OF_DATASET),
        (jobs(done, products, None, Some(4000)), &["import_log_by_dataset_and_status"]),
        (jobs(None, None, Some(299_954), None), &["import_log_retries"]),
        (jobs(None, None, Some(299_954), None), &["import_log_rollbacks"]),
        (jobs(done, products, Some(299_954), Some(300_000)), &["import_log_retries"]),
        (failing(jobs(None, None, None, Some(250_000))), &["import_log_with_errors"]),
        (failing(jobs(done, None, None, None)), &["import_log_with_errors_by_status"]),
        (failing(jobs(None, products, None, None)), &["import_log_with_errors_by_dataset"]),
        (
            failing(jobs(done, products, None, None)),
            &["import_log_with_errors_by_dataset_and_status"],
        ),
        (failing(jobs(None, None, Some(299_954), None)), &["import_log_retries"]),
    ]
}

async fn every_list_has_its_index(kind: Kind) {
    let (server, store) = filled(kind).await;
    for is_analyzed in [false, true] {
        if is_analyzed {
            server.database.execute("analyze import_log").await;
        }
        for (filter, indexes) in lists() {
            let plan = plan(&store, &ListQuestion::Jobs(filter.clone())).await;
            let is_used = indexes.iter().any(|index| plan.contains(index));
            assert!(is_used, "{kind:?}, {filter:?}: {plan}");
            // The few children of a job may be sorted, and of one client the jobs that fit more filters.
            let is_sorted = plan.contains("Sort") || plan.contains("TEMP B-TREE");
            let is_narrow =
                filter.of.is_some() || (filter.client.is_some() && filter.dataset.is_some());
            assert!(!is_sorted || is_narrow, "{kind:?}, {filter:?}: {plan}");
            assert!(!plan.contains("Seq Scan"), "{kind:?}, {filter:?}: {plan}");
        }
        for skip in [0, 100_000, 190_000] {
            let page = ImportsPage { dataset: "products".into(), total: 196_000, skip, limit: 50 };
            let plan = plan(&store, &ListQuestion::Imports(page)).await;
            assert!(plan.contains("import_log_imports"), "{kind:?}, {skip}: {plan}");
            assert!(!plan.contains("Seq Scan"), "{kind:?}, {skip}: {plan}");
        }
        for after in [0, 299_000] {
            let plan = plan(&store, &ListQuestion::ImportsAfter("products".into(), after)).await;
            assert!(plan.contains("import_log_imports"), "{kind:?}, {after}: {plan}");
            assert!(!plan.contains("Seq Scan"), "{kind:?}, {after}: {plan}");
        }
    }
    the_lists_say_what_is_stored(&server, &store).await;
    store.close().await;
}

async fn plan(store: &Store, question: &ListQuestion) -> String {
    store.plan(question).await.expect("a plan").join("\n")
}

async fn the_lists_say_what_is_stored(server: &Server, store: &Store) {
    let of = JobFilter { of: Some(299_954), limit: 10, ..JobFilter::default() };
    let children = store.list(&of).await.unwrap();
    assert_eq!(children.iter().map(|job| job.id).collect::<Vec<_>>(), [299_957]);
    let total = store.imports_after("products", 0).await.unwrap();
    let stored = "select count(*) from import_log where dataset = 'products' and rollback_of is null and not dry_run";
    assert_eq!(total.imports, server.database.number(stored).await);
    // The last page, counted from the other end.
    let page = |skip| ImportsPage {
        dataset: "products".to_owned(),
        total: total.imports,
        skip,
        limit: 50,
    };
    let last = store.imports(&page(total.imports - 3)).await.unwrap();
    assert_eq!(last.iter().map(|job| job.id).collect::<Vec<_>>(), [4, 2, 1]);
    assert!(store.imports(&page(total.imports)).await.unwrap().is_empty());
    let answer = server.get("/api/jobs?limit=2").await;
    assert_eq!(answer.header("x-total-count"), Some(total.imports.to_string().as_str()));
    measured(server).await;
}

/// Prints how long the answers took; no test asserts a time.
async fn measured(server: &Server) {
    for path in [
        "/api/v1/import/jobs",
        "/api/v1/import/jobs?status=completed",
        "/api/v1/import/jobs?status=failed&limit=500",
        "/api/v1/import/jobs?status=pending",
        "/api/v1/import/jobs?dataset=products",
        "/api/v1/import/jobs?dataset=products&status=failed",
        "/api/v1/import/jobs?of=299954",
        "/api/jobs",
        "/api/jobs?page=1900",
        "/api/jobs?page=3900",
    ] {
        let mut times = Vec::new();
        for _ in 0..5 {
            let began = std::time::Instant::now();
            let answer = server.get(path).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            times.push(began.elapsed());
        }
        times.sort();
        println!("{:?} {path}: {:?}, at most {:?}", server.database.kind(), times[2], times[4]);
    }
    assert!(server.database.number("select count(*) from import_log").await >= JOBS);
}

#[tokio::test]
async fn every_list_has_its_index_on_sqlite() {
    every_list_has_its_index(Kind::Sqlite).await;
}

#[tokio::test]
async fn every_list_has_its_index_on_postgres() {
    every_list_has_its_index(Kind::Postgres).await;
}

/// Lists that hang keep neither other questions nor jobs from an answer.
#[tokio::test]
async fn lists_that_hang_keep_nobody_from_an_answer() {
    let mut server = Server::start(Kind::Postgres).await;
    let job = server.load("products", Upload::csv("SKU,Name\nA,Arnica\nA,Arnica 2\n")).await;
    let job = job["jobId"].as_i64().unwrap();
    server.database.execute("begin; lock table import_superseded in access exclusive mode").await;
    let path = format!("/api/v1/import/jobs/{job}/superseded");
    let hanging: Vec<_> = (0..20)
        .map(|_| {
            let asked = server.request(reqwest::Method::GET, &path);
            tokio::spawn(async move { asked.send().await.map(|answer| answer.status().as_u16()) })
        })
        .collect();
    // By another connection: the one that holds the lock is inside of its transaction.
    wait_until!(waiting(&server).await > 0, "no list waits for the lock; {}", server.log());
    assert_eq!(server.get("/readyz").await.status, 200);
    server.status(job).await.ok();
    let answer = server.jobs("?limit=1").await;
    assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
    let next = server.import("products", Upload::csv("SKU,Name\nB,Bryonia\n")).await;
    assert_eq!(server.get("/readyz").await.status, 200);
    for asked in hanging {
        let status = asked.await.unwrap().unwrap();
        assert!(matches!(status, 200 | 503), "{status}");
    }
    server.database.execute("rollback").await;
    assert_eq!(server.finished(next).await["status"], "completed");
    server.check_every_job().await;
}

async fn waiting(server: &Server) -> u64 {
    server.database.number("select count(*) from pg_locks where not granted").await
}
