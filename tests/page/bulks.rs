//! Several files at once: dropped, watched on the page of their bulk, cancelled and retried as one.

use std::io::Write;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::files::list;
use crate::looks::fits_a_phone;
use crate::support::{SLOW, Server};
use crate::visit::Visit;
use crate::visits;
use crate::watch::SMALL_CHUNKS;

/// Waits for the page of a bulk, and gives the id of the bulk.
async fn at_a_bulk(visit: &Visit) -> String {
    visit.until("location.pathname.startsWith('/bulks/')", &[]).await;
    visit.path().await.trim_start_matches("/bulks/").to_owned()
}

/// What stands in the line of a file, counted from 0.
async fn reads_file(visit: &Visit, index: usize, words: &str) {
    visit.reads(&format!("bulk-files [data-index='{index}']"), words).await;
}

/// Uploads files without the page; the id of their bulk.
async fn upload(server: &Server, files: &[(&str, String)]) -> String {
    let part =
        |text: &str, name: &str| Part::bytes(text.as_bytes().to_vec()).file_name(name.to_owned());
    let form =
        files.iter().fold(Form::new(), |form, (name, text)| form.part("files", part(text, name)));
    let request = server.request(Method::POST, "/api/v1/import/products").multipart(form);
    server.send(request).await.data()["bulkId"].as_str().unwrap().to_owned()
}

visits!(dropped_files_become_a_bulk_that_is_watched_to_its_end, |server, visit| {
    let (a, b) = (list("A", 5), list("B", 5) + "B-bad,\n");
    let files: [(&str, &[u8]); 4] = [
        ("A.csv", a.as_bytes()),
        ("notes.pdf", b"%PDF-1.7"),
        ("B.csv", b.as_bytes()),
        ("empty.csv", b"SKU\n"),
    ];
    visit.drop_files("#drop", &files).await;
    visit.reads("#send", "import 4 files").await;
    visit.click("#send").await;
    let bulk = at_a_bulk(visit).await;
    visit.reads("#status", "partly imported").await;
    visit.reads("bulk-page h1", "4 files").await;
    visit.reads("#not-imported", "2 files not imported").await;
    reads_file(visit, 0, "5 rows").await;
    reads_file(visit, 1, "PDF").await;
    reads_file(visit, 1, "refused").await;
    reads_file(visit, 2, "6 rows · 1 failed").await;
    reads_file(visit, 3, "Name").await;
    assert_eq!(server.database.number("select count(*) from products").await, 10);

    // Only what needs somebody.
    visit.click("#only-problems").await;
    visit.misses("bulk-files [data-index='0']").await;
    visit.sees("bulk-files [data-index='2']").await;
    visit.click("#only-problems").await;

    // To a job, back to its bulk, and after a reload all of it is there again.
    visit.click("bulk-files [data-index='2'] a").await;
    visit.until("location.pathname === '/jobs/2'", &[]).await;
    visit.reads("job-page", "B.csv").await;
    visit.click("job-page a.bulk").await;
    assert_eq!(at_a_bulk(visit).await, bulk);
    visit.reload().await;
    visit.reads("#status", "partly imported").await;
    reads_file(visit, 1, "PDF").await;

    visit.screen(390, 844, true).await;
    fits_a_phone(visit, "a bulk").await;
});

visits!(a_zip_is_a_bulk_and_files_that_are_all_refused_stay_on_the_card, |server, visit| {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for key in ["A", "B"] {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{key}.csv"), options).unwrap();
        zip.write_all(list(key, 3).as_bytes()).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    visit.choose_files(&[("lists.zip", &zip)]).await;
    visit.reads(".preview", "archive has no preview").await;
    visit.click("#send").await;
    at_a_bulk(visit).await;
    visit.reads("#status", "done").await;
    visit.reads("bulk-page h1", "2 files").await;
    assert_eq!(server.database.number("select count(*) from products").await, 6);

    visit.pardon("status of 422");
    visit.go("/").await;
    visit.choose_files(&[("x.csv", b"Colour\nred\n"), ("y.pdf", b"%PDF-1.7")]).await;
    visit.click("#send").await;
    visit.until("all('file-line').length === 2", &[]).await;
    visit.reads("file-line[data-state=refused]", "no column of the dataset").await;
    visit.until("text('upload-card').includes('PDF')", &[]).await;
    assert_eq!(visit.path().await, "/");
    visit.go("/bulks/0b7c5d1e-64a1-4c53-9c6a-9f3a0e0d7a11").await;
    visit.pardon("status of 404");
    visit.reads("bulk-page", "there is no such bulk").await;
});

visits!(
    a_bulk_is_cancelled_and_retried_as_a_whole,
    [SMALL_CHUNKS, SLOW, ("LOADBAY_MAX_RUNNING_JOBS", "1")],
    |server, visit| {
        let files =
            [("A.csv", list("A", 30_000)), ("B.csv", list("B", 20)), ("C.csv", list("C", 20))];
        let bulk = upload(server, &files).await;
        visit.go(&format!("/bulks/{bulk}")).await;
        visit.reads("#status", "running").await;
        reads_file(visit, 0, "of 30,000 rows").await;
        reads_file(visit, 1, "waiting").await;
        // The bar moves without a reload.
        let moves =
            "Number(one('bulk-files [data-index=\"0\"] progress-bar').ariaValueNow) > values[0]";
        for percentage in [0, 1] {
            visit.until(moves, &[json!(percentage)]).await;
        }
        visit.click("#actions button[data-action=cancel]").await;
        visit.click("dialog button[data-answer=yes]").await;
        visit.reads("#status", "cancelled").await;
        reads_file(visit, 2, "cancelled").await;

        visit.click("#actions button[data-action=retry]").await;
        visit.reads("dialog", "Files that failed or were cancelled · 3").await;
        visit.click("dialog button[data-answer=yes]").await;
        visit
            .until(
                "location.pathname.startsWith('/bulks/') && !location.pathname.includes(values[0])",
                &[json!(bulk)],
            )
            .await;
        visit.reads("bulk-page .about", "retry of another bulk").await;
        visit.sees("#actions button[data-action=cancel]").await;
        visit.click("#actions button[data-action=cancel]").await;
        visit.click("dialog button[data-answer=yes]").await;
        visit.reads("#status", "cancelled").await;
    }
);
