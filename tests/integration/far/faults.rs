//! Lines that break, servers that lie or are silent, and our own server killed in the middle.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::web::{Reply, Web};
use super::{OPEN, products};
use crate::support::*;
use serde_json::json;

both!(a_cut_download_goes_on_where_it_was_cut, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let file = products(20_000);
    let (bytes, size) = (file.clone().into_bytes(), file.len());
    let web = Web::start(move |number, asked| {
        let reply = Reply::ranged(asked, &bytes, "\"1\"");
        if number < 3 { reply.cut(100_000) } else { reply }
    });
    let status = server.finished(server.far_job(json!({"url": web.url("/a.csv")})).await).await;
    assert_eq!(status["counts"]["created"], 20_000, "{status}");
    assert_eq!(status["fileSize"], size);
    let from: Vec<_> = web.asked().iter().map(crate::far::web::Asked::from).collect();
    assert_eq!(from, [None, Some(100_000), Some(200_000), Some(300_000)]);
});

both!(a_file_that_changed_meanwhile_begins_anew, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let web = Web::start(|number, asked| match number {
        0 => Reply::ranged(asked, products(9_000).replace("Arnica", "Old").as_bytes(), "\"1\"")
            .cut(100_000),
        _ => Reply::ranged(asked, products(9_000).as_bytes(), "\"2\""),
    });
    let status = server.finished(server.far_job(json!({"url": web.url("/a.csv")})).await).await;
    assert_eq!(status["counts"]["created"], 9_000, "{status}");
    let old = server.rows("select count(*) from products where name like 'Old%'").await;
    assert_eq!(old.concat().concat(), "0");
    assert_eq!(status["download"]["etag"], "\"2\"");
});

both!(
    without_ranges_or_versions_a_cut_download_begins_anew,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3]],
    |server| {
        let web = Web::start(|number, asked| match (asked.path.as_str(), number % 2) {
            // It ignores ranges, and it gives no version.
            (_, 0) => Reply::file(products(9_000)).header("ETag", "W/\"weak\"").cut(50_000),
            _ => Reply::file(products(9_000)).header("ETag", "W/\"weak\""),
        });
        let status = server.finished(server.far_job(json!({"url": web.url("/a.csv")})).await).await;
        assert_eq!(status["counts"]["created"], 9_000, "{status}");
        assert!(web.asked().iter().all(|asked| asked.from().is_none()));
    }
);

both!(
    a_server_that_lies_or_is_silent_is_given_up,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3]],
    |server| {
        let web = Web::start(|_, asked| match asked.path.as_str() {
            "/short" => Reply::file(products(5)).header("Content-Length", "5000"),
            "/silent" => Reply::ranged(asked, products(5).as_bytes(), "\"1\"")
                .silent(if asked.from().is_some() { 0 } else { 20 }),
            "/mute" => Reply::status(200).silent(0).header("Content-Length", "10"),
            "/busy" => Reply::status(503),
            // It sends other ranges than it says.
            _ => match asked.from() {
                None => Reply::file(products(50)).header("ETag", "\"1\"").cut(100),
                Some(_) => Reply::status(206)
                    .header("Content-Range", "bytes 7-9/900")
                    .header("ETag", "\"1\""),
            },
        });
        for (path, said) in [
            ("/short", "cut the connection after"),
            ("/silent", "was silent for 1 s"),
            ("/mute", "was silent for 1 s"),
            ("/busy", "503 (Service Unavailable)"),
            ("/ranges", ""),
        ] {
            let status = server.finished(server.far_job(json!({"url": web.url(path)})).await).await;
            let error = status["error"].as_str().unwrap_or_default();
            assert_eq!(status["errorCode"], "fetch_failed", "{path}: {status}");
            assert!(error.contains(said), "{path}: {error}");
        }
        // Nobody listens, and nobody knows the name.
        let port = web.port();
        drop(web);
        for url in [format!("http://127.0.0.1:{port}/"), "http://no-such-name.invalid/".to_owned()]
        {
            let status = server.finished(server.far_job(json!({"url": url})).await).await;
            assert_eq!(status["errorCode"], "fetch_failed", "{url}: {status}");
        }
    }
);

both!(
    a_body_longer_than_it_says_is_as_long_as_it_says,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3]],
    |server| {
        let file = products(10);
        let length = file.len().to_string();
        let web = Web::start(move |_, _| {
            Reply::file(format!("{file}B-1,Too much\n")).header("Content-Length", &length)
        });
        let status = server.finished(server.far_job(json!({"url": web.url("/a.csv")})).await).await;
        assert_eq!(status["counts"]["created"], 10, "{status}");
    }
);

both!(
    too_much_and_too_long_are_refused,
    [
        OPEN[0],
        OPEN[1],
        OPEN[2],
        OPEN[3],
        ("LOADBAY_MAX_UPLOAD", "10KiB"),
        ("LOADBAY_FETCH_TIMEOUT", "2s")
    ],
    |server| {
        let web = Web::start(|_, asked| match asked.path.as_str() {
            "/told" => Reply::file(products(2_000)),
            "/untold" => Reply::file(products(2_000)).header("No-Length", "x"),
            // Each attempt brings a little more and is silent then.
            _ => Reply::ranged(asked, products(100).as_bytes(), "\"1\"").silent(5),
        });
        for path in ["/told", "/untold"] {
            let status = server.finished(server.far_job(json!({"url": web.url(path)})).await).await;
            assert_eq!(status["errorCode"], "too_large", "{path}: {status}");
        }
        let status = server.finished(server.far_job(json!({"url": web.url("/slow")})).await).await;
        assert_eq!(status["errorCode"], "fetch_failed", "{status}");
        assert!(status["error"].as_str().unwrap().contains("LOADBAY_FETCH_TIMEOUT"), "{status}");
    }
);

both!(
    a_server_that_asks_for_patience_gets_it_without_a_slot,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3]],
    |server| {
        let web = Web::start(|number, asked| match (asked.path.as_str(), number) {
            ("/later.csv", 0) => Reply::status(429).header("Retry-After", "1"),
            ("/later.csv", _) => Reply::file(products(4)),
            _ => Reply::status(429).header("Retry-After", "600"),
        });
        let status =
            server.finished(server.far_job(json!({"url": web.url("/later.csv")})).await).await;
        assert_eq!(status["counts"]["created"], 4, "{status}");
        // Ten minutes: the job is paused, and says until when.
        let job = server.far_job(json!({"url": web.url("/never.csv")})).await;
        server.until(job, |status| status["status"] == "paused").await;
        let status = server.status(job).await;
        assert!(status.ok()["resumeAt"].is_string(), "{}", status.text());
        assert_eq!(status.ok()["errorCode"], "fetch_failed");
        // Its dataset is free meanwhile.
        server.load("products", Upload::csv("SKU,Name\nB-1,B\n")).await;
        assert_eq!(server.cancel(job).await.ok()["status"], "cancelled");
    }
);

both!(a_killed_server_goes_on_with_what_it_had, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    static CUTS: AtomicUsize = AtomicUsize::new(0);
    let file = products(40_000);
    let (bytes, half) = (file.clone().into_bytes(), 300_000);
    let web = Web::start(move |number, asked| {
        CUTS.fetch_add(1, Ordering::Relaxed);
        let reply = Reply::ranged(asked, &bytes, "\"1\"");
        if number == 0 { reply.silent(half) } else { reply }
    });
    let job = server.far_job(json!({"url": web.url("/a.csv")})).await;
    let body = || {
        let folders = std::fs::read_dir(server.data_dir().join("downloads")).ok()?;
        let folder = folders.flatten().next()?.path();
        std::fs::metadata(folder.join("body")).ok()
    };
    wait_until!(body().is_some_and(|found| found.len() > 0), "nothing came");
    server.kill();
    server.restart();
    let status = server.finished(job).await;
    assert_eq!(status["counts"]["created"], 40_000, "{status}");
    let asked = web.asked();
    assert!(asked.last().unwrap().from().is_some_and(|at| at > 0), "{asked:?}");
});

both!(
    a_download_is_paused_resumed_and_cancelled,
    [OPEN[0], OPEN[1], OPEN[2], ("LOADBAY_FETCH_IDLE", "1h")],
    |server| {
        let web = Web::start(|_, asked| {
            Reply::ranged(asked, products(40_000).as_bytes(), "\"1\"").silent(300_000)
        });
        let job = server.far_job(json!({"url": web.url("/a.csv")})).await;
        server
            .until(job, |status| status["download"]["receivedBytes"].as_u64() == Some(300_000))
            .await;
        let status = server.status(job).await.ok().clone();
        assert_eq!(status["status"], "processing");
        assert!(status["download"]["totalBytes"].as_u64() > Some(300_000), "{status}");
        // Another file of the dataset does not wait for it.
        server.load("products", Upload::csv("SKU,Name\nB-1,B\n")).await;
        assert_eq!(server.action(job, "pause").await.ok()["status"], "paused");
        assert_eq!(server.action(job, "resume").await.ok()["status"], "processing");
        wait_until!(web.asked().len() == 2, "nobody asked for the rest");
        assert!(web.asked()[1].from().is_some_and(|at| at > 0), "{:?}", web.asked());
        assert_eq!(server.cancel(job).await.ok()["status"], "cancelled");
        server.unprocessed_is_empty(job).await;
    }
);

impl Server {
    /// A job whose file never came leaves no rows.
    async fn unprocessed_is_empty(&self, job: i64) {
        let path = format!("/api/v1/import/jobs/{job}/unprocessed.csv");
        let answer = self.send(self.request(reqwest::Method::GET, &path)).await;
        assert!(answer.status < 500, "{}", answer.text());
    }
}

#[tokio::test]
async fn another_server_takes_the_download_over() {
    let [mut first, mut second] =
        Server::start_two(&[OPEN[0], OPEN[1], OPEN[2], ("LOADBAY_LEASE", "1s")]).await;
    let web = Web::start(|number, asked| {
        let reply = Reply::ranged(asked, products(20_000).as_bytes(), "\"1\"");
        if number == 0 { reply.silent(100_000) } else { reply }
    });
    second.signal(rustix::process::Signal::STOP);
    let job = first.far_job(json!({"url": web.url("/a.csv")})).await;
    wait_until!(web.asked().len() == 1, "nobody asked for the file");
    first.kill();
    second.signal(rustix::process::Signal::CONT);
    let status = second.finished(job).await;
    assert_eq!(status["counts"]["created"], 20_000, "{status}");
    second.check_every_job().await;
}

/// The file is stored, the job does not know of it yet.
const STORED: (&str, &str) = ("FAILPOINTS", "download.stored=1*return->off");

both!(
    a_crash_behind_the_file_costs_a_download,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3], STORED],
    |server| {
        let web = Web::start(|_, asked| Reply::ranged(asked, products(500).as_bytes(), "\"1\""));
        let status = server.finished(server.far_job(json!({"url": web.url("/a.csv")})).await).await;
        assert_eq!(status["counts"]["created"], 500, "{status}");
    }
);

/// The database is busy before the job is given back, and its answer is lost after that.
const BUSY: (&str, &str) =
    ("FAILPOINTS", "downloaded.before=1*return->off;downloaded.after=1*return->off");

both!(
    a_lost_answer_behind_the_file_costs_nothing,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3], BUSY],
    |server| {
        let web = Web::start(|_, asked| Reply::ranged(asked, products(500).as_bytes(), "\"1\""));
        let status = server.finished(server.far_job(json!({"url": web.url("/a.csv")})).await).await;
        assert_eq!(status["counts"]["created"], 500, "{status}");
        assert_eq!(web.asked().len(), 1);
    }
);
