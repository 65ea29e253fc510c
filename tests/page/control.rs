//! What may be done with a job: pause, resume, go next, retry, undo, delete, each by its button, and
//! what is said when the server refuses.

use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::files::{FAULTY, list};
use crate::support::{SLOW, Server, Upload};
use crate::visit::Visit;
use crate::visits;
use crate::watch::{SMALL_CHUNKS, hold_at};

fn button(action: &str) -> String {
    format!("#actions button[data-action={action}]")
}

const YES: &str = "dialog button[data-answer=yes]";
const NO: &str = "dialog button[data-answer=no]";

/// The buttons for the job, in their order.
async fn offers(visit: &Visit, actions: &[&str]) {
    let shown = "JSON.stringify(all('#actions button').map((it) => it.dataset.action)) === \
                 JSON.stringify(values[0])";
    visit.until(shown, &[json!(actions)]).await;
}

/// The tiles add up to the rows of the job.
async fn adds_up(visit: &Visit, tiles: &[(&str, u64)]) {
    let shown = "JSON.stringify(all('job-counts .tile').map((it) => [it.querySelector('dt').innerText, \
                 Number(it.querySelector('dd').innerText)])) === JSON.stringify(values[0])";
    visit.until(shown, &[json!(tiles)]).await;
}

/// Changes the tables as no client can.
fn execute(server: &Server, change: &str) {
    let path = server.data_dir().join("loadbay.sqlite");
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection.execute_batch(change).unwrap();
}

/// Changes the table of jobs; the server knows nothing else.
fn set(server: &mut Server, change: &str) {
    server.kill();
    execute(server, &format!("update import_log set {change}"));
    server.restart_in_place();
}

async fn goes_to(visit: &Visit, path: &str) {
    visit.until("location.pathname === values[0]", &[json!(path)]).await;
}

visits!(
    a_job_is_sent_to_the_front_paused_resumed_and_cancelled,
    [SMALL_CHUNKS, SLOW, ("LOADBAY_MAX_RUNNING_JOBS", "1")],
    |server, visit| {
        let long = server.import("products", Upload::csv(&list("L", 30_000))).await;
        for key in ["B", "C"] {
            server.import("products", Upload::csv(&list(key, 20))).await;
        }
        // The last in the queue, by its priority and by its button.
        visit.go("/jobs/3").await;
        offers(visit, &["force", "cancel"]).await;
        let priority = visit.element("#priority").await;
        priority.send_keys(Key::Backspace + "7" + Key::Enter).await.unwrap();
        server.until(3, |job| job["priority"] == 7).await;
        visit.reads("job-log", "priority set to 7").await;
        visit.click(&button("force")).await;
        visit.reads("job-progress .step", "first in the queue").await;

        // A job that is held answers late: the button says that it is under way.
        visit.go(&format!("/jobs/{long}")).await;
        offers(visit, &["pause", "cancel"]).await;
        let lock = hold_at(server, long, 300).await;
        visit.click(&button("pause")).await;
        visit.sees("#actions button[data-action=pause][aria-busy=true]").await;
        drop(lock);
        visit.reads("#status", "paused").await;
        offers(visit, &["resume", "cancel"]).await;
        visit.reads("job-progress .step", "paused").await;
        let third = server.finished(3).await;
        let second = server.finished(2).await;
        let started = |job: &Value| job["startedAt"].as_str().unwrap().to_owned();
        assert!(started(&third) < started(&second), "{third} went after {second}");

        // It stands still, and says why in the list too.
        visit.pardon("net::ERR_");
        let reached = server.status(long).await.ok()["progress"]["current"].clone();
        set(server, "error_code = 'storage_full', error_message = 'no space is left' where id = 1");
        visit.reload().await;
        visit.reads("#lack", "continues automatically when there is free space").await;
        visit.reads("#lack", "no space is left").await;
        visit.reads("#status", "paused, disk full").await;
        visit.click("nav a[href='./']").await;
        visit.reads("job-list [data-job='1']", "paused, disk full").await;
        visit.reads("job-list [data-job='1']", "continues automatically").await;
        let now = server.status(long).await.ok()["progress"]["current"].clone();
        assert_eq!(now, reached);

        visit.click("job-list [data-job='1'] a").await;
        visit.click(&button("resume")).await;
        visit.reads("#status", "running").await;
        visit.misses("#lack").await;

        // Asked in a dialog with the way back under the finger; with the keyboard alone.
        visit.tab_to(&button("cancel")).await;
        visit.press(Key::Enter).await;
        visit
            .until("one('dialog:modal') && document.activeElement.matches(values[0])", &[json!(NO)])
            .await;
        visit.press(Key::Escape).await;
        visit
            .until(
                "!one('dialog') && document.activeElement.matches(values[0])",
                &[json!(button("cancel"))],
            )
            .await;
        visit.press(Key::Enter).await;
        visit.tab_to(YES).await;
        visit.press(Key::Enter).await;
        let status = visit.job_ends().await;
        assert!(status.to_lowercase().contains("cancelled"), "{status}");
        offers(visit, &["retry", "delete"]).await;
        let answer = server.status(long).await;
        assert_eq!(answer.ok()["status"], json!("cancelled"));
        visit.sees("a[href$='unprocessed.xlsx']").await;

        // A file that the server gives no longer: the page says why. A page that saw the end itself
        // may ask for the job once more and take the link away; one that was loaded after it does
        // not.
        visit.pardon("status of 410");
        visit.reload().await;
        visit.stream_ends().await;
        set(server, "files_removed_at = completed_at where id = 1");
        visit.click("a[href$='unprocessed.csv']").await;
        visit.reads("job-results .refused", "were removed").await;
    }
);

visits!(
    a_job_that_stands_still_is_taken_over_by_its_button,
    [SMALL_CHUNKS, SLOW, ("LOADBAY_LEASE", "1s")],
    |server, visit| {
        // It has no server: the second one has its place.
        let first = server.import("products", Upload::csv(&list("A", 30_000))).await;
        server.until(first, |job| job["status"] == "processing").await;
        server.action(first, "pause").await.ok();
        let second = server.import("products", Upload::csv(&list("B", 30_000))).await;
        server.until(second, |job| job["status"] == "processing").await;
        server.action(first, "resume").await.ok();

        visit.go(&format!("/jobs/{second}")).await;
        offers(visit, &["pause", "cancel"]).await;
        visit.go(&format!("/jobs/{first}")).await;
        offers(visit, &["force", "pause", "cancel"]).await;
        visit.reads(&button("force"), "take over").await;
        visit.reads("#quiet", "Take over continues it on another server").await;
        visit.click(&button("force")).await;
        visit.reads("dialog", "No progress for").await;
        visit.click(YES).await;
        visit.misses("dialog").await;
        server.until(first, |job| job["priority"] == 1000).await;
        visit.reads("job-log", "taken from its server").await;
        for job in [second, first] {
            server.cancel(job).await.ok();
        }
        visit.job_ends().await;
    }
);

visits!(a_retry_without_rows_cannot_be_sent, |_server, visit| {
    let asks = "return Promise.all(['job-questions', 'ask-dialog'].map((name) => \
                import(`/page/${name}.js`))).then(([{ question }, { ask }]) => { \
                const job = { counts: { failed: 0 }, progress: { current: 0, total: 0 } }; \
                ask(document.body, question('retry', { job }), async () => {}); return true; })";
    assert_eq!(visit.run(asks, &[]).await, true);
    visit.reads("dialog", "there is nothing to import again").await;
    visit.sees(&format!("{YES}:disabled")).await;
    visit.press(Key::Escape).await;
    visit.misses("dialog").await;
});

visits!(failed_rows_are_retried_an_import_is_undone_and_jobs_deleted, |server, visit| {
    let upload = Upload::file("faulty.csv", FAULTY).option("undo", "true");
    let job = server.import("products", upload).await;
    visit.go(&format!("/jobs/{job}")).await;
    visit.click(&button("retry")).await;
    visit.sees("dialog input[value=failed]:checked").await;
    visit.sees("dialog input[value=all]:enabled").await;
    visit.sees("dialog input[value=unprocessed]:disabled").await;
    visit.click(YES).await;
    goes_to(visit, "/jobs/2").await;
    visit.job_ends().await;
    visit.reads("job-page .about", "retry of job 1 (failed rows)").await;
    let tiles = [("Created", 0), ("Updated", 0), ("Unchanged", 0), ("Replaced by a later row", 0)];
    adds_up(visit, &[&tiles[..], &[("Failed", 4), ("Not reached", 0)]].concat()).await;
    visit.misses("job-counts .sum").await;

    // One of the two records is changed before the import is taken back.
    execute(server, "update products set name = 'By hand' where sku = 'F-5'");
    visit.click("job-page .about a[href='jobs/1']").await;
    offers(visit, &["retry", "rollback", "delete"]).await;
    visit.click(&button("rollback")).await;
    visit.reads("dialog", "2 records that it created are removed").await;
    visit.click(YES).await;
    goes_to(visit, "/jobs/3").await;
    let status = visit.job_ends().await;
    assert!(status.to_lowercase().contains("some kept"), "{status}");
    visit.reads("job-page .about", "rollback of job 1").await;
    let tiles = [("Removed", 1), ("Restored", 0), ("Unchanged", 0), ("Kept", 1)];
    adds_up(visit, &[&tiles[..], &[("Not reached", 0)]].concat()).await;
    visit.reads("job-results", "1 record that job 1 created was removed").await;
    visit.reads(".error-group", "Changed after the import").await;
    assert_eq!(server.rows("select name from products").await.concat(), ["By hand"]);
    offers(visit, &["delete"]).await;

    // The import knows what came of it.
    visit.click("job-page .about a[href='jobs/1']").await;
    let family = "retried by job 2 (failed rows, done, with errors) · rolled back by job 3 (done, some kept)";
    visit.reads("job-facts .family", family).await;
    visit.sees("job-facts .family a[href='jobs/3']").await;
    let undone =
        "2 rows were written. Job 3 rolled this import back, except for 1 record that it kept.";
    visit.reads("job-results", undone).await;
    visit.pardon("net::ERR_");
    set(server, "import_status = 'CANCELLED' where id = 3");
    visit.reload().await;
    visit.reads("job-results", "Job 3 rolled back 1 record of them.").await;
    // After that it does not notice what is changed behind its back.
    visit.stream_ends().await;
    set(server, "import_status = 'COMPLETED' where id = 3");

    // What the server refuses is said in its words, and what may be done is looked up again.
    visit.pardon("status of 4");
    offers(visit, &["retry", "rollback", "delete"]).await;
    set(server, "files_removed_at = completed_at where id = 1");
    visit.click(&button("retry")).await;
    visit.click(YES).await;
    visit.reads("#actions .said", "were removed").await;
    offers(visit, &["delete"]).await;

    visit.click(&button("delete")).await;
    visit.reads("dialog", "the imported rows stay").await;
    visit.click(YES).await;
    goes_to(visit, "/").await;
    visit.reads("job-list [data-job='2']", "retry of job 1 (failed rows)").await;
    visit.reads("job-list [data-job='3']", "1 removed · 1 kept").await;
    visit.misses("job-list [data-job='1']").await;

    // Deleted by somebody else in the meantime.
    visit.click("job-list [data-job='2'] a").await;
    offers(visit, &["retry", "delete"]).await;
    let path = "/api/v1/import/jobs/2";
    server.send(server.request(reqwest::Method::DELETE, path)).await.ok();
    visit.click(&button("delete")).await;
    visit.click(YES).await;
    visit.reads("job-page", "job 2 was deleted").await;
    visit.click("job-page a.button").await;
    visit.sees("job-list [data-job='3']").await;
    visit.misses("job-list [data-job='2']").await;

    // Who looks at the list sees it go.
    let path = "/api/v1/import/jobs/3";
    server.send(server.request(reqwest::Method::DELETE, path)).await.ok();
    visit.misses("job-list [data-job='3']").await;
    visit.reads("job-list", "no jobs yet").await;
});
