//! What a server finds in the table when it starts: jobs that were cut off at an unlucky moment,
//! too often, or under other settings.

use crate::support::*;
use crate::survival::*;

/// Puts a job back to where it was just before its end was stored.
async fn undo_the_end(server: &mut Server, job: i64, attempts: u32) {
    server.kill();
    let sql = format!(
        "delete from import_events where import_log_id = {job} and created_at = \
         (select created_at from import_events where import_log_id = {job} and kind = 'complete'); \
         update import_log set import_status = 'PROCESSING', completed_at = null, \
         event_count = (select max(number) from import_events where import_log_id = {job}), \
         error_code = null, error_message = null, attempts = {attempts} where id = {job}"
    );
    server.database.execute(&sql).await;
    server.restart();
}

both!(
    a_job_goes_on_under_another_chunk_size_and_number_of_writers,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let (counts, expected) = undisturbed(server).await;
        server.load("products", Upload::csv(&before())).await;
        let job = server.import("products", Upload::csv(&file())).await;
        let mut seen = 0;
        for (rows, chunk, writers) in [(100, "7", "1"), (300, "1", "3"), (350, "33", "2")] {
            seen = reaches(server, job, seen, rows).await;
            server.kill();
            let settings = [SLOW, ("LOADBAY_CHUNK_ROWS", chunk), ("LOADBAY_WRITERS", writers)];
            server.restart_with(&settings);
        }
        let status = server.finished(job).await;
        assert_eq!(status["status"], "completed", "{status}");
        assert_eq!(status["counts"], counts);
        assert!(contents(server).await == expected, "the tables differ from an undisturbed run");
    }
);

both!(a_job_whose_end_was_not_stored_is_completed_without_writing_again, |server| {
    let text = "SKU,Name,Price\nA,Arnica,1\nB,Bryonia,2\nA,Arnica,3\n";
    let job = server.import("products", Upload::csv(text)).await;
    let before = server.finished(job).await;
    let stamps = "select sku, updated_at from products order by 1";
    let written = server.rows(stamps).await;
    undo_the_end(server, job, 1).await;
    let after = server.finished(job).await;
    assert_eq!(after["status"], "completed", "{after}");
    assert_eq!(after["counts"], before["counts"]);
    assert_eq!(server.rows(stamps).await, written);
});

both!(a_job_with_too_many_errors_fails_even_if_its_end_was_not_stored, |server| {
    let text = "SKU,Name,Price\nA,Arnica,x\nB,Bryonia,y\n";
    for (option, value, code) in
        [("maxErrors", "1", "too_many_errors"), ("onError", "abort", "aborted_on_error")]
    {
        let upload = Upload::csv(text).option(option, value);
        let job = server.import("products", upload).await;
        assert_eq!(server.finished(job).await["errorCode"], code);
        undo_the_end(server, job, 1).await;
        let status = server.finished(job).await;
        assert_eq!(status["status"], "failed", "{status}");
        assert_eq!(status["errorCode"], code, "{status}");
    }
});

both!(a_job_that_was_taken_up_three_times_in_vain_is_given_up, |server| {
    let job = server.import("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    server.finished(job).await;
    undo_the_end(server, job, 3).await;
    let status = server.finished(job).await;
    assert_eq!(status["status"], "failed", "{status}");
    assert_eq!(status["errorCode"], "crashed_repeatedly", "{status}");
    // Others run on.
    server.load("products", Upload::csv("SKU,Name\nB,Bryonia\n")).await;
});

both!(
    a_job_that_left_the_memory_is_shown_from_the_table_to_the_byte,
    [("LOADBAY_JOB_TTL", "0s"), ("LOADBAY_CHUNK_ROWS", "2")],
    |server| {
        let text = "SKU,Name,Price\nA,Arnica,1\nB,,2\nA,Arnica,3\nC,China,4\n";
        let job = server.import("products", Upload::csv(text)).await;
        server.finished(job).await;
        let shown = server.status(job).await.text().to_owned();
        // It leaves within the second after its end; a restart leaves nothing in memory for certain.
        server.kill();
        server.restart();
        assert_eq!(server.status(job).await.text(), shown);
        assert!(!server.log().contains("panicked"), "{}", server.log());
    }
);

/// A workbook whose conversion takes a while.
fn large_workbook(rows: u32) -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory().unwrap();
    for (column, title) in [(0, "SKU"), (1, "Name")] {
        sheet.write(0, column, title).unwrap();
    }
    for row in 1..=rows {
        sheet.write(row, 0, format!("W-{row:06}")).unwrap();
        sheet.write(row, 1, format!("Product {row}")).unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

both!(a_server_that_is_stopped_while_it_reads_a_workbook_goes_on_with_it, |server| {
    let rows = 20_000;
    let upload = Upload::file("large.xlsx", large_workbook(rows));
    let job = server.import("products", upload).await;
    server.until(job, |status| status["status"] != "pending").await;
    assert!(server.terminate().success(), "SIGTERM ends with 0");
    server.restart();
    let status = server.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["counts"]["created"], rows);
});
