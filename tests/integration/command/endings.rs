//! Every exit code of an import.

use serde_json::json;

use super::{ended, program};
use crate::streams::files::products;
use crate::support::{SLOW, Upload, both};

const GOOD: &str = "SKU,Name\nA-1,Arnica\nA-2,Bryonia\n";
const BAD: &str = "SKU,Name\nA-1,Arnica\n,Bryonia\n";

both!(a_good_file_ends_with_0_and_prints_what_became_of_it, |server| {
    server.file("good.csv", GOOD);
    let ended = server.run(&["import", "good.csv", "--dataset", "products"]);
    assert_eq!(ended.with(0), "job 1 (good.csv): completed, 2 created\n");
    let ended = server.run(&["import", "good.csv", "-d", "products", "--json"]);
    assert_eq!(ended.json(0), *server.status(2).await.ok());
    assert_eq!(ended.json(0)["counts"]["unchanged"], 2);
});

both!(failed_rows_end_with_3_unless_they_are_allowed, |server| {
    server.file("bad.csv", BAD);
    let import = ["import", "bad.csv", "--dataset", "products"];
    let ended = server.run(&import);
    assert_eq!(ended.with(3), "job 1 (bad.csv): completed, 1 created, 1 failed\n");
    assert!(ended.err.contains("loadbay errors 1"), "{}", ended.err);
    server.run(&[&import[..], &["--allow-errors"]].concat()).with(0);
});

both!(a_refused_file_and_a_failed_job_end_with_4, |server| {
    server.file("picture.csv", "%PDF-1.4\n");
    let refused = server.run(&["import", "picture.csv", "--dataset", "products"]);
    assert_eq!(refused.with(4), "");
    assert!(refused.err.contains("PDF"), "{}", refused.err);
    server.file("bad.csv", BAD);
    let unknown = server.run(&["import", "bad.csv", "--dataset", "prodcts"]);
    unknown.with(4);
    assert!(unknown.err.contains("did you mean `products`?"), "{}", unknown.err);
    let failed = server.run(&["import", "bad.csv", "-d", "products", "--on-error", "abort"]);
    assert!(failed.with(4).contains("job 1 (bad.csv): failed"), "{}", failed.out);
});

both!(
    a_cancelled_job_ends_with_5_and_a_wait_that_is_over_with_6,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        server.file("long.csv", &products("L", 60_000));
        server.run(&["import", "long.csv", "-d", "products", "--detach"]).with(0);
        let over = server.run(&["watch", "1", "--wait", "300ms"]);
        over.with(6);
        let watch = "loadbay watch 1 --server";
        assert!(over.err.contains(watch), "{}", over.err);
        // Somebody else cancels it while a command watches.
        let command = std::thread::scope(|scope| {
            let watching = scope.spawn(|| server.run(&["watch", "1"]));
            server.run(&["cancel", "1"]).with(0);
            watching.join().unwrap()
        });
        assert!(command.with(5).contains("job 1 (long.csv): cancelled"), "{}", command.out);
        server.run(&["watch", "1"]).with(5);
    }
);

#[test]
fn without_a_server_an_import_ends_with_7() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.csv"), GOOD).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = format!("http://{closed}");
    let arguments = ["import", "good.csv", "-d", "products", "--retry-for", "1s", "--server"];
    let ended = ended(program(folder.path()).args(arguments).arg(&server));
    ended.with(7);
    assert!(ended.err.contains("does not answer"), "{}", ended.err);
}

#[test]
fn what_cannot_be_meant_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.csv"), GOOD).unwrap();
    for arguments in [
        &["import", "good.csv"][..],
        &["import", "none.csv", "--dataset", "products"],
        &["import", "*.ods", "--dataset", "products"],
        &["import", "good.csv", "--dataset", "products", "--wait", "soon"],
        &["import", "good.csv", "--dataset", "products", "--errors-to", "bad.txt"],
        &["import", "good.csv", "--dataset", "products", "--server", "nowhere:port"],
        &["import", "good.csv", "--dataset", "products", "--key-file", "none"],
        &["import", "good.csv", "--dataset", "products", "--detach", "--local"],
        &["watch", "twelve"],
        &["frobnicate"],
    ] {
        ended(program(folder.path()).args(arguments)).with(2);
    }
    let import = ["import", "*.ods", "--dataset", "products", "--if-any"];
    ended(program(folder.path()).args(import)).with(0);
}

both!(a_server_that_is_away_for_a_moment_is_asked_again, |server| {
    server.file("good.csv", GOOD);
    server.terminate();
    let arguments = ["import", "good.csv", "-d", "products", "--json", "--retry-for", "60s"];
    let mut command = server.program();
    let running = std::thread::spawn(move || ended(command.args(arguments)));
    server.restart_in_place();
    let ended = running.join().unwrap();
    assert_eq!(ended.json(0)["counts"]["created"], 2);
});

both!(the_same_key_imports_once, |server| {
    server.file("good.csv", GOOD);
    let import = ["import", "good.csv", "-d", "products", "--idempotency-key", "tonight", "--json"];
    let first = server.run(&import).json(0);
    assert_eq!(server.run(&import).json(0), first);
    let detached = server.run(&["import", "good.csv", "-d", "products", "--detach"]);
    assert_eq!(detached.with(0), "2\n");
    server.finished(2).await;
});

both!(jobs_of_the_api_are_watched_and_told, |server| {
    let job = server.import("products", Upload::csv(BAD)).await.to_string();
    let ended = server.run(&["watch", &job, "--json", "--errors-to", "failed.csv"]);
    assert_eq!(
        ended.json(3)["counts"],
        json!({
            "created": 1, "updated": 0, "unchanged": 0, "superseded": 0, "failed": 1
        })
    );
    let failed = std::fs::read_to_string(server.folder().join("failed.csv")).unwrap();
    assert!(failed.contains(",Bryonia,3,"), "{failed}");
});
