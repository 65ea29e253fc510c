//! The model test: random files, one after another into the same tables, against a plain map in
//! memory. Whatever the size of the chunks and the number of writers, the tables end as the map
//! says. `PROPTEST_CASES` sets how many lists of files are tried on each database,
//! `PROPTEST_RNG_SEED` which ones.

mod expect;
pub(crate) mod files;

use std::sync::{Mutex, PoisonError};

use crate::support::*;
use expect::Model;
use files::{Import, imports};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

/// Lists of files for each database unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 16;

/// A server with these rows in a chunk and this many writers.
struct Setup {
    server: Server,
    name: String,
}

async fn setups(kind: Kind) -> Vec<Setup> {
    let wanted: &[(&str, &str)] = match kind {
        Kind::Sqlite => &[("1", "1"), ("3", "1"), ("7", "1"), ("50", "1")],
        Kind::Postgres => &[("1", "2"), ("3", "1"), ("4", "3"), ("7", "2"), ("50", "2")],
    };
    let mut setups = Vec::new();
    for (rows, writers) in wanted {
        let settings = [("LOADBAY_CHUNK_ROWS", *rows), ("LOADBAY_WRITERS", *writers)];
        let server = Server::start_with(kind, &settings).await;
        let name = format!("{kind:?} with {rows} rows a chunk and {writers} writers");
        setups.push(Setup { server, name });
    }
    setups
}

async fn empty(server: &Server) {
    for table in ["product_prices", "product_stocks", "products", "categories", "brands"] {
        server.database.execute(&format!("delete from {table}")).await;
    }
}

/// Imports the files one after another and compares after each.
async fn follow(setup: &Setup, list: &[Import]) -> Result<(), String> {
    let server = &setup.server;
    empty(server).await;
    let mut model = Model::default();
    for (place, import) in list.iter().enumerate() {
        let job = server.load("products", import.upload()).await;
        let expected = model.apply(import);
        expected
            .differs(server, &job, &model)
            .await
            .map_err(|what| format!("{}, file {}: {what}\n{}", setup.name, place + 1, import))?;
    }
    Ok(())
}

fn check(kind: Kind) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let setups = Mutex::new(runtime.block_on(setups(kind)));
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
        max_shrink_iters: 200,
        failure_persistence: None,
        ..default
    };
    let mut runner = TestRunner::new(config);
    let next = std::cell::Cell::new(0);
    let outcome = runner.run(&imports(), |(list, choice)| {
        let setups = setups.lock().unwrap_or_else(PoisonError::into_inner);
        next.set(next.get() + 1);
        let setup = &setups[choice % setups.len()];
        runtime.block_on(follow(setup, &list)).map_err(TestCaseError::fail)
    });
    let mut setups = setups.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Err(failure) = outcome {
        panic!("PROPTEST_RNG_SEED={seed}, after {} lists of files: {failure}", next.get());
    }
    for setup in &mut setups {
        assert!(setup.server.is_running(), "{} died", setup.name);
    }
    // The databases are dropped where there is a runtime.
    runtime.block_on(async move { drop(setups) });
}

#[test]
fn sqlite_ends_as_the_model_says() {
    check(Kind::Sqlite);
}

#[test]
fn postgres_ends_as_the_model_says() {
    check(Kind::Postgres);
}
