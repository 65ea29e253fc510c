//! Answers that a shell reads: one line, headers, no JSON.

use reqwest::Method;

use crate::support::{Upload, both};

const PARTLY: &str = "SKU,Name\nA,Arnica\nB,\nC,Conium\n";

/// What a shell that evaluates the line finds in a variable.
fn in_shell(line: &str, variable: &str) -> String {
    let script = format!("{line}\nprintf %s \"${variable}\"");
    let said = std::process::Command::new("sh").arg("-euc").arg(script).output().unwrap();
    assert!(said.status.success(), "{line}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

both!(an_upload_is_answered_with_one_line_for_a_shell, |server| {
    let upload = || Upload::file("it's new.csv", PARTLY).header("Accept", "text/plain");
    let accepted = server.upload("products", upload()).await;
    assert_eq!((accepted.status, accepted.text().lines().count()), (202, 1), "{}", accepted.text());
    assert!(accepted.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(in_shell(accepted.text(), "job_id"), "1");
    assert_eq!(in_shell(accepted.text(), "status_url"), "/api/v1/import/status/1");
    server.finished(1).await;

    let done = server.upload("products", upload().header("Prefer", "wait=60")).await;
    assert_eq!(done.status, 200, "{}", done.text());
    for (variable, expected) in [
        ("job_status", "completed"),
        ("rows_total", "3"),
        ("rows_failed", "1"),
        ("rows_unchanged", "2"),
        ("rows_unprocessed", "0"),
        ("dry_run", "false"),
        ("file_name", "it's new.csv"),
        ("error", ""),
    ] {
        assert_eq!(in_shell(done.text(), variable), expected, "{}", done.text());
    }

    let refused = Upload::csv("SKU,Colour\nA,red\n").header("Accept", "text/plain");
    let refused = server.upload("products", refused).await;
    assert_eq!((refused.status, refused.text().lines().count()), (422, 1), "{}", refused.text());
    assert_eq!(in_shell(refused.text(), "job_status"), "refused");
    assert_eq!(in_shell(refused.text(), "error_code"), "missing_column");
    assert!(in_shell(refused.text(), "error").contains("`Name`"), "{}", refused.text());
    // Libraries of browsers name every kind and mean JSON.
    let json = upload().header("Accept", "application/json, text/plain, */*");
    assert!(server.upload("products", json).await.data()["jobId"].is_number());
    server.finished(3).await;
});

both!(the_status_has_the_counts_as_headers, |server| {
    server.load("products", Upload::csv(PARTLY)).await;
    let path = "/api/v1/import/status/1";
    for method in [Method::GET, Method::HEAD] {
        let status = server.send(server.request(method.clone(), path)).await;
        for (name, expected) in [
            ("x-job-id", "1"),
            ("x-job-status", "completed"),
            ("x-dry-run", "false"),
            ("x-rows-total", "3"),
            ("x-rows-processed", "3"),
            ("x-rows-created", "2"),
            ("x-rows-updated", "0"),
            ("x-rows-unchanged", "0"),
            ("x-rows-superseded", "0"),
            ("x-rows-failed", "1"),
            ("x-rows-unprocessed", "0"),
        ] {
            assert_eq!(status.header(name), Some(expected), "{name} of {method}");
        }
    }
    let line = server.send(server.request(Method::GET, path).header("Accept", "text/plain")).await;
    assert_eq!(in_shell(line.text(), "rows_failed"), "1");
    let gone = server.request(Method::GET, "/api/v1/import/status/7");
    let gone = server.send(gone.header("Accept", "text/plain")).await;
    assert_eq!((gone.status, in_shell(gone.text(), "error_code").as_str()), (404, "job_not_found"));
});
