//! The frontend of `/api/upload-csv` and `/api/jobs`: uploads, polls, lists, follows one.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::calls::{Events, Locked, broken, curl, members, post, workbook};
use crate::support::{Answer, Server, Upload, before_the_next_look, both};

const TEXT: &str = "sku,name,description\nA-1,Arnica,for bruises\nA-2,Belladonna,\nA-3,,\n";

/// The members of its jobs, and the name under which the upload gives the id.
const MEMBERS: [&str; 12] = [
    "celery_task_id",
    "created_at",
    "error_message",
    "file_name",
    "file_path",
    "id",
    "job_id",
    "processed_rows",
    "progress",
    "status",
    "total_rows",
    "updated_at",
];

#[track_caller]
fn check_shape(job: &Value) {
    assert_eq!(members(job), MEMBERS);
    let id = job["id"].as_str().unwrap();
    assert!(uuid::Uuid::parse_str(id).is_ok(), "{id}");
    assert_eq!(job["job_id"], id);
    assert_eq!(job["celery_task_id"], Value::Null);
    assert_eq!(job["file_path"], format!("uploads/{id}/source"));
    assert!(matches!(
        job["status"].as_str(),
        Some("pending" | "processing" | "completed" | "failed")
    ));
    assert!((0..=100).contains(&job["progress"].as_i64().unwrap()));
    for member in ["created_at", "updated_at"] {
        assert!(job[member].as_str().unwrap().ends_with('Z'), "{member}");
    }
}

/// Uploads a file; its UUID.
async fn upload(server: &Server, name: &str, bytes: impl Into<Vec<u8>>) -> String {
    let answer = post(server, "/api/upload-csv", name, bytes).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    check_shape(&answer.json);
    assert_eq!(answer.json["file_name"], name);
    let id = answer.json["job_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), Some(format!("/api/jobs/{id}").as_str()));
    id
}

/// Asks for the job until it is at its end, as the page does when its event stream fails.
async fn polled(server: &Server, id: &str) -> Value {
    let limit = Instant::now() + Duration::from_mins(1);
    loop {
        let answer = server.get(&format!("/api/jobs/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        check_shape(&answer.json);
        if matches!(answer.json["status"].as_str(), Some("completed" | "failed")) {
            return answer.json;
        }
        assert!(Instant::now() < limit, "{}", answer.text());
        before_the_next_look().await;
    }
}

fn ids(answer: &Answer) -> Vec<&str> {
    let jobs = answer.json.as_array().unwrap_or_else(|| panic!("no array: {}", answer.text()));
    jobs.iter().map(|job| job["id"].as_str().unwrap()).collect()
}

both!(an_upload_is_polled_to_its_end, |server| {
    for (name, bytes) in [("new.csv", TEXT.into()), ("again.xlsx", workbook(TEXT))] {
        let id = upload(server, name, bytes).await;
        let job = polled(server, &id).await;
        assert_eq!((&job["status"], &job["progress"]), (&"completed".into(), &100.into()));
        assert_eq!((&job["total_rows"], &job["processed_rows"]), (&3.into(), &3.into()));
        assert_eq!(job["error_message"], Value::Null, "a bad row fails no job");
    }
    assert_eq!(server.database.number("select count(*) from products").await, 2);
});

both!(the_list_shows_the_newest_first_in_pages, |server| {
    let mut made = Vec::new();
    for number in 0..5 {
        let id = upload(server, &format!("{number}.csv"), TEXT).await;
        polled(server, &id).await;
        made.insert(0, id);
    }
    let made: Vec<&str> = made.iter().map(String::as_str).collect();
    let all = server.get("/api/jobs").await;
    assert_eq!((all.status, all.header("x-total-count")), (200, Some("5")));
    all.json.as_array().unwrap().iter().for_each(check_shape);
    assert_eq!(ids(&all), made);
    for (query, shown) in [
        ("limit=2", &made[..2]),
        ("limit=2&offset=1", &made[1..3]),
        ("skip=3&limit=10", &made[3..]),
        ("page=2&page_size=2", &made[2..4]),
        ("page=1&limit=3&_=1764000000", &made[..3]),
        ("page=9", &[]),
        ("offset=9223372036854775807", &[]),
        ("page=9223372036854775807&limit=500", &[]),
    ] {
        let page = server.get(&format!("/api/jobs?{query}")).await;
        assert_eq!(ids(&page), shown, "{query}");
        assert_eq!(page.header("x-total-count"), Some("5"), "{query}");
    }
    for query in ["limit=0", "limit=x", "page=0", "skip=-1", "offset=1.5", "limit=1&limit=2"] {
        let answer = server.get(&format!("/api/jobs?{query}")).await;
        answer.assert_problem(400, "invalid_option");
    }
    // It knows imports only, not what takes one back.
    server.database.execute("update import_log set rollback_of = 1 where id = 4").await;
    let imports = server.get("/api/jobs").await;
    assert_eq!((ids(&imports).len(), imports.header("x-total-count")), (4, Some("4")));
    assert!(!ids(&imports).contains(&made[1]));
    server.database.execute("update import_log set rollback_of = null where id = 4").await;
    // It knows products only; its list shows no others.
    server.database.execute("update import_log set dataset = 'dealers' where id = 5").await;
    assert_eq!(ids(&server.get("/api/jobs").await), &made[1..]);
    server.database.execute("update import_log set dataset = 'products' where id = 5").await;
});

both!(a_job_is_the_same_under_its_number, |server| {
    let number = server.load("products", Upload::csv(TEXT)).await["jobId"].as_i64().unwrap();
    let by_number = server.get(&format!("/api/jobs/{number}")).await;
    check_shape(&by_number.json);
    let id = by_number.json["id"].as_str().unwrap();
    let capitals = id.to_uppercase();
    for id in [id, &capitals] {
        assert_eq!(server.get(&format!("/api/jobs/{id}")).await.bytes, by_number.bytes);
    }
    let nobody = uuid::Uuid::new_v4().to_string();
    for unknown in [nobody.as_str(), "0", "99", "latest", "a-b"] {
        for path in [format!("/api/jobs/{unknown}"), format!("/api/jobs/{unknown}/events")] {
            let answer = server.get(&path).await;
            answer.assert_problem(404, "job_not_found");
            assert!(answer.json["detail"].as_str().unwrap().contains("no job"), "{path}");
        }
    }
});

both!(a_file_that_breaks_off_is_a_failed_job_with_its_reason, |server| {
    let id = upload(server, "broken.csv", broken()).await;
    let job = polled(server, &id).await;
    assert_eq!(job["status"], "failed");
    assert!(job["error_message"].as_str().unwrap().contains("quote"), "{job}");
    let streamed = Events::open(server, &format!("/api/jobs/{id}/events")).await.all().await;
    assert_eq!(streamed, [job]);
});

#[tokio::test]
async fn a_refused_upload_says_why_in_detail() {
    let server = Server::start(crate::support::Kind::Sqlite).await;
    for (bytes, status) in [("", 422), ("Colour\nred\n", 422), ("%PDF-1.7\n%\u{1}\u{0}", 415)] {
        let answer = post(&server, "/api/upload-csv", "a.csv", bytes).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(!answer.json["detail"].as_str().unwrap().is_empty());
    }
    assert_eq!(server.get("/api/jobs").await.json, json!([]));
}

both!(an_event_source_is_told_to_the_end_and_then_let_go, |server| {
    let rows: String = (0..500).map(|n| format!("R{n},Arnica\n")).collect();
    let id = upload(server, "rows.csv", format!("SKU,Name\n{rows}")).await;
    let events = Events::open(server, &format!("/api/jobs/{id}/events")).await;
    let headers = events.response.headers();
    assert_eq!(headers["access-control-allow-origin"], "http://localhost:3000");
    assert_eq!(headers["cache-control"], "no-store");
    let told = events.all().await;
    told.iter().for_each(check_shape);
    let progress: Vec<_> = told.iter().map(|job| job["progress"].as_u64().unwrap()).collect();
    assert!(progress.is_sorted(), "{progress:?}");
    let last = told.last().unwrap();
    assert_eq!((&last["status"], &last["processed_rows"]), (&"completed".into(), &500.into()));
    let ends = told.iter().filter(|job| job["status"] == "completed").count();
    assert_eq!(ends, 1, "it closes with the end");
    // Who comes later, or comes back, is told the end.
    let again = Events::open(server, &format!("/api/jobs/{id}/events")).await.all().await;
    assert_eq!(again.as_slice(), std::slice::from_ref(last));
});

#[tokio::test]
async fn an_event_source_hears_something_every_second_while_nothing_happens() {
    let (mut server, lock) = Locked::start().await;
    let id = upload(&server, "rows.csv", TEXT).await;
    let mut events = Events::open(&server, &format!("/api/jobs/{id}/events")).await;
    let begun = Instant::now();
    let mut heard = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        let job = events.next().await.unwrap();
        assert!(matches!(job["status"].as_str(), Some("pending" | "processing")), "{job}");
        heard += 1;
    }
    assert!((3..=12).contains(&heard), "{heard} messages in three seconds");
    lock.release().await;
    let rest = events.all().await;
    assert_eq!(rest.last().unwrap()["status"], "completed");
    server.check_every_job().await;
}

#[tokio::test]
async fn a_cancelled_import_is_a_failed_one_that_says_so() {
    let (mut server, lock) = Locked::start().await;
    let id = upload(&server, "rows.csv", TEXT).await;
    let mut events = Events::open(&server, &format!("/api/jobs/{id}/events")).await;
    events.next().await.unwrap();
    server.cancel(1).await.ok();
    let last = events.all().await.pop().unwrap();
    assert_eq!(last["status"], "failed");
    assert_eq!(last["error_message"], "The import was cancelled.");
    lock.release().await;
    server.check_every_job().await;
}

#[tokio::test]
async fn its_calls_work_from_a_command_line() {
    let mut server = Server::start(crate::support::Kind::Sqlite).await;
    std::fs::write(server.folder().join("products.csv"), TEXT).unwrap();
    let address = server.address().to_owned();
    let upload = format!("{address}/api/upload-csv");
    let Some(answer) = curl(&server, &["-X", "POST", "-F", "file=@products.csv", &upload]) else {
        return;
    };
    let job: Value = serde_json::from_str(&answer).unwrap();
    let id = job["job_id"].as_str().unwrap();
    let events = curl(&server, &["-N", &format!("{address}/api/jobs/{id}/events")]).unwrap();
    assert!(events.ends_with("\n\n"), "{events}");
    assert_eq!(crate::compat::calls::messages(&events).pop().unwrap()["status"], "completed");
    server.check_every_job().await;
}
