//! Files that are imported from an address: downloaded in the background, resumed, checked, and never
//! fetched from where only the server gets.

mod bucket;
mod closed;
mod faults;
mod tls;
mod unchanged;
pub(crate) mod web;

use crate::support::*;
use reqwest::Method;
use serde_json::{Value, json};
use web::{Reply, Web};

/// The local web server may be asked, and nothing waits longer than a test does.
pub(crate) const OPEN: [(&str, &str); 4] = [
    ("LOADBAY_FETCH_NETWORKS", "127.0.0.1"),
    ("LOADBAY_FETCH_PORTS", "any"),
    ("LOADBAY_FETCH_RETRIES", "2"),
    ("LOADBAY_FETCH_IDLE", "1s"),
];

/// So many products.
pub(crate) fn products(count: usize) -> String {
    let rows: String = (0..count).map(|n| format!("A-{n},Arnica {n}\n")).collect();
    format!("SKU,Name\n{rows}")
}

impl Server {
    /// Asks for an import from an address.
    pub(crate) async fn far(&self, body: Value) -> Answer {
        let request = self.request(Method::POST, "/api/v1/import/products");
        self.send(request.json(&body)).await
    }

    /// The same, accepted.
    pub(crate) async fn far_job(&self, body: Value) -> i64 {
        let answer = self.far(body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.data()["jobId"].as_i64().expect("a job number")
    }
}

both!(a_file_comes_from_an_address, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let web = Web::start(|_, _| Reply::file(products(300)).header("ETag", "\"1\""));
    let job = server.far_job(json!({"url": web.url("/lists/new%20prices.csv?sig=s3cret")})).await;
    let status = server.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["counts"]["created"], 300);
    assert_eq!(status["fileName"], "new prices.csv");
    let download = &status["download"];
    assert_eq!(download["url"], web.url("/lists/new%20prices.csv?…"));
    assert_eq!(download["receivedBytes"], status["fileSize"]);
    assert_eq!((&download["isComplete"], &download["etag"]), (&json!(true), &json!("\"1\"")));
    assert_eq!(status["detected"]["format"], "csv");
    let steps = steps(server, job).await;
    let expected =
        ["received", "downloading", "downloaded", "detected", "started", "parsing", "counted"];
    assert_eq!(steps.get(..expected.len()).unwrap(), expected);
    let told = told_events(server, job).await;
    assert!(!told.contains("s3cret") && !server.log().contains("s3cret"), "{told}");
    assert!(!status.to_string().contains("s3cret"), "{status}");
    assert_eq!(web.asked().len(), 1);
    assert_eq!(std::fs::read_dir(server.data_dir().join("downloads")).unwrap().count(), 0);
});

both!(several_addresses_become_a_bulk, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    // The first file comes last.
    let web = Web::start(|number, asked| match (asked.path.as_str(), number) {
        ("/first.csv", 0 | 1) => Reply::status(503).header("Retry-After", "1"),
        (path, _) => Reply::file(format!("SKU,Name\nA,{path}\n")),
    });
    let urls = [&web.url("/first.csv"), "http://10.0.0.1/closed.csv", &web.url("/second.csv")];
    let answer = server.far(json!({"urls": urls})).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let refused = &answer.data()["jobs"][1];
    assert_eq!(refused["status"], "refused", "{refused}");
    assert_eq!(refused["errorCode"], "url_not_allowed");
    let jobs = answer.data()["jobIds"].as_array().unwrap().clone();
    assert_eq!(jobs.len(), 2);
    for job in &jobs {
        let status = server.finished(job.as_i64().unwrap()).await;
        assert_eq!(status["status"], "completed", "{status}");
        assert_eq!(status["bulkId"], answer.data()["bulkId"]);
    }
    let name = server.rows("select name from products where sku = 'A'").await;
    assert_eq!(name, [["/second.csv"]]);
});

/// The steps of a job, in their order.
async fn steps(server: &Server, job: i64) -> Vec<String> {
    let sql =
        format!("select event from import_events where import_log_id = {job} order by number");
    let events = server.rows(&sql);
    let step = |row: &Vec<String>| {
        let event: Value = serde_json::from_str(&row.concat()).expect("an event");
        event["step"].as_str().map(str::to_owned)
    };
    events.await.iter().filter_map(step).collect()
}

/// All that was told of a job.
async fn told_events(server: &Server, job: i64) -> String {
    let sql =
        format!("select event from import_events where import_log_id = {job} order by number");
    let events = server.rows(&sql);
    events.await.concat().concat()
}

both!(options_stand_in_the_body_and_in_the_query, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let web = Web::start(|_, _| Reply::file("Art;Name\nA-1;Arnica\n"));
    let body = json!({"url": web.url("/a.csv"), "dryRun": true, "mapping": {"Art": "sku"}});
    let job = server.far_job(body).await;
    let status = server.finished(job).await;
    assert_eq!((&status["dryRun"], &status["counts"]["created"]), (&json!(true), &json!(1)));
    for (body, code) in [
        (json!({"url": web.url("/a.csv"), "colour": "red"}), "unknown_option"),
        (json!({"url": web.url("/a.csv"), "mode": "merge"}), "invalid_option"),
        (json!({"url": 7}), "malformed_request"),
        (json!({}), "malformed_request"),
        (json!({"urls": []}), "malformed_request"),
    ] {
        server.far(body).await.assert_problem(400, code);
    }
    // An array is a file of rows.
    server.far(json!(["a"])).await.assert_problem(422, "no_header");
    let upload = Upload::csv("SKU,Name\n").option("onlyIfChanged", "true");
    server.upload("products", upload).await.assert_problem(400, "invalid_option");
});

both!(a_key_covers_an_address, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let web = Web::start(|_, _| Reply::file(products(1)));
    let ask = async |path: &str| {
        let request = server.request(Method::POST, "/api/v1/import/products");
        let request =
            request.header("Idempotency-Key", "night").json(&json!({"url": web.url(path)}));
        server.send(request).await
    };
    let first = ask("/a.csv").await;
    let job = first.data()["jobId"].as_i64().unwrap();
    server.finished(job).await;
    let again = ask("/a.csv").await;
    assert_eq!((again.status, again.data()["jobId"].as_i64()), (202, Some(job)));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    ask("/b.csv").await.assert_problem(422, "idempotency_mismatch");
    assert_eq!(web.asked().len(), 1);
});

both!(
    what_is_wrong_with_the_file_ends_the_job_with_the_code_of_an_upload,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3]],
    |server| {
        let web = Web::start(|_, asked| match asked.path.as_str() {
            "/login.csv" => Reply::file("<!DOCTYPE html><html><body>Log in</body></html>")
                .header("Content-Type", "text/html"),
            "/empty.csv" => Reply::file(""),
            "/other.csv" => Reply::file("Colour,Size\nred,7\n"),
            "/pdf" => Reply::file("%PDF-1.7\nabc"),
            _ => Reply::status(404),
        });
        for (path, code, said) in [
            ("/login.csv", "unsupported_format", "an HTML page"),
            ("/empty.csv", "empty_file", "empty"),
            ("/other.csv", "missing_column", "SKU"),
            ("/pdf", "unsupported_format", "a PDF document"),
            ("/gone.csv", "fetch_failed", "404 (Not Found)"),
        ] {
            let job = server.far_job(json!({"url": web.url(path)})).await;
            let status = server.finished(job).await;
            let error = status["error"].as_str().unwrap_or_default();
            assert_eq!((&status["status"], &status["errorCode"]), (&json!("failed"), &json!(code)));
            assert!(error.contains(said), "{error}");
        }
        assert_eq!(std::fs::read_dir(server.data_dir().join("downloads")).unwrap().count(), 0);
        // Its file was never here: a retry downloads it.
        let failed = server.far_job(json!({"url": web.url("/gone.csv")})).await;
        server.finished(failed).await;
        server.action(failed, "retry?rows=failed").await.assert_problem(409, "nothing_to_retry");
        let retry = server.action(failed, "retry").await;
        let retry = retry.data()["jobId"].as_i64().expect("a job number");
        assert_eq!(server.finished(retry).await["errorCode"], "fetch_failed");
    }
);

both!(
    a_name_and_a_packed_body_are_taken_as_the_server_sends_them,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3]],
    |server| {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(products(2_000).as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let web = Web::start(move |_, asked| match asked.path.as_str() {
            "/export" => Reply::ranged(asked, &packed, "\"z\"")
                .header("Content-Encoding", "gzip")
                .header("Content-Disposition", "attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv"),
            "/torn" => Reply::file(&packed[..packed.len() / 2]).header("Content-Encoding", "gzip"),
            _ => Reply::file("x").header("Content-Encoding", "br"),
        });
        let status =
            server.finished(server.far_job(json!({"url": web.url("/export")})).await).await;
        assert_eq!(status["counts"]["created"], 2_000, "{status}");
        assert_eq!(status["fileName"], "größe.csv");
        for (path, said) in [("/torn", "cannot be unpacked"), ("/br", "Content-Encoding `br`")] {
            let status = server.finished(server.far_job(json!({"url": web.url(path)})).await).await;
            assert_eq!(status["errorCode"], "fetch_failed", "{status}");
            assert!(status["error"].as_str().unwrap().contains(said), "{status}");
        }
    }
);
