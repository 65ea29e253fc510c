//! An upload that is answered with the events of its job.

use reqwest::Method;
use reqwest::multipart::{Form, Part};

use super::files::products;
use crate::support::{Listener, Server, Upload, both};

async fn send(server: &Server, text: String, accept: &str, query: &str) -> Listener {
    let path = format!("/api/v1/import/products{query}");
    let form = Form::new().part("file", Part::bytes(text.into_bytes()).file_name("p.csv"));
    let request = server.request(Method::POST, &path).header("accept", accept).multipart(form);
    Listener::open(server, request).await
}

both!(an_upload_that_accepts_events_is_answered_with_them, |server| {
    let text = products("U", 20);
    let received = format!("File received: p.csv ({} bytes)", text.len());
    let listener = send(server, text, "text/event-stream", "").await;
    let job: i64 = listener.header("x-job-id").unwrap().parse().unwrap();
    let status = format!("/api/v1/import/status/{job}");
    assert_eq!(listener.header("location"), Some(status.as_str()));
    let told = listener.rest().await;
    assert_eq!(told[0].kind(), "snapshot");
    assert_eq!(told[0].data["job"]["jobId"], job);
    assert_eq!((told[1].id, told[1].message()), (Some(1), received.as_str()));
    let rows = told.iter().filter(|heard| heard.data["outcome"] == "created").count();
    assert_eq!(rows, 20);
    assert_eq!(told.last().unwrap().kind(), "complete");
    assert_eq!(server.finished(job).await["counts"]["created"], 20);
});

both!(an_upload_that_is_refused_says_so_as_always, |server| {
    let events = |text: &str| Upload::csv(text).header("accept", "text/event-stream");
    server.upload("products", events("Name\nx\n")).await.assert_problem(422, "missing_column");
    server.upload("product", events("SKU,Name\n")).await.assert_problem(404, "unknown_dataset");
    let option = events("SKU,Name\nA,x\n").option("rows", "some");
    server.upload("products", option).await.assert_problem(400, "invalid_option");
    for accept in ["*/*", "application/json, text/event-stream;q=0.5", "text/event-stream;q=0"] {
        let upload = Upload::csv(&products("V", 1)).header("accept", accept);
        server.finished(server.import("products", upload).await).await;
    }
});

both!(the_job_goes_on_when_its_listener_goes_away, [("LOADBAY_CHUNK_ROWS", "20")], |server| {
    let mut listener = send(server, products("G", 1_000), "text/event-stream", "?rows=none").await;
    let job = listener.header("x-job-id").unwrap().parse().unwrap();
    listener.until(|heard| heard.data["step"] == "counted").await;
    drop(listener);
    assert_eq!(server.finished(job).await["counts"]["created"], 1_000);
    let told = server.all_events(job, "").await;
    assert_eq!(told.last().unwrap().kind(), "complete");
});
