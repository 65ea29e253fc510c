//! The commands that ask, order and write: status, jobs, errors, pause, resume, cancel, retry,
//! rollback, template, preview, completions, man.

use std::fs;

use super::{ended, program};
use crate::streams::files::products;
use crate::support::{SLOW, Upload, both};

const BAD: &str = "SKU,Name\nA-1,Arnica\n,Bryonia\n";

both!(jobs_and_their_errors_are_listed, |server| {
    server.load("products", Upload::csv(BAD)).await;
    let status = server.run(&["status", "1"]);
    assert!(status.with(0).contains("job 1 (products.csv): completed, 1 created, 1 failed"));
    assert!(status.out.contains("possible now: retry, delete"), "{}", status.out);
    assert_eq!(server.run(&["status", "1", "--json"]).json(0), *server.status(1).await.ok());

    let jobs = server.run(&["jobs"]);
    let rows: Vec<Vec<&str>> =
        jobs.with(0).lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..5], ["JOB", "STATUS", "DATASET", "ROWS", "FAILED"]);
    assert_eq!(rows[1][..5], ["1", "completed", "products", "2", "1"]);
    let none = server.run(&["jobs", "--status", "failed", "--dataset", "products", "--json"]);
    assert_eq!(none.json(0)["jobs"], serde_json::json!([]));
    server.run(&["jobs", "--status", "asleep"]).with(4);

    let errors = server.run(&["errors", "1"]);
    assert!(errors.with(0).contains("SKU is required"), "{}", errors.out);
    assert_eq!(server.run(&["errors", "1", "--groups", "--json"]).json(0)["total"], 1);
    server.run(&["errors", "1", "--to", "bad.csv"]).with(0);
    let bad = fs::read_to_string(server.folder().join("bad.csv")).unwrap();
    assert!(bad.contains(",Bryonia,3,"), "{bad}");
    for unknown in [&["status", "99"][..], &["errors", "99"], &["errors", "99", "--to", "x.csv"]] {
        server.run(unknown).with(4);
    }
    assert!(!server.folder().join("x.csv").exists());
});

both!(a_job_is_paused_resumed_and_cancelled, [SLOW, ("LOADBAY_CHUNK_ROWS", "10")], |server| {
    let job = server.import("products", Upload::csv(&products("L", 60_000))).await;
    server.until(job, |status| status["status"] == "processing").await;
    assert_eq!(server.run(&["pause", "1", "--json"]).json(0)["status"], "paused");
    let again = server.run(&["pause", "1"]);
    again.with(4);
    assert!(again.err.contains("is paused"), "{}", again.err);
    server.run(&["resume", "1"]).with(0);
    assert!(server.run(&["cancel", "1"]).with(0).contains("cancelled"));
});

both!(rows_are_imported_again_and_rolled_back, |server| {
    server.load("products", Upload::csv(BAD).option("undo", "true")).await;
    let retry = server.run(&["retry", "1", "--rows", "failed", "--json"]).json(3);
    assert_eq!((&retry["retryOf"], &retry["selection"]), (&1.into(), &"failed".into()));
    let back = server.run(&["rollback", "1"]);
    assert!(back.with(0).contains("1 removed"), "{}", back.out);
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    server.run(&["rollback", "2"]).with(4);
});

both!(a_dry_run_is_confirmed, |server| {
    server.file("p.csv", "SKU,Name\nA-1,Arnica\n");
    server.run(&["import", "p.csv", "-d", "products", "--dry-run"]).with(0);
    let job = server.run(&["confirm", "1", "--expect-unchanged", "--json"]).json(0);
    assert_eq!((&job["confirms"], &job["counts"]["created"]), (&1.into(), &1.into()));
    server.run(&["confirm", "1"]).with(4);
});

both!(templates_and_previews_need_no_job, |server| {
    let template = server.run(&["template", "products"]);
    assert!(template.with(0).starts_with("SKU,Name,"), "{}", template.out);
    server.run(&["template", "products", "--to", "t.xlsx"]).with(0);
    assert!(fs::read(server.folder().join("t.xlsx")).unwrap().starts_with(b"PK"));
    server.run(&["template", "nothing"]).with(4);

    server.file("p.csv", "Art;Name;MRP\nA-1;Arnica;free\n");
    let preview = server.run(&["preview", "p.csv", "-d", "products"]);
    let out = preview.with(4);
    assert!(out.contains("p.csv: csv, delimiter ;"), "{out}");
    assert!(out.contains("fault: The required column `SKU` is missing"), "{out}");
    let mapping = ["preview", "p.csv", "-d", "products", "--mapping", r#"{"Art": "sku"}"#];
    let out = server.run(&mapping);
    assert!(out.with(0).contains("row 2: `free` is not a number"), "{}", out.out);
    assert_eq!(server.run(&["jobs", "--json"]).json(0)["jobs"], serde_json::json!([]));
});

#[test]
fn the_program_describes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| ended(program(folder.path()).args(arguments));
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).with(0).contains("rollback"), "{shell}");
    }
    assert!(run(&["man"]).with(0).contains(".TH loadbay 1"));
    run(&["man", "--to", "pages"]).with(0);
    let page = fs::read_to_string(folder.path().join("pages/loadbay-import.1")).unwrap();
    assert!(page.contains("errors\\-to"), "{page}");
    assert!(run(&["import", "--help"]).with(0).contains("--header-row"));
    assert!(run(&["--version"]).with(0).starts_with("loadbay "));
}
