//! Datasets on the page: made from a table or a file, shown with their columns; and failed rows that are
//! corrected where they are shown.

use serde_json::json;

use crate::support::{Server, Upload};
use crate::visit::Visit;
use crate::visits;

/// A table beside the server's own, with two rows.
async fn shop(server: &Server) {
    let tables = "create table makers (id integer primary key, name varchar(80) not null unique);
         insert into makers (name) values ('Acme');
         create table parts (id integer primary key, number varchar(40) not null unique, \
         label varchar(200) not null, maker_id integer references makers (id), \
         price numeric(10,2));
         create table notes (id integer primary key, remark text);";
    server.database.execute(tables).await;
}

const LIST: &str = "Artikel,Art.-Nr.,Preis\nBirne,A1,\"1,50\"\nApfel,A2,\"2,25\"\nApfel,A3,\n";

visits!(
    a_file_becomes_a_dataset_and_is_imported,
    [("LOADBAY_DATASETS_DIR", ".")],
    |server, visit| {
        visit.click("a[href='new-dataset']").await;
        visit.sees(".table-list").await;
        visit.choose_files(&[("price list.csv", LIST.as_bytes())]).await;
        visit.reads("definition-form", "Rows with a value of their own").await;
        visit.click("#check-dataset").await;
        visit.reads(".definition", "create_table = true").await;
        visit.click("#save-dataset").await;
        let chosen = "location.pathname === '/' && \
                  document.getElementById('dataset').value === 'price_list'";
        visit.until(chosen, &[]).await;
        visit.reads(".preview", "A1").await;
        visit.click("#send").await;
        visit.until("location.pathname === values[0]", &[json!("/jobs/1")]).await;
        visit.job_ends().await;
        assert_eq!(server.database.number("select count(*) from price_list").await, 3);

        visit.go("/new-dataset").await;
        visit.sees(".table-list").await;
        visit.choose_files(&[("price list.csv", LIST.as_bytes())]).await;
        visit.reads("dataset-maker .faults", "There is a dataset price_list already").await;
        visit.sees("#replace-dataset").await;
    }
);

visits!(a_table_becomes_a_dataset, [("LOADBAY_DATASETS_DIR", ".")], |server, visit| {
    shop(server).await;
    visit.go("/new-dataset").await;
    visit.reads(".table-list", "no unique index").await;
    visit.click("button[aria-label='Use parts']").await;
    visit.reads("definition-form", "which stays as it is").await;
    visit.click("#save-dataset").await;
    visit.until("document.getElementById('dataset')?.value === 'parts'", &[]).await;
    visit.go("/datasets/parts").await;
    for words in ["Number", "required", "A name in makers, which must be there", "At most 40"] {
        visit.reads("dataset-page", words).await;
    }
    visit.go("/datasets/nothing").await;
    visit.reads("dataset-page", "There is no dataset nothing").await;
    visit.pardon("404");
});

/// Writes into a field as a person would.
async fn fill(visit: &Visit, css: &str, text: &str) {
    let write = "const it = document.querySelector(arguments[0]); it.value = arguments[1]; \
                 for (const kind of ['input', 'change']) it.dispatchEvent(new Event(kind, { bubbles: true }));";
    visit.sees(css).await;
    visit.run(write, &[json!(css), json!(text)]).await;
}

const GOODS: &str = "Code,Zip,Seen,Note\nA1,12345,03.02.2026,\nA2,54321,04.02.2026,x\n";

visits!(
    the_rules_of_a_column_are_given_on_the_page,
    [("LOADBAY_DATASETS_DIR", ".")],
    |server, visit| {
        visit.go("/new-dataset").await;
        visit.sees(".table-list").await;
        visit.choose_files(&[("goods.csv", GOODS.as_bytes())]).await;
        visit.sees("definition-form tbody tr").await;
        for column in ["code", "zip", "seen", "note"] {
            visit.click(&format!("summary[aria-label='More rules of {column}']")).await;
        }
        fill(visit, "select[aria-label='Type of zip']", "text").await;
        fill(visit, "input[aria-label='Pattern of zip']", "[0-9]{5").await;
        visit.click("#check-dataset").await;
        visit.reads("dataset-maker .faults", "pattern").await;
        fill(visit, "input[aria-label='Pattern of zip']", "[0-9]{5}").await;
        fill(visit, "input[aria-label='Example of zip']", "12345").await;
        fill(visit, "textarea[aria-label='Date formats of seen']", "%d.%m.%Y").await;
        fill(visit, "select[aria-label='Default of note']", "lower").await;
        fill(visit, "input[aria-label='Value or column of the default of note']", "code").await;
        visit.click("input[aria-label='Sensitive of zip']").await;
        visit.click("#check-dataset").await;
        for line in [
            "pattern    = \"[0-9]{5}\"",
            "formats    = [\"%d.%m.%Y\"]",
            "default    = { column = \"code\", case = \"lower\" }",
            "sensitive  = true",
        ] {
            visit.reads(".definition", line).await;
        }
        visit.click("#save-dataset").await;
        visit.until("document.getElementById('dataset')?.value === 'goods'", &[]).await;
        let text =
            "Code,Zip,Seen,Note\nA1,12345,03.02.2026,\nA2,1,03.02.2026,\nA3,12345,2026-02-03,\n";
        let job = server.load("goods", Upload::csv(text)).await;
        assert_eq!(job["counts"]["created"], 1, "{job}");
        assert_eq!(server.rows("select note from goods").await, [["a1"]]);
        visit.pardon("422");
    }
);

visits!(failed_rows_are_corrected_on_the_page, |server, visit| {
    let text = "SKU,Name,Selling Price\nA1,Arnica,$ 1.50\nA2,Belladonna,2\nA3,Bryonia,much\n";
    server.load("products", Upload::csv(text)).await;
    visit.go("/jobs/1").await;
    visit.click("row-corrector button").await;
    visit.sees("#send-corrected").await;
    assert_eq!(visit.count(".correct tbody tr").await, 2);
    visit.click("#correct-currency").await;
    visit.reads("row-corrector [role=status]", "1 cell changed").await;
    let write = "const cell = document.querySelectorAll('.correct tr:last-child input[aria-invalid]')[0]; \
                 cell.value = '3.75'; cell.dispatchEvent(new Event('input')); return true;";
    visit.run(write, &[]).await;
    visit.click("#send-corrected").await;
    visit.until("location.pathname === values[0]", &[json!("/jobs/2")]).await;
    visit.job_ends().await;
    let prices = server.rows("select sku, selling_price from products order by sku").await;
    assert_eq!(prices, [["A1", "1.5"], ["A2", "2"], ["A3", "3.75"]]);
});

visits!(a_large_file_is_shown_by_its_beginning, |server, visit| {
    let mut text = String::from("SKU,Name,Description\n");
    let filler = "x".repeat(400);
    for row in 0..20_000 {
        text.push_str(&format!("L{row},Name,{filler}\n"));
    }
    visit.choose_files(&[("large.csv", text.as_bytes())]).await;
    visit.reads(".preview", "This is the beginning of the file").await;
    visit.reads(".preview", "L3").await;
    assert_eq!(server.jobs("").await.ok()["jobs"], json!([]));
});
