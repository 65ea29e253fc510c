//! Random files, one after another into the same tables, then taken back from the last to the first:
//! after each the tables are what they were before it, whatever the size of the chunks.
//! `PROPTEST_CASES` sets how many lists of files are tried on each database, `PROPTEST_RNG_SEED`
//! which ones.

use std::sync::{Mutex, PoisonError};

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use super::tables::*;
use crate::model::files::{Import, imports};
use crate::support::*;

/// Lists of files for each database unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 8;

async fn servers(kind: Kind) -> Vec<Server> {
    let mut servers = Vec::new();
    for (rows, writers) in [("1", "1"), ("3", "2"), ("50", "1")] {
        let settings = [("LOADBAY_CHUNK_ROWS", rows), ("LOADBAY_WRITERS", writers)];
        servers.push(Server::start_with(kind, &settings).await);
    }
    servers
}

async fn empty(server: &Server) {
    for table in ["product_prices", "product_stocks", "products", "categories", "brands"] {
        server.database.execute(&format!("delete from {table}")).await;
    }
}

type Tables = (Vec<Vec<String>>, Vec<Vec<String>>);

async fn tables(server: &Server) -> Tables {
    (products(server).await, current(server).await)
}

/// Imports the files one after another, then takes them back.
async fn there_and_back(server: &Server, list: &[Import]) -> Result<(), String> {
    empty(server).await;
    let mut done: Vec<(i64, u64, Tables)> = Vec::new();
    for import in list.iter().filter(|import| !import.dry_run) {
        let before = tables(server).await;
        let job = server.load("products", import.upload().option("undo", "true")).await;
        let count = |name: &str| job["counts"][name].as_u64().unwrap_or(0);
        let changed = count("created") + count("updated");
        done.push((job["jobId"].as_i64().unwrap_or(0), changed, before));
    }
    for (job, changed, before) in done.into_iter().rev() {
        if changed == 0 {
            server.action(job, "rollback").await.assert_problem(409, "nothing_to_undo");
            continue;
        }
        let status = take_back(server, job).await;
        let texts: String = list.iter().map(ToString::to_string).collect();
        if status["counts"]["failed"] != 0 || status["progress"]["total"] != changed {
            return Err(format!("{status}\n{texts}"));
        }
        let now = tables(server).await;
        if now != before {
            return Err(format!("job {job}: {now:?} instead of {before:?}\n{texts}"));
        }
    }
    Ok(())
}

fn check(kind: Kind) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let servers = Mutex::new(runtime.block_on(servers(kind)));
    #[expect(clippy::disallowed_methods, reason = "the tests have no configuration")]
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    let default = Config::default();
    let seed = match default.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => uuid::Uuid::new_v4().as_u64_pair().0,
    };
    let config = Config {
        cases: cases.unwrap_or(CASES),
        rng_seed: RngSeed::Fixed(seed),
        max_shrink_iters: 100,
        failure_persistence: None,
        ..default
    };
    let outcome = TestRunner::new(config).run(&imports(), |(list, choice)| {
        let servers = servers.lock().unwrap_or_else(PoisonError::into_inner);
        let server = &servers[choice % servers.len()];
        runtime.block_on(there_and_back(server, &list)).map_err(TestCaseError::fail)
    });
    let servers = servers.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Err(failure) = outcome {
        panic!("PROPTEST_RNG_SEED={seed}: {failure}");
    }
    // The databases are dropped where there is a runtime.
    runtime.block_on(async move { drop(servers) });
}

#[test]
fn sqlite_is_as_it_was_before_each_import() {
    check(Kind::Sqlite);
}

#[test]
fn postgres_is_as_it_was_before_each_import() {
    check(Kind::Postgres);
}
