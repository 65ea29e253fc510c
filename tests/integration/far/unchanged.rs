//! `onlyIfChanged`: the same content is imported once.

use std::sync::atomic::{AtomicBool, Ordering};

use super::web::{Reply, Web};
use super::{OPEN, products};
use crate::support::*;
use serde_json::json;

both!(
    a_version_that_was_imported_is_not_sent_again,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3]],
    |server| {
        let web = Web::start(|_, asked| match asked.header("if-none-match") {
            Some("\"1\"") => Reply::status(304),
            _ => Reply::ranged(asked, products(40).as_bytes(), "\"1\""),
        });
        let body = json!({"url": web.url("/a.csv"), "onlyIfChanged": true});
        let first = server.far_job(body.clone()).await;
        assert_eq!(server.finished(first).await["counts"]["created"], 40);
        for _ in 0..2 {
            let again = server.finished(server.far_job(body.clone()).await).await;
            assert_eq!(
                (&again["status"], &again["progress"]["total"]),
                (&json!("completed"), &json!(0))
            );
            assert_eq!(again["download"]["unchangedSince"], first, "{again}");
            assert_eq!(again["results"]["totalRows"], 0);
        }
        // Other options may give other rows, and without the option everything is imported.
        let dry = json!({"url": web.url("/a.csv"), "onlyIfChanged": true, "blank": "keep"});
        for body in [dry, json!({"url": web.url("/a.csv")})] {
            let job = server.finished(server.far_job(body).await).await;
            assert_eq!(job["counts"]["unchanged"], 40, "{job}");
        }
    }
);

both!(
    content_is_compared_where_a_server_knows_no_versions,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3]],
    |server| {
        static IS_NEW: AtomicBool = AtomicBool::new(false);
        let web = Web::start(|_, asked| {
            let changed = asked.path.contains("sqlite") || IS_NEW.load(Ordering::Relaxed);
            Reply::file(products(if changed { 41 } else { 40 }))
        });
        let body = json!({"url": web.url("/a.csv"), "onlyIfChanged": true});
        let first = server.finished(server.far_job(body.clone()).await).await;
        let count = first["counts"]["created"].as_u64().unwrap();
        let again = server.finished(server.far_job(body.clone()).await).await;
        assert_eq!(again["download"]["unchangedSince"], first["jobId"], "{again}");
        assert_eq!(again["sha256"], first["sha256"]);
        if count == 40 {
            IS_NEW.store(true, Ordering::Relaxed);
            let changed = server.finished(server.far_job(body).await).await;
            assert_eq!(changed["counts"]["created"], 1, "{changed}");
        }
    }
);

both!(what_was_rolled_back_is_imported_again, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let web = Web::start(|_, asked| Reply::ranged(asked, products(7).as_bytes(), "\"1\""));
    let body = json!({"url": web.url("/a.csv"), "onlyIfChanged": true, "undo": true});
    let first = server.far_job(body.clone()).await;
    server.finished(first).await;
    let rollback = server.action(first, "rollback").await.ok()["jobId"].as_i64().unwrap();
    server.finished(rollback).await;
    let again = server.finished(server.far_job(body).await).await;
    assert_eq!(again["counts"]["created"], 7, "{again}");
});
