//! Memory that is used up changes the size of chunks, and nothing else.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::*;

/// So many products, of which every tenth has no name and every seventh the key of an earlier one.
fn list(count: usize) -> String {
    let row = |n: usize| match n {
        n if n % 10 == 9 => format!("A-{n},\n"),
        n if n % 7 == 6 => format!("A-{},Again {n}\n", n - 1),
        n => format!("A-{n},Arnica {n}\n"),
    };
    format!("SKU,Name\n{}", (0..count).map(row).collect::<String>())
}

async fn products(server: &Server) -> Vec<Vec<String>> {
    server.rows("select sku, name from products order by sku").await
}

async fn chunk_sizes(server: &Server, job: i64) -> Vec<u64> {
    let sql = format!(
        "select created_count + updated_count + unchanged_count + superseded_count + failed_count \
         from import_chunks where import_log_id = {job} order by number"
    );
    let rows = server.rows(&sql).await;
    rows.iter().map(|row| row.concat().parse().expect("a number")).collect()
}

/// Each look finds another pressure.
const CHANGING: (&str, &str) =
    ("FAILPOINTS", "memory.percent=50%return(85)->return(50);partition.after=sleep(20)");

both!(
    chunks_of_changing_sizes_give_the_same_rows_also_after_a_kill,
    [CHANGING, ("LOADBAY_CHUNK_ROWS", "100")],
    |server| {
        let job = server.import("products", Upload::csv(&list(10_000))).await;
        server.until(job, |status| status["progress"]["current"].as_u64() >= Some(1_500)).await;
        server.kill();
        server.restart();
        let status = server.finished(job).await;
        assert_eq!(status["status"], "completed", "{status}");
        let sizes = chunk_sizes(server, job).await;
        assert_eq!(sizes.iter().sum::<u64>(), 10_000);
        assert!(sizes.contains(&25), "{sizes:?}");
        assert!(sizes.contains(&75), "{sizes:?}");
        let sql = "select count(*) from import_events where event like '%memory_pressure%'";
        let told = server.rows(sql).await;
        assert_ne!(told.concat().concat(), "0");
        let rows = products(server).await;

        server
            .database
            .execute("delete from product_prices; delete from product_stocks; delete from products")
            .await;
        server.kill();
        server.restart_with(&[]);
        let plain = server.load("products", Upload::csv(&list(10_000))).await;
        assert_eq!(plain["counts"], status["counts"]);
        assert_eq!(products(server).await, rows);
    }
);

/// Used up at first; a while later there is room.
const USED_UP: (&str, &str) = ("FAILPOINTS", "memory.percent=40*return(95)->return(5)");

both!(no_job_starts_while_memory_is_used_up, [USED_UP], |server| {
    let job = server.import("products", Upload::csv(&list(10))).await;
    assert_eq!(server.status(job).await.ok()["status"], "pending");
    assert_eq!(server.finished(job).await["status"], "completed");
});

#[test]
fn a_server_has_two_heaps_unless_the_environment_says_how_many() {
    for (given, expected) in [(None, "MALLOC_ARENA_MAX=2"), (Some("5"), "MALLOC_ARENA_MAX=5")] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_loadbay"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(folder.path())
            .env_clear()
            .envs(given.map(|number| ("MALLOC_ARENA_MAX", number)))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let environment = std::fs::read(format!("/proc/{}/environ", server.id())).unwrap();
        let environment = String::from_utf8_lossy(&environment);
        assert!(environment.split('\0').any(|it| it == expected), "{line} {environment}");
        server.kill().unwrap();
        server.wait().unwrap();
    }
}
