//! The events of all jobs of a bulk in one stream, and the place of its files in the queue.

use serde_json::json;

use super::*;

/// The messages of a stream that ends, each with its id.
async fn messages(server: &Server, path: &str, seen: &str) -> Vec<(String, Value)> {
    let request = server.request(Method::GET, path).header("last-event-id", seen);
    let answer = server.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    parsed(answer.text())
}

fn parsed(text: &str) -> Vec<(String, Value)> {
    let message = |block: &str| {
        let data = block.lines().find_map(|line| line.strip_prefix("data: "))?;
        let id = block.lines().find_map(|line| line.strip_prefix("id: ")).unwrap_or_default();
        Some((id.to_owned(), serde_json::from_str(data).unwrap()))
    };
    text.split("\n\n").filter_map(message).collect()
}

both!(one_stream_tells_all_jobs_and_can_be_resumed, |server| {
    let files: [(&str, &[u8]); 3] =
        [("a.csv", b"SKU,Name\nA,A\n"), ("b.csv", b"SKU,Name\nB,B\nX,\n"), ("c.pdf", b"%PDF-1.7")];
    let answer = upload(server, &files, &[("accept", "text/event-stream")]).await;
    assert_eq!(answer.status, 200);
    let told = parsed(answer.text());
    assert_eq!(told[0].1["type"], "snapshot");
    let id = told[0].1["bulk"]["bulkId"].as_str().unwrap().to_owned();
    let is_end = |(_, it): &&(String, Value)| it["type"] == "complete";
    let ends: Vec<_> = told.iter().filter(is_end).map(|(_, it)| it["file_name"].clone()).collect();
    assert_eq!(ends, ["a.csv", "b.csv"]);
    let failed = told.iter().find(|(_, it)| it["type"] == "error").unwrap();
    assert_eq!((&failed.1["row_number"], &failed.1["file_name"]), (&3.into(), &"b.csv".into()));
    let last = &told.last().unwrap().1;
    assert_eq!(
        (&last["type"], &last["bulk"]["status"]),
        (&"bulk".into(), &"partial_success".into())
    );

    // Behind any of its messages the rest comes, once.
    let path = format!("/api/v1/import/bulks/{id}/events");
    let of_jobs = |told: &[(String, Value)]| -> Vec<Value> {
        told.iter()
            .filter(|(_, it)| it["job_id"].is_i64())
            .map(|(_, it)| it["message"].clone())
            .collect()
    };
    let whole = messages(server, &path, "").await;
    assert_eq!(of_jobs(&whole), of_jobs(&told));
    let numbered: Vec<_> = whole.iter().enumerate().filter(|(_, (id, _))| !id.is_empty()).collect();
    for (index, (id, _)) in numbered.iter().take(numbered.len() - 1) {
        let rest = messages(server, &path, id).await;
        assert_eq!(of_jobs(&rest), of_jobs(&whole[index + 1..]), "behind {id}");
    }
    let end = server
        .request(Method::GET, &path)
        .header("last-event-id", numbered.last().unwrap().1.0.as_str());
    assert_eq!(server.send(end).await.status, 204);
});

both!(a_bulk_says_the_place_of_its_first_file_that_waits, |server| {
    let hold = Hold::new(server.folder());
    server.terminate();
    server.restart_with(&[
        ("FAILPOINTS", &hold.at("partition.after")),
        ("LOADBAY_MAX_RUNNING_JOBS", "1"),
    ]);
    let running = server.import("products", Upload::csv("SKU,Name\nA,A\n")).await;
    let written = format!("select processed_rows from import_log where id = {running}");
    wait_until!(server.database.number(&written).await == 1, "job {running} is not held");
    let before = server.import("products", Upload::csv("SKU,Name\nB,B\n")).await;
    let files: [(&str, &[u8]); 2] = [("a.csv", b"SKU,Name\nC,C\n"), ("b.csv", b"SKU,Name\nD,D\n")];
    let (bulk, jobs) = ids(&upload(server, &files, &[]).await);
    let path = format!("/api/v1/import/bulks/{bulk}");
    let status = server.send(server.request(Method::GET, &path)).await;
    assert_eq!(status.data()["queuePosition"], 2, "{}", status.text());
    let mut events = server.listen(&format!("{path}/events")).await;
    let snapshot = events.next().await.unwrap().data;
    assert_eq!(snapshot["bulk"]["queuePosition"], 2, "{snapshot}");

    server.cancel(before).await.ok();
    let moved = events.until(|event| event.data["bulk"]["queuePosition"] == 1).await;
    let moved = &moved.last().unwrap().data;
    assert_eq!((&moved["type"], &moved["bulk"]["files"]["waiting"]), (&json!("bulk"), &json!(2)));
    hold.release();
    for job in [&[running], jobs.as_slice()].concat() {
        server.finished(job).await;
    }
    let last = &events.rest().await.pop().unwrap().data;
    assert_eq!(last["bulk"]["queuePosition"], Value::Null, "{last}");
});
