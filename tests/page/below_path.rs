//! The page below a path, behind nginx as the documentation shows it. The visit ends by checking that
//! the page asked for nothing beside that path.

use crate::files::FAULTY;
use crate::support::{Kind, Nginx, Server, Settings};
use crate::visit::Visit;

/// Waits until the address bar shows this address of the server.
async fn at(visit: &Visit, path: &str) {
    let path = format!("/loadbay{path}");
    visit.until("location.pathname === values[0]", &[path.into()]).await;
}

/// Uploads a file with faults, looks at everything, and comes back to the start.
async fn everything_works(settings: Settings<'_>) {
    let mut server = Server::start_with(Kind::Sqlite, settings).await;
    let nginx = Nginx::below_path(&server);
    let below = format!("{}/loadbay", nginx.address());
    let mut visit = Visit::begin_at(&below).await;

    visit.drop_files("#drop", &[("faulty.csv", FAULTY.as_bytes())]).await;
    visit.sees(".preview").await;
    visit.click("#send").await;
    at(&visit, "/jobs/1").await;
    visit.job_ends().await;
    visit.until("all('.error-group').length === 3", &[]).await;
    let link =
        visit.run("return document.querySelector(\"a[href$='errors.csv']\").href", &[]).await;
    assert_eq!(link, format!("{below}/api/v1/import/jobs/1/errors.csv"));
    let file = "return fetch(arguments[0]).then((answer) => answer.status)";
    assert_eq!(visit.run(file, &[link]).await, 200);

    // A job's own address is loaded, not only shown.
    visit.reload().await;
    at(&visit, "/jobs/1").await;
    visit.until("all('.error-group').length === 3", &[]).await;
    // The link is seen by those who come to it with the keyboard.
    visit.run("document.querySelector('.skip').click()", &[]).await;
    visit.until("document.activeElement.id === 'main'", &[]).await;
    at(&visit, "/jobs/1").await;
    visit.click("nav a[href='./']").await;
    at(&visit, "/").await;
    visit.reads("job-list", "faulty.csv").await;
    visit.click("job-list a[href='jobs/1']").await;
    at(&visit, "/jobs/1").await;
    visit.run("history.back()", &[]).await;
    at(&visit, "/").await;
    visit.click("job-list a[href*='status=completed']").await;
    visit.until("location.search === '?status=completed'", &[]).await;
    at(&visit, "/").await;
    visit.click("header .brand").await;
    visit.until("location.search === ''", &[]).await;

    visit.go("/products/import-export-advanced").await;
    visit.until("location.search.includes('dataset=products')", &[]).await;
    visit.go("/docs/errors").await;
    visit.until("getComputedStyle(document.querySelector('main')).maxWidth !== 'none'", &[]).await;
    visit.end().await;
    server.check_every_job().await;
}

#[tokio::test]
async fn the_page_works_below_a_path_that_the_proxy_tells() {
    everything_works(&[("LOADBAY_TRUSTED_PROXIES", "127.0.0.1")]).await;
}

#[tokio::test]
async fn the_page_works_below_a_path_that_the_setting_tells() {
    everything_works(&[("LOADBAY_PATH_PREFIX", "/loadbay")]).await;
}
