//! The pictures of the page in the documentation: each state that users ask about, by day and by
//! night. `scripts/pictures` puts them into `docs/pictures`; as a test it shows that it can.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{Server, Upload};
use crate::visit::Visit;
use crate::visits;
use crate::watch::hold_at;

/// Pages that show pictures should load quickly.
const LARGEST: u64 = 160 * 1024;

const REMEDIES: [&str; 12] = [
    "Aconitum napellus",
    "Arnica montana",
    "Belladonna",
    "Bryonia alba",
    "Calendula officinalis",
    "Chamomilla",
    "Drosera",
    "Euphrasia",
    "Gelsemium",
    "Hepar sulphuris",
    "Nux vomica",
    "Pulsatilla",
];
const POTENCIES: [&str; 7] = ["6X", "12X", "6C", "30C", "200C", "1M", "LM 6"];
const FORMS: [(&str, &str); 4] =
    [("Dilutions", "30 ml"), ("Globules", "10 g"), ("Tablets", "80 tablets"), ("Drops", "50 ml")];

/// A supplier's list, dearer by `rise`; `faults` of a thousand rows have something wrong.
fn supplier_list(rows: usize, faults: usize, rise: usize) -> String {
    let mut text = "Item Code,Name,Category,Potency,Pack Size,Selling Price,Qty\n".to_owned();
    for row in 0..rows {
        let name = REMEDIES[row % 12];
        let (form, pack) = FORMS[row / 7 % 4];
        let potency = POTENCIES[row / 5 % 7];
        let price = format!("{}.{:02}", 4 + row * 7 % 31 + rise, row * 13 % 100);
        let is_faulty = row * 619 % 1000 < faults;
        let (code, name, price, stock) = match (is_faulty, row % 4) {
            (true, 0) => (String::new(), name, price, "12"),
            (true, 1) => (format!("HM-{row:06}"), "", price, "12"),
            (true, 2) => (format!("HM-{row:06}"), name, "on request".to_owned(), "12"),
            (true, _) => (format!("HM-{row:06}"), name, price, "-3"),
            _ => (format!("HM-{row:06}"), name, price, "120"),
        };
        text.push_str(&format!("{code},{name},{form},{potency},{pack},{price},{stock}\n"));
    }
    text
}

/// Where the pictures go: the folder that is asked for, or one that is forgotten.
fn folder(server: &Server) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the tests have no configuration")]
    let asked = std::env::var_os("LOADBAY_PICTURES");
    let folder = asked.map_or_else(|| server.folder().join("pictures"), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

/// Takes a picture in both schemes of colours.
async fn take(visit: &Visit, folder: &Path, name: &str) {
    visit.point_at_nothing().await;
    for colours in ["light", "dark"] {
        visit.prefer(colours).await;
        let path = folder.join(format!("{name}-{colours}.png"));
        visit.picture(&path).await;
        let size = std::fs::metadata(&path).expect("the picture is there").len();
        assert!(size < LARGEST, "{} has {size} bytes", path.display());
    }
    visit.prefer("light").await;
}

/// Jobs of all kinds of ends, for the list.
async fn earlier_jobs(server: &Server) {
    let broken = format!("{}\"HM-1,no end", supplier_list(20, 0, 0));
    for (name, text) in [("orders.csv", broken), ("price-update.csv", supplier_list(600, 0, 1))] {
        let job = server.import("products", Upload::file(name, text)).await;
        server.finished(job).await;
    }
    let stopped = Upload::file("stock-west.csv", supplier_list(4_000, 0, 1));
    let job = server.import("products", stopped).await;
    drop(hold_at(server, job, 1_000).await);
    server.cancel(job).await;
    server.finished(job).await;
}

visits!(pictures, [("LOADBAY_CHUNK_ROWS", "25")], |server, visit| {
    let folder = folder(server);
    visit.devtools("Emulation.setScrollbarsHidden", json!({"hidden": true})).await;
    visit.screen(1280, 1000, false).await;
    let faulty = supplier_list(1_200, 12, 0);
    visit.drop_files("#drop", &[("supplier-north.csv", faulty.as_bytes())]).await;
    visit.reads(".preview", "Arnica").await;
    take(visit, &folder, "upload").await;

    visit.click("#send").await;
    visit.until("location.pathname === '/jobs/1'", &[]).await;
    visit.screen(1280, 900, false).await;
    visit.job_ends().await;
    // Groups are asked for again now and then; at the end they hold all failed rows.
    let failed = server.status(1).await.ok()["counts"]["failed"].clone();
    let complete = "all('.error-group .many').reduce((sum, it) => sum + Number(it.innerText), 0)";
    visit.until(&format!("{complete} === values[0]"), &[failed]).await;
    take(visit, &folder, "finished").await;
    visit.click("#actions button[data-action=retry]").await;
    visit.sees("dialog").await;
    take(visit, &folder, "retry").await;

    visit.screen(1280, 800, false).await;
    earlier_jobs(server).await;
    let long = Upload::file("supplier-south.csv", supplier_list(9_900, 2, 2));
    let job = server.import("products", long).await;
    visit.go(&format!("/jobs/{job}")).await;
    // Late enough to know how long it will take.
    let lock = hold_at(server, job, 5_500).await;
    visit.reads("job-progress", "time left").await;
    let middle = "all('.error-group').length > 0 && \
                  all('job-progress [role=progressbar]').some((bar) => bar.ariaValueNow > 50 && \
                  bar.ariaValueNow < 100)";
    visit.until(middle, &[]).await;
    take(visit, &folder, "running").await;
    visit.go("/").await;
    visit.reads("job-list", "running").await;
    take(visit, &folder, "list").await;
    drop(lock);
    server.cancel(job).await;
    server.finished(job).await;
});
