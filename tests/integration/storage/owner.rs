//! A server on another database than the one that the files belong to removes none of them.

use std::path::Path;

use super::files::{age, failed_keys, folders, list, until};
use crate::s3::S3;
use crate::support::*;

/// How often the log says that the files belong to another database.
fn warnings(server: &Server) -> usize {
    server.log().matches("belong to another database").count()
}

/// A job of its own is loaded, and its files go after `LOADBAY_RETENTION`: the storage was looked
/// through more than once by then.
async fn load_and_forget(server: &Server, is_left: impl Fn() -> usize) {
    let before = is_left();
    let job = server.import("products", Upload::csv(&list("N", 10))).await;
    server.finished(job).await;
    until(server, || is_left() == before).await;
    server.errors_file(job, "csv").await.assert_problem(410, "files_removed");
}

both!(files_survive_a_start_on_the_wrong_database, |server| {
    let job = server.import("products", Upload::csv(&list("A", 10))).await;
    server.finished(job).await;
    server.kill();
    let uploads = server.data_dir().join("uploads");
    age(&uploads);
    let other = Database::create(Kind::Postgres, server.folder()).await;
    let url = other.url().unwrap();
    server.restart_with(&[("DATABASE_URL", url), ("LOADBAY_RETENTION", "1s")]);
    until(server, || warnings(server) > 0).await;
    load_and_forget(server, || folders(&uploads).len()).await;
    assert_eq!(folders(&uploads).len(), 1, "{}", server.log());
    assert_eq!(warnings(server), 1, "said once");
    let mark = server.data_dir().join("database-id");
    let log = server.log();
    assert!(log.contains(&format!("remove {}", mark.display())), "the way out: {log}");
    assert!(server.terminate().success());

    server.restart_with(&[]);
    assert_eq!(failed_keys(server, job).await.len(), 2);
    assert!(server.terminate().success());
    // Who moved for good says so: what the new database does not know goes.
    let copy = uploads.join("../kept");
    std::fs::rename(folders(&uploads).remove(0), &copy).unwrap();
    let left = crate::storage::files::plant(&uploads);
    age(&left);
    std::fs::remove_file(mark).unwrap();
    server.restart_with(&[("DATABASE_URL", url)]);
    until(server, || folders(&uploads).is_empty()).await;
    assert!(server.terminate().success());
    let uuid = format!("select uuid from import_log where id = {job}");
    std::fs::rename(copy, uploads.join(server.database.value(&uuid).await)).unwrap();
    server.restart_with(&[]);
    assert_eq!(failed_keys(server, job).await.len(), 2);
});

/// How many uploads lie below a folder; a bucket keeps no folder without an object, but the folder
/// that stands for it does.
fn sources(root: &Path) -> usize {
    folders(root).iter().filter(|home| home.join("source").is_file()).count()
}

/// Two servers with a database each on one storage, whose files lie below `root`.
async fn one_storage_for_two(settings: Settings<'_>, root: &Path) {
    let mut one = Server::start_with(Kind::Sqlite, settings).await;
    let job = one.import("products", Upload::csv(&list("A", 10))).await;
    one.finished(job).await;
    one.kill();
    age(root);
    let mut settings = settings.to_vec();
    settings.push(("LOADBAY_RETENTION", "1s"));
    let two = Server::start_with(Kind::Sqlite, &settings).await;
    until(&two, || warnings(&two) > 0).await;
    load_and_forget(&two, || sources(root)).await;
    one.restart();
    assert_eq!(failed_keys(&one, job).await.len(), 2, "{}", two.log());
    assert_eq!(warnings(&one), 0);
    one.check_every_job().await;
}

#[tokio::test]
async fn the_bucket_of_another_system_is_left_alone() {
    let s3 = S3::start();
    one_storage_for_two(&s3.settings(&[]), &s3.bucket().join("of/loadbay")).await;
}

#[tokio::test]
async fn the_folder_of_another_system_is_left_alone() {
    let shared = tempfile::tempdir().unwrap();
    let url = format!("file://{}", shared.path().display());
    let uploads = shared.path().join("uploads");
    one_storage_for_two(&[("LOADBAY_STORAGE_URL", &url)], &uploads).await;
}
