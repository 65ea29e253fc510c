//! The page of a server with keys: it asks for one, keeps what was chosen when a session ends, says what a
//! key lacks, and signs out.

use std::process::Command;

use crate::support::{Kind, Server};
use crate::visit::Visit;

const CSV: &[u8] = b"SKU,Name\nA-1,Arnica\n";

/// A server with a key, and the page of a visitor who has none.
async fn server_with_key(scope: &str) -> (Server, String, Visit) {
    let mut server = Server::start(Kind::Sqlite).await;
    server.terminate();
    let output = Command::new(env!("CARGO_BIN_EXE_loadbay"))
        .args(["keys", "create", "clerk", "--scope", scope, "--data-dir"])
        .arg(server.data_dir())
        .env_clear()
        .output()
        .unwrap();
    let key = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(key.starts_with("loadbay_"), "{key}");
    server.restart();
    let mut visit = Visit::begin(&server).await;
    visit.pardon("status of 401");
    (server, key, visit)
}

impl Visit {
    /// Puts a key into the form, in place of what is in it, and sends it.
    async fn signs_in_with(&self, key: &str) {
        self.click("sign-in input").await;
        self.run("document.querySelector('sign-in input').value = ''", &[]).await;
        self.press(key).await;
        self.click("sign-in button").await;
    }
}

#[tokio::test]
async fn a_visitor_signs_in_with_a_key_and_out_again() {
    let (mut server, key, mut visit) = server_with_key("import,read").await;
    visit.sees("sign-in dialog[open]").await;
    visit.until("document.activeElement.id === 'key'", &[]).await;
    visit.signs_in_with("wrong").await;
    visit.reads("sign-in .note", "opens nothing").await;
    visit.signs_in_with(&key).await;
    visit.misses("sign-in").await;
    visit.reads("#who", "clerk (read, import)").await;
    visit.until("!document.cookie.includes('loadbay')", &[]).await;

    // What was asked for before there was a session came afterwards.
    visit.until("one('#dataset').length > 1", &[]).await;
    visit.reads("job-list .live", "Live").await;
    visit.drop_files("#drop", &[("good.csv", CSV)]).await;
    visit.sees(".preview").await;
    visit.click("#send").await;
    visit.job_ends().await;
    visit.reload().await;
    visit.job_ends().await;

    visit.click("#who button").await;
    visit.sees("sign-in dialog[open]").await;
    visit.misses("#who").await;
    visit.signs_in_with(&key).await;
    // The page of a job is shown as soon as its visitor may see it.
    visit.reads("job-page h1", "good.csv").await;
    visit.end().await;
    server.terminate();
}

#[tokio::test]
async fn a_session_that_ends_takes_nothing_away_that_was_chosen() {
    let (mut server, key, mut visit) = server_with_key("import,read").await;
    visit.signs_in_with(&key).await;
    visit.misses("sign-in").await;
    visit.drop_files("#drop", &[("good.csv", CSV)]).await;
    visit.sees(".preview").await;
    visit
        .until("one('#send') && !one('#send').disabled && text('.preview').includes('Arnica')", &[])
        .await;

    server.database.execute("delete from access_sessions").await;
    visit.click("#send").await;
    visit.sees("sign-in dialog[open]").await;
    assert_eq!(server.rows("select count(*) from import_log").await, [["0"]]);
    visit.signs_in_with(&key).await;
    visit.misses("sign-in").await;
    visit.reads(".files", "good.csv").await;
    visit.reads(".preview", "Arnica").await;
    visit.click("#send").await;
    visit.job_ends().await;
    visit.until("location.pathname === '/jobs/1'", &[]).await;
    visit.end().await;
    server.terminate();
}

#[tokio::test]
async fn the_page_says_which_scope_a_key_lacks() {
    let (mut server, key, mut visit) = server_with_key("read").await;
    visit.pardon("status of 403");
    visit.signs_in_with(&key).await;
    visit.misses("sign-in").await;
    visit.drop_files("#drop", &[("good.csv", CSV)]).await;
    visit.reads(".files", "needs a key with the scope import").await;
    visit.end().await;
    server.terminate();
}

#[tokio::test]
async fn a_server_without_keys_asks_for_none() {
    let server = Server::start(Kind::Sqlite).await;
    let visit = Visit::begin(&server).await;
    visit.reads("job-list .live", "Live").await;
    visit.misses("sign-in").await;
    visit.misses("#who").await;
    visit.end().await;
}
