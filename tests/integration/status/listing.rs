//! The list of jobs.

use serde_json::Value;

use crate::support::{Upload, both};

const GOOD: &str = "SKU,Name\nA,Arnica\n";

/// A file whose job fails.
fn failing() -> Upload {
    Upload::csv("SKU,Name\nA,\n").option("onError", "abort")
}

fn ids(page: &Value) -> Vec<i64> {
    let jobs = page["jobs"].as_array().unwrap();
    jobs.iter().map(|job| job["jobId"].as_i64().unwrap()).collect()
}

both!(jobs_are_listed_newest_first_page_by_page, |server| {
    assert_eq!(server.jobs("").await.ok()["jobs"], serde_json::json!([]));
    for n in 0..7 {
        let upload = if n == 3 { failing() } else { Upload::csv(GOOD) };
        let job = server.import("products", upload).await;
        server.finished(job).await;
    }
    let (mut found, mut query) = (Vec::new(), "?limit=3".to_owned());
    for expected in [3, 3, 1] {
        let page = server.jobs(&query).await.ok().clone();
        assert_eq!(ids(&page).len(), expected);
        found.extend(ids(&page));
        query = format!("?limit=3&cursor={}", page["nextCursor"].as_str().unwrap_or("none"));
    }
    assert!(query.ends_with("none"), "the last page has no next");
    assert_eq!(found, [7, 6, 5, 4, 3, 2, 1]);

    // A job that comes while the pages are turned does not shift them.
    let first = server.jobs("?limit=2").await.ok().clone();
    let late = server.import("products", Upload::csv(GOOD)).await;
    server.finished(late).await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = server.jobs(&format!("?limit=2&cursor={cursor}")).await.ok().clone();
    assert_eq!([ids(&first), ids(&second)].concat(), [7, 6, 5, 4]);
    let job = server.status(late).await.ok().clone();
    assert_eq!(server.jobs("?limit=1").await.ok()["jobs"][0], job, "as its status shows it");
});

both!(jobs_are_found_by_status_and_dataset, |server| {
    for upload in [Upload::csv(GOOD), failing(), Upload::csv(GOOD)] {
        let job = server.import("products", upload).await;
        server.finished(job).await;
    }
    for (query, expected) in [
        ("?status=completed", &[3, 1][..]),
        ("?status=failed", &[2]),
        ("?status=FAILED", &[2]),
        ("?status=pending", &[]),
        ("?dataset=products", &[3, 2, 1]),
        ("?dataset=products&status=failed&limit=5", &[2]),
    ] {
        assert_eq!(ids(server.jobs(query).await.ok()), expected, "{query}");
    }
    for (query, status, code, word) in [
        ("?status=done", 400, "invalid_option", "completed"),
        ("?dataset=nothing", 404, "unknown_dataset", "products"),
        ("?limit=0", 400, "invalid_option", "1 to 500"),
        ("?limit=many", 400, "invalid_option", "1 to 500"),
        ("?limit=1&limit=2", 400, "invalid_option", "one value"),
        ("?cursor=1", 400, "invalid_option", "nextCursor"),
        ("?cursor=", 400, "invalid_option", "nextCursor"),
        ("?page=2", 400, "unknown_option", "cursor"),
    ] {
        let answer = server.jobs(query).await;
        answer.assert_problem(status, code);
        assert!(answer.text().contains(word), "{query}: {}", answer.text());
    }
    assert_eq!(server.jobs("?limit=100000").await.ok()["jobs"].as_array().unwrap().len(), 3);
});
