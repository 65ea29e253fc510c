//! What went wrong, and how somebody gets it right: groups of errors, the file of failed rows, and
//! files that want to be more than text.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::files::{FAULTY, mended};
use crate::support::{Server, Upload};
use crate::visit::Visit;
use crate::visits;

const DOWNLOAD_LIMIT: Duration = Duration::from_secs(30);

/// Waits until the folder has the whole file that the server gives at an address. Chromium makes the
/// file first, empty, to keep its name.
async fn downloaded(server: &Server, path: &str, folder: &Path) -> String {
    let answer = server.send(server.request(reqwest::Method::GET, path)).await;
    let whole = answer.text();
    let limit = Instant::now() + DOWNLOAD_LIMIT;
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    loop {
        let entries = std::fs::read_dir(folder).expect("the folder can be listed");
        let mut paths = entries.map(|entry| entry.expect("an entry").path());
        let found = paths.find(|it| it.extension().is_some_and(|end| end == "csv"));
        let text = found.map(|path| std::fs::read_to_string(path).expect("the file is UTF-8"));
        if text.as_deref() == Some(whole) {
            return text.unwrap_or_default();
        }
        assert!(Instant::now() < limit, "downloaded was {text:?}, not {whole:?}");
        looks.tick().await;
    }
}

visits!(failed_rows_are_shown_downloaded_mended_and_loaded, |server, visit| {
    let folder = server.folder().join("downloads");
    std::fs::create_dir(&folder).unwrap();
    let allowed = json!({"behavior": "allow", "downloadPath": folder});
    visit.devtools("Browser.setDownloadBehavior", allowed).await;

    visit.drop_files("#drop", &[("faulty.csv", FAULTY.as_bytes())]).await;
    visit.click("#send").await;
    visit.until("location.pathname === '/jobs/1'", &[]).await;
    let status = visit.job_ends().await;
    assert!(status.to_lowercase().contains("error"), "the page says {status}");
    visit.until("all('.error-group').length === 3", &[]).await;
    visit.reads(".error-group", "Not a number in Selling Price").await;
    visit.click(".error-group summary").await;
    for words in ["4", "F-3", "free", "5", "F-4", "cheap"] {
        visit.reads(".error-group tbody", words).await;
    }
    let lines = visit.whole_log().await;
    for row in [3, 4, 5, 7] {
        let found = lines.iter().any(|it| it.is("error") && it.row() == Some(row));
        assert!(found, "no line tells of row {row}: {lines:?}");
    }

    visit.click("a[href$='errors.csv']").await;
    let failed = downloaded(server, "/api/v1/import/jobs/1/errors.csv", &folder).await;
    assert_eq!(failed.lines().count(), 5, "{failed}");
    visit.go("/").await;
    visit.choose_files(&[("mended.csv", mended(&failed).as_bytes())]).await;
    visit.sees(".preview").await;
    visit.click("#send").await;
    visit.until("location.pathname === '/jobs/2'", &[]).await;
    visit.job_ends().await;
    assert_eq!(visit.count(".error-group").await, 0);
    let names = "select name from products order by sku";
    let expected = ["Arnica", "Belladonna", "Calendula", "Drosera", "Echinacea", "Ferrum"];
    assert_eq!(server.rows(names).await.concat(), expected);
});

const SCRIPT: &str = "<script>window.hacked = 1</script>";
const PICTURE: &str = "<img src=x onerror='window.hacked = 1'>";

/// Nothing of a file became an element of the page or ran in it.
async fn is_only_text(visit: &Visit) {
    let body = "return [window.hacked ?? 0, document.querySelectorAll( \
                'img[src=x], [onerror], body script, b.hostile').length]";
    assert_eq!(visit.run(body, &[]).await, json!([0, 0]));
}

async fn hostile_job(server: &Server, name: &str, file: &str) {
    let job = server.import("products", Upload::file(name, file)).await;
    server.finished(job).await;
}

visits!(hostile_names_and_cells_are_shown_as_text, |server, visit| {
    let name = "<img src=x onerror='window.hacked = 1'>&amp;.csv";
    let file = format!(
        "SKU,Name,Category,Selling Price,{PICTURE}\n\
         H-1,{SCRIPT},<b class=hostile>bold</b>,1,x\n\
         H-2,&lt;b&gt;,{PICTURE},{SCRIPT},y\n"
    );
    visit.drop_files("#drop", &[(name, file.as_bytes())]).await;
    for words in [SCRIPT, PICTURE, "&lt;b&gt;"] {
        visit.reads(".preview", words).await;
    }
    visit.reads("upload-card", name).await;
    is_only_text(visit).await;

    visit.click("#send").await;
    visit.until("location.pathname === '/jobs/1'", &[]).await;
    visit.job_ends().await;
    visit.reads("job-page", name).await;
    visit.reads(".error-group", SCRIPT).await;
    let lines = visit.lines().await;
    for words in [SCRIPT, "<b class=hostile>bold</b>"] {
        assert!(lines.iter().any(|line| line.text.contains(words)), "{words} in {lines:?}");
    }
    is_only_text(visit).await;

    // The same by the API, with the job's page and the list opened afterwards.
    hostile_job(server, name, &file).await;
    for path in ["/", "/jobs/2"] {
        visit.go(path).await;
        visit.reads("main", name).await;
        is_only_text(visit).await;
    }
    visit.pardon("status of 404");
    visit.go("/jobs/%3Cimg%20src=x%20onerror='window.hacked=1'%3E").await;
    visit.until("document.readyState === 'complete'", &[]).await;
    is_only_text(visit).await;
});
