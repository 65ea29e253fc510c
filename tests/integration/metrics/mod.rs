//! `/metrics`: what is counted, in the text format that Prometheus reads.

mod prometheus;

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::*;

/// The value of a series, written as it is exposed; `None` where there is none.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().expect("a number"))
}

async fn scrape(server: &Server) -> String {
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
    answer.text().to_owned()
}

/// What `promtool check metrics` says.
fn lint(text: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed by scripts/test");
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = tool.wait_with_output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr))
}

both!(jobs_rows_bytes_and_codes_are_counted, |server| {
    let file = "SKU,Name,Qty,Extra\nA-1,Arnica,1,x\nA-2,Belladonna,many,x\nA-1,Arnica,2,x\n";
    server.load("products", Upload::csv(file)).await;
    server
        .load("products", Upload::csv("SKU,Name\nA-3,Calendula\n").option("dryRun", "true"))
        .await;
    server.get("/api/v1/import/status/99").await.assert_problem(404, "job_not_found");
    let text = scrape(server).await;
    assert_eq!(lint(&text), "", "{text}");
    for (series, expected) in [
        ("loadbay_rows_total{dataset=\"products\",outcome=\"created\"}", 1.0),
        ("loadbay_rows_total{dataset=\"products\",outcome=\"superseded\"}", 1.0),
        ("loadbay_rows_total{dataset=\"products\",outcome=\"failed\"}", 1.0),
        ("loadbay_rows_total{dataset=\"dealers\",outcome=\"created\"}", 0.0),
        ("loadbay_row_errors_total{code=\"not_a_number\"}", 1.0),
        ("loadbay_warnings_total{code=\"unused_columns\"}", 1.0),
        ("loadbay_problems_total{code=\"job_not_found\"}", 1.0),
        ("loadbay_jobs_ended_total{dataset=\"products\",status=\"completed\"}", 2.0),
        ("loadbay_jobs_ended_total{dataset=\"products\",status=\"failed\"}", 0.0),
        ("loadbay_chunk_seconds_count{dataset=\"products\"}", 2.0),
        ("loadbay_queue_wait_seconds_count{dataset=\"products\"}", 2.0),
        (
            "loadbay_upload_bytes_total{dataset=\"products\"}",
            f64::from(u32::try_from(file.len() + 23).unwrap()),
        ),
        ("loadbay_database_up", 1.0),
        ("loadbay_oldest_waiting_job_age_seconds", 0.0),
        ("loadbay_oldest_expired_lease_age_seconds", 0.0),
        ("loadbay_listeners{stream=\"job\"}", 0.0),
        ("loadbay_running_jobs_limit", 2.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in\n{text}");
    }
    let used = value(&text, "loadbay_memory_used_bytes").unwrap();
    assert!(used > 1_000_000.0, "{used} bytes are too few for a server");
    assert!(value(&text, "loadbay_pool_connections_limit{pool=\"requests\"}").unwrap() >= 1.0);
});

both!(
    waiting_jobs_failed_ones_and_listeners_are_seen,
    [("LOADBAY_MAX_RUNNING_JOBS", "1"), SLOW, ("LOADBAY_CHUNK_ROWS", "1")],
    |server| {
        let rows = |prefix: &str| -> String {
            let lines = (0..400).map(|row| format!("{prefix}-{row},Arnica\n"));
            format!("SKU,Name\n{}", lines.collect::<String>())
        };
        let first = server.import("products", Upload::csv(&rows("A"))).await;
        server.until(first, |job| job["status"] == "processing").await;
        let second = server.import("products", Upload::csv(&rows("B"))).await;
        let listener = server.events(second, "").await;
        wait_until!(
            {
                let text = scrape(server).await;
                let waiting = value(&text, "loadbay_jobs{dataset=\"products\",status=\"pending\"}");
                let age = value(&text, "loadbay_oldest_waiting_job_age_seconds").unwrap();
                let running = value(&text, "loadbay_running_jobs");
                let listens = value(&text, "loadbay_listeners{stream=\"job\"}");
                waiting == Some(1.0) && age > 0.0 && running == Some(1.0) && listens == Some(1.0)
            },
            "the metrics do not show it"
        );
        drop(listener);
        server.cancel(second).await.ok();
        server.cancel(first).await.ok();
        wait_until!(
            {
                let text = scrape(server).await;
                let ended = "loadbay_jobs_ended_total{dataset=\"products\",status=\"cancelled\"}";
                let listens = value(&text, "loadbay_listeners{stream=\"job\"}");
                value(&text, ended) == Some(2.0) && listens == Some(0.0)
            },
            "the metrics do not show it"
        );
        let strict = Upload::csv("SKU,Name\n,Nobody\n").option("onError", "abort");
        server.load("products", strict).await;
        let text = scrape(server).await;
        let failures = "loadbay_job_failures_total{code=\"aborted_on_error\"}";
        assert_eq!(value(&text, failures), Some(1.0), "{text}");
    }
);
