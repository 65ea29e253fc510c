//! From a file in somebody's hand to a job: dropping, choosing, the preview, options, refusals.

use serde_json::json;
use thirtyfour::Key;

use crate::files::{FAULTY, corpus, list, medicine_list};
use crate::support::Server;
use crate::visit::{Visit, told};
use crate::visits;

/// The job's page shows its end, all bars are full, and the list counts so many created products.
async fn ends_well(visit: &Visit, job: u64, rows: u64) {
    visit.until("location.pathname === values[0]", &[json!(format!("/jobs/{job}"))]).await;
    let status = visit.job_ends().await;
    assert!(status.to_lowercase().contains("done"), "the page says {status}");
    let full = "all('[role=progressbar]').length >= 2 && \
                all('[role=progressbar]').every((bar) => bar.ariaValueNow === '100')";
    visit.until(full, &[]).await;
    let lines = visit.whole_log().await;
    let expected: Vec<u64> = (2..rows + 2).collect();
    assert!(told(&lines, "created") == expected, "the log tells of other rows: {lines:?}");
}

/// The page shows the end of the job.
async fn ends_at_job(visit: &Visit, job: u64) {
    visit.until("location.pathname === values[0]", &[json!(format!("/jobs/{job}"))]).await;
    visit.job_ends().await;
}

visits!(a_dropped_list_is_shown_before_it_is_sent_and_watched_to_its_end, |server, visit| {
    visit.drop_files("#drop", &[("medicine list.csv", &medicine_list())]).await;
    for words in ["medicine list.csv", "Potency", "Pack Size", "Acid fluor."] {
        visit.reads("upload-card", words).await;
    }
    visit.sees(".preview").await;
    assert_eq!(server.jobs("").await.ok()["jobs"], json!([]), "nothing is sent before it is asked");

    visit.click("#send").await;
    ends_well(visit, 1, 24).await;
    visit.reads("job-page", "medicine list.csv").await;
    visit.reads("job-results", "24").await;
    let potencies = server.database.number("select count(*) from potencies").await;
    let lines = visit.whole_log().await;
    let references = lines.iter().filter(|line| line.is("reference")).count();
    assert_eq!(references as u64, potencies, "{lines:?}");
});

visits!(the_real_list_is_chosen_and_loaded_as_csv_and_as_xls, |server, visit| {
    for (job, extension) in [(1, "csv"), (2, "xls")] {
        let name = format!("Template_File_Medicine_Product_List.{extension}");
        let Some(bytes) = corpus(&name) else { continue };
        server.database.execute("delete from product_stocks; delete from products").await;
        visit.go("/").await;
        visit.choose_files(&[(&name, &bytes)]).await;
        visit.reads(".preview", "Potency").await;
        visit.click("#send").await;
        ends_well(visit, job, 2_288).await;
    }
});

/// A workbook whose second sheet has the products, below a title.
fn two_sheets() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let old = book.add_worksheet().set_name("Old").unwrap();
    for (row, cells) in [["SKU", "Name"], ["OLD-1", "Former"]].iter().enumerate() {
        old.write_row(u32::try_from(row).unwrap(), 0, *cells).unwrap();
    }
    let new = book.add_worksheet().set_name("New").unwrap();
    let rows = [["Spring", "list"], ["SKU", "Name"], ["NEW-1", "Recent"]];
    for (row, cells) in rows.iter().enumerate() {
        new.write_row(u32::try_from(row).unwrap(), 0, *cells).unwrap();
    }
    book.save_to_buffer().unwrap()
}

visits!(sheet_and_header_row_are_chosen_where_the_preview_shows_them, |server, visit| {
    visit.choose_files(&[("lists.xlsx", &two_sheets())]).await;
    visit.reads(".first-rows", "OLD-1").await;
    let choose = "const it = document.querySelector(arguments[0]); it.value = arguments[1]; \
                  it.dispatchEvent(new Event('change')); return true;";
    visit.run(choose, &[json!("#choose-sheet"), json!("New")]).await;
    visit.reads(".first-rows", "NEW-1").await;
    visit.until("one('#choose-header-row').value === '2'", &[]).await;
    visit.run(choose, &[json!("#choose-header-row"), json!("3")]).await;
    visit.reads(".preview", "required columns are missing").await;
    visit.run(choose, &[json!("#choose-header-row"), json!("2")]).await;
    visit.until("!one('#send').disabled", &[]).await;
    visit.click("#send").await;
    ends_at_job(visit, 1).await;
    assert_eq!(server.database.value("select sku from products").await, "NEW-1");
});

visits!(warnings_are_shown_before_and_after_an_import, |server, visit| {
    let text = "SKU,Name,Shelf\nW-1,Arnica,A3\n";
    visit.choose_files(&[("shelves.csv", text.as_bytes())]).await;
    visit.reads(".preview .warnings", "shelf").await;
    visit.click("#send").await;
    ends_at_job(visit, 1).await;
    visit.reads("job-warnings", "shelf").await;
    let stored = server.database.value("select warnings from import_log").await;
    assert!(stored.contains("unused_columns"), "{stored}");
});

visits!(the_preview_tells_what_is_wrong_and_what_is_missing, |server, visit| {
    visit.choose_files(&[("faulty.csv", FAULTY.as_bytes())]).await;
    visit.reads(".preview", "free").await;
    visit.reads(".preview", "Belladonna").await;
    visit.until("!one('#send').disabled", &[]).await;

    visit.go("/").await;
    visit.choose_files(&[("no-names.csv", b"SKU,Price\nA-1,2\n")]).await;
    visit.reads("upload-card", "Name").await;
    visit.until("one('#send').disabled", &[]).await;

    visit.pardon("status of 422");
    visit.pardon("status of 415");
    visit.go("/").await;
    visit.choose_files(&[("nothing.csv", b"")]).await;
    visit.reads("upload-card", "empty").await;
    visit.go("/").await;
    visit.choose_files(&[("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")]).await;
    visit.reads("upload-card", "PNG image").await;
    assert_eq!(server.jobs("").await.ok()["jobs"], json!([]));
});

visits!(a_header_is_given_its_column_by_hand, |server, visit| {
    let file = b"Artikel,Name\nX-1,Arnica\nX-2,Belladonna\n";
    visit.choose_files(&[("artikel.csv", file)]).await;
    visit.reads(".preview", "Artikel").await;
    visit.until("one('#send').disabled", &[]).await;
    let column = visit.element("select[aria-label='What Artikel becomes']").await;
    column.send_keys("SKU").await.unwrap();
    visit.click("#send").await;
    ends_well(visit, 1, 2).await;
    let skus = server.rows("select sku from products order by sku").await;
    assert_eq!(skus.concat(), ["X-1", "X-2"]);
});

/// Bytes in a second that leave the browser; none is no limit.
async fn upload_speed(visit: &Visit, bytes: i64) {
    let network = json!({"offline": false, "latency": 0, "downloadThroughput": -1,
                         "uploadThroughput": bytes});
    visit.devtools("Network.emulateNetworkConditions", network).await;
}

visits!(a_slow_upload_shows_its_bytes_and_can_be_cancelled, |server, visit| {
    visit.choose_files(&[("slow.csv", list("S", 20_000).as_bytes())]).await;
    visit.reads(".preview", "Remedy").await;
    upload_speed(visit, 50_000).await;
    visit.click("#send").await;
    let moving = "one('upload-card [role=progressbar]').ariaValueNow > values[0] && \
                  one('upload-card [role=progressbar]').ariaValueNow < 100";
    for percentage in [0, 20] {
        visit.until(moving, &[json!(percentage)]).await;
    }
    visit.click("upload-card .foot button:not(#send)").await;
    visit.sees("#send").await;
    visit.misses("upload-card [role=progressbar]").await;
    assert_eq!(server.jobs("").await.ok()["jobs"], json!([]));

    upload_speed(visit, -1).await;
    visit.click("#send").await;
    visit.until("location.pathname === '/jobs/1'", &[]).await;
    visit.job_ends().await;
    assert_eq!(server.database.number("select count(*) from products").await, 20_000);
});

/// Adds a second dataset, so that there is one to choose.
async fn with_suppliers(server: &mut Server) {
    let table = "create table suppliers (id integer primary key, \
                 code varchar(32) not null unique, name varchar(255) not null)";
    server.database.execute(table).await;
    let definition = "name = \"suppliers\"\ntable = \"suppliers\"\nkey = [\"code\"]\n\n\
                      [[column]]\nname = \"code\"\nrequired = true\nmax_length = 32\n\n\
                      [[column]]\nname = \"name\"\nrequired = true\nmax_length = 255\n";
    server.define("suppliers", definition, &[]);
}

#[tokio::test]
async fn the_keyboard_alone_is_enough() {
    let mut server = Server::start(crate::support::Kind::Sqlite).await;
    with_suppliers(&mut server).await;
    let mut visit = Visit::begin(&server).await;
    visit.sees("#dataset").await;
    visit.tab_to("#dataset").await;
    visit.press("s").await;
    visit.until("one('#dataset').value === 'suppliers'", &[]).await;
    visit.tab_to("#file, #drop, #drop *").await;

    // The dialog of the system is not the page's; what it gives back is.
    visit.choose_files(&[("suppliers.csv", b"Code,Name\nS-1,Acme\nS-2,Bolt\n")]).await;
    visit.reads(".preview", "Acme").await;
    visit.tab_to("upload-card summary").await;
    visit.press(Key::Enter).await;
    visit.sees("upload-card details[open] [name=mode]").await;
    visit.tab_to("upload-card [name=mode]").await;
    visit.press(Key::Down).await;
    visit.until("one('upload-card [name=mode]').value === 'insert'", &[]).await;
    visit.until("!one('#send').disabled", &[]).await;
    visit.tab_to("#send").await;
    visit.press(Key::Enter).await;

    visit.until("location.pathname === '/jobs/1'", &[]).await;
    visit.job_ends().await;
    let job = server.status(1).await;
    assert_eq!(job.ok()["counts"]["created"], 2, "{}", job.text());
    assert_eq!(job.data()["options"]["mode"], "insert", "{}", job.text());
    assert_eq!(job.data()["dataset"], "suppliers");
    visit.end().await;
    server.check_every_job().await;
}

visits!(a_file_is_imported_from_its_address, |server, visit| {
    // No public machine answers a test: the job says why it cannot have the file.
    visit.click("#address").await;
    visit.press("https://files.invalid/prices.csv?signature=s3cret").await;
    visit.click("#fetch").await;
    visit.until("location.pathname === '/jobs/1'", &[]).await;
    visit.reads("job-page", "https://files.invalid/prices.csv?…").await;
    let status = server.status(1).await.ok().clone();
    assert_eq!(status["download"]["isComplete"], false, "{status}");
    assert_eq!(server.cancel(1).await.status, 200);
    visit.go("/").await;
    visit.click("#address").await;
    visit.pardon("422");
    visit.press("http://127.0.0.1/prices.csv").await;
    visit.click("#fetch").await;
    visit.reads("#address-why", "private address").await;
});
