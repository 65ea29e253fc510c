//! Watching jobs: the bars, a reload in the middle, a server that goes away, the list.

use std::time::Instant;

use crate::files::list;
use crate::support::{SLOW, Server, Upload};
use crate::visit::{Line, PATIENCE, Visit, told};
use crate::visits;

/// Rows of the jobs that are disturbed; with chunks of ten a job has 150 of them.
const ROWS: u64 = 1_500;

pub(crate) const SMALL_CHUNKS: (&str, &str) = ("LOADBAY_CHUNK_ROWS", "10");

/// Remembers every value that a bar shows, for as long as the document lives.
const RECORDER: &str = "
    window.recorded = {};
    const note = (bar) => {
        const name = bar.ariaLabel;
        const seen = (window.recorded[name] ??= []);
        const value = Number(bar.ariaValueNow ?? NaN);
        if (!Number.isNaN(value) && seen.at(-1) !== value) seen.push(value);
    };
    const all = () => document.querySelectorAll('[role=progressbar]').forEach(note);
    new MutationObserver(all).observe(document.body, { subtree: true, childList: true,
        attributes: true, attributeFilter: ['aria-valuenow'] });";

/// The database takes no write of the server as long as the value lives: jobs stand still.
pub(crate) fn hold(server: &Server) -> rusqlite::Connection {
    let lock = rusqlite::Connection::open(server.data_dir().join("loadbay.sqlite")).unwrap();
    // Asks without a pause: the server takes the lock again a moment after it has given it back.
    let ask_again = |_| {
        std::thread::yield_now();
        true
    };
    lock.busy_handler(Some(ask_again)).unwrap();
    lock.execute_batch("begin immediate").unwrap();
    lock
}

/// Stops the job as soon as so many of its rows are written.
pub(crate) async fn hold_at(server: &Server, job: i64, rows: u64) -> rusqlite::Connection {
    let limit = Instant::now() + PATIENCE;
    loop {
        let status = server.status(job).await;
        if status.ok()["progress"]["current"].as_u64() >= Some(rows) {
            return hold(server);
        }
        assert!(Instant::now() < limit, "the job does not get to row {rows}: {}", status.text());
    }
}

/// Stops the job when a third of its rows are written, and opens its page, which shows that. The job
/// does not run while the browser opens the page, which may take longer than the job.
async fn hold_in_the_middle(server: &Server, visit: &Visit, job: i64) -> rusqlite::Connection {
    let lock = hold_at(server, job, ROWS / 3).await;
    let status = server.status(job).await;
    let current = status.ok()["progress"]["current"].as_u64();
    assert!(current < Some(ROWS), "the job ended before it was disturbed");
    visit.go(&format!("/jobs/{job}")).await;
    shows_the_middle(visit).await;
    lock
}

/// The job's bar shows a part of the way, and its log has lines.
async fn shows_the_middle(visit: &Visit) {
    let middle = "all('job-page [role=progressbar]').some((bar) => \
                  bar.ariaValueNow > 25 && bar.ariaValueNow < 100) && \
                  all('job-log .line').length > 0";
    visit.until(middle, &[]).await;
}

/// Every row is told of, once, and so is the end.
fn is_whole(lines: &[Line], rows: u64) {
    let expected: Vec<u64> = (2..rows + 2).collect();
    let told = told(lines, "created");
    let (first, last) = (told.first(), told.last());
    assert!(told == expected, "{} rows, from {first:?} to {last:?}", told.len());
    assert_eq!(lines.iter().filter(|line| line.is("reference")).count(), 7);
    let ends = lines.iter().filter(|line| line.is("complete")).count();
    assert_eq!(ends, 1, "{:?}", lines.last());
}

/// A job of which the page sees many steps, however slow the browser is.
const SLOWER: (&str, &str) = ("FAILPOINTS", "partition.after=sleep(20)");

visits!(the_bars_move_forward_to_100, [SMALL_CHUNKS, SLOWER], |_server, visit| {
    visit.choose_files(&[("long.csv", list("L", ROWS).as_bytes())]).await;
    visit.sees(".preview").await;
    visit.run(RECORDER, &[]).await;
    visit.click("#send").await;
    visit.until("location.pathname === '/jobs/1'", &[]).await;
    visit.job_ends().await;
    let full = "all('job-page [role=progressbar]').every((bar) => bar.ariaValueNow === '100')";
    visit.until(full, &[]).await;
    let recorded = visit.run("return window.recorded", &[]).await;
    let bars: Vec<(String, Vec<u64>)> = serde_json::from_value::<serde_json::Map<_, _>>(recorded)
        .unwrap()
        .into_iter()
        .map(|(name, values)| (name, serde_json::from_value(values).unwrap()))
        .collect();
    for (name, values) in &bars {
        assert!(values.is_sorted(), "the bar {name} went back: {values:?}");
    }
    let moved = bars.iter().map(|(_, values)| values.len()).max();
    assert!(moved > Some(4), "no bar was seen to move: {bars:?}");
    is_whole(&visit.whole_log().await, ROWS);
    let title = visit.run("return document.title", &[]).await;
    assert_eq!(title, "Done · long.csv – Loadbay");
});

visits!(a_reload_in_the_middle_loses_nothing, [SMALL_CHUNKS, SLOWER], |server, visit| {
    let job = server.import("products", Upload::csv(&list("R", ROWS))).await;
    let lock = hold_in_the_middle(server, visit, job).await;
    visit.reload().await;
    shows_the_middle(visit).await;
    drop(lock);
    visit.job_ends().await;
    is_whole(&visit.whole_log().await, ROWS);

    // Whoever comes when all is over sees the same.
    visit.reload().await;
    visit.job_ends().await;
    visit.until("all('job-log .line').length > 0", &[]).await;
    is_whole(&visit.whole_log().await, ROWS);
});

visits!(a_server_that_comes_back_goes_on_where_it_was, [SMALL_CHUNKS, SLOWER], |server, visit| {
    visit.pardon("net::ERR_");
    let job = server.import("products", Upload::csv(&list("K", ROWS))).await;
    let lock = hold_in_the_middle(server, visit, job).await;
    visit.misses("#offline").await;
    server.kill();
    drop(lock);
    visit.sees("#offline").await;
    server.restart_in_place();
    visit.misses("#offline").await;
    let status = visit.job_ends().await;
    assert!(status.to_lowercase().contains("done"), "{status}");
    is_whole(&visit.whole_log().await, ROWS);
});

visits!(jobs_into_one_table_move_in_the_list_in_turn, [SMALL_CHUNKS, SLOW], |server, visit| {
    for key in ["A", "B"] {
        server.import("products", Upload::csv(&list(key, ROWS))).await;
    }
    let moves = "Number(one(`job-list [data-job='1'] [role=progressbar]`)?.ariaValueNow) > 15";
    let lock = hold_at(server, 1, 300).await;
    visit.until(moves, &[]).await;
    for (job, words) in [("1", "running"), ("2", "waiting")] {
        visit.reads(&format!("job-list [data-job='{job}']"), words).await;
    }
    drop(lock);
    for job in ["1", "2"] {
        visit.reads(&format!("job-list [data-job='{job}']"), "done").await;
    }
});

visits!(the_log_is_filtered_and_draws_only_what_is_seen, |server, visit| {
    let faulty = format!("{}L-9,,Class 1,1\nL-9,Last,Class 1,one\n", list("L", 2_000));
    let job = server.import("products", Upload::csv(&faulty)).await;
    visit.go(&format!("/jobs/{job}")).await;
    visit.job_ends().await;
    visit.reads("job-log .chip.created", "2,000").await;
    assert!(visit.count("job-log .line").await < 200, "the log draws lines that nobody sees");
    // It stays at its end, where the newest line is.
    visit.stream_ends().await;
    visit.click("job-log .chip.error").await;
    visit.until("all('job-log .line').length === 2", &[]).await;
    assert_eq!(told(&visit.lines().await, "error"), [2_002, 2_003]);
    visit.click("job-log .chip.error").await;
    visit.element("job-log input[type=search]").await.send_keys("remedy l-01234").await.unwrap();
    visit.until("all('job-log .line').length === 1", &[]).await;
    assert_eq!(told(&visit.lines().await, "created"), [1_236]);
});

visits!(the_filter_of_the_list_stands_in_the_address, |server, visit| {
    let broken = || Upload::file("broken.csv", "SKU,Name\nA,\n").option("onError", "abort");
    for upload in [broken(), Upload::file("whole.csv", "SKU,Name\nA,Arnica\n")] {
        let job = server.import("products", upload).await;
        server.finished(job).await;
    }
    visit.reads("job-list [data-job='1']", "broken.csv").await;
    visit.click("job-list a[href*='status=failed']").await;
    visit.until("all('job-list [data-job]').length === 1", &[]).await;
    visit.until("location.search.includes('status=failed')", &[]).await;
    visit.reload().await;
    visit.reads("job-list [data-job='1']", "failed").await;
    visit.misses("job-list [data-job='2']").await;
    // A job that comes in the meantime shows itself where it is wanted.
    let again = server.import("products", broken()).await;
    visit.sees(&format!("job-list [data-job='{again}']")).await;
    visit.run("history.back()", &[]).await;
    visit.sees("job-list [data-job='2']").await;
});

visits!(the_list_shows_the_jobs_with_errors, |server, visit| {
    let one_bad_row = Upload::file("faulty.csv", "SKU,Name\nA,Arnica\nB,\n");
    let aborted = Upload::file("broken.csv", "SKU,Name\nA,\n").option("onError", "abort");
    for upload in [one_bad_row, aborted, Upload::file("whole.csv", "SKU,Name\nA,Arnica\n")] {
        let job = server.import("products", upload).await;
        server.finished(job).await;
    }
    visit.sees("job-list [data-job='3']").await;
    visit.click("job-list a[href*='withErrors=true']").await;
    visit.misses("job-list [data-job='3']").await;
    visit.reads("job-list [data-job='1']", "faulty.csv").await;
    visit.reads("job-list [data-job='2']", "broken.csv").await;
    visit.reload().await;
    visit.sees("job-list [data-job='1']").await;
    visit.misses("job-list [data-job='3']").await;
    visit.click("job-list a[aria-current='true']").await;
    visit.sees("job-list [data-job='3']").await;
});

visits!(
    rows_of_an_import_as_a_whole_are_staged_until_its_end,
    [SMALL_CHUNKS, ("FAILPOINTS", "whole_file.rows=sleep(100)")],
    |server, visit| {
        let file = Upload::csv(&list("S", ROWS)).option("atomic", "true");
        let job = server.import("products", file).await;
        visit.go(&format!("/jobs/{job}")).await;
        visit.reads("job-progress .step", "Nothing is stored yet").await;
        visit.reads("job-progress", "of 1,500 rows staged").await;
        server.action(job, "cancel").await.ok();
        visit.job_ends().await;
        visit.reads("job-progress", "0 of 1,500 rows").await;
    }
);
