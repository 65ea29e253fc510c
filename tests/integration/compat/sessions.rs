//! Clients of `/stream/{sessionId}` and `/file`: a page, a program in Go and curl, which name a session,
//! open its stream, and start an import under its name.

use reqwest::Method;
use serde_json::{Value, json};

use super::calls::{Events, members, messages};
use crate::far::OPEN;
use crate::far::web::{Reply, Web};
use crate::support::*;

const SAMPLE: &str = include_str!("../../../samples/swim_events.dsv7");

/// A web server with a meet definition list, another list and a table.
fn files() -> Web {
    Web::start(|_, asked| match asked.path.as_str() {
        "/file.dsv" => Reply::file(SAMPLE),
        "/results.dsv" => Reply::file(SAMPLE.replace("definitions", "ergebnis")),
        "/faulty.dsv" => Reply::file(SAMPLE.replace("WETTKAMPF:3;E;3", "WETTKAMPF:3;E;4")),
        "/products" => Reply::file("SKU,Name\nA-1,Arnica\n"),
        _ => Reply::status(404),
    })
}

/// The body of the document, from another place and for this session.
fn body(web: &Web, path: &str, session: &str) -> Value {
    json!({
        "url": web.url(path),
        "file_extension": "DSV",
        "file_type": "DEFINITION",
        "meeting": "meeting-123",
        "exclude_events": [],
        "include_events": [],
        "session_id": session
    })
}

async fn start(server: &Server, body: &Value) -> Answer {
    server.send(server.request(Method::POST, "/file").json(body)).await
}

/// Starts an import that is accepted, and gives its number.
async fn started(server: &Server, body: &Value) -> i64 {
    let answer = start(server, body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.data()["jobId"].as_i64().unwrap()
}

async fn open(server: &Server, session: &str) -> Events {
    Events::open(server, &format!("/stream/{session}")).await
}

/// Comes back to a stream as a browser does.
async fn come_back(server: &Server, session: &str, seen: u64) -> Answer {
    let request = server.request(Method::GET, &format!("/stream/{session}"));
    server.send(request.header("last-event-id", seen)).await
}

/// Messages are progress and log, with the members that the clients know, and progress rises.
#[track_caller]
fn check_shape(told: &[Value]) {
    let mut reached = 0.0;
    for message in told {
        match message["type"].as_str().unwrap() {
            "progress" => {
                assert_eq!(members(message), ["message", "progress", "type"]);
                let progress = message["progress"].as_f64().unwrap();
                assert!((reached..=100.0).contains(&progress), "{told:?}");
                reached = progress;
                assert!(message["message"].is_string());
            }
            "log" => {
                assert_eq!(members(message), ["level", "message", "type"]);
                let level = message["level"].as_str().unwrap();
                assert!(["info", "success", "warning", "error"].contains(&level), "{message}");
            }
            other => panic!("{other}: {message}"),
        }
    }
}

/// The whole stream of an import that ended well.
#[track_caller]
fn check_success(told: &[Value]) {
    check_shape(told);
    let progress: Vec<_> = told.iter().filter(|it| it["type"] == "progress").collect();
    assert_eq!(progress.last().unwrap()["progress"], 100.0, "{told:?}");
    assert_eq!(told.last().unwrap()["level"], "success", "{told:?}");
    assert!(told.len() >= 6, "{told:?}");
}

both!(a_stream_that_waits_tells_the_import_and_closes, [OPEN[0], OPEN[1]], |server| {
    let web = files();
    let stream = open(server, "550e8400-e29b-41d4-a716-446655440000").await;
    assert_eq!(stream.response.headers()["cache-control"], "no-cache");
    let origin = &stream.response.headers()["access-control-allow-origin"];
    assert_eq!(origin, "http://localhost:3000");
    let body = body(&web, "/file.dsv", "550e8400-e29b-41d4-a716-446655440000");
    let job = started(server, &body).await;
    check_success(&stream.all().await);
    let status = server.finished(job).await;
    assert_eq!(
        (&status["dataset"], &status["counts"]["created"]),
        (&json!("swim_events"), &json!(5))
    );
    let meetings = server.rows("select distinct meeting from swim_events").await;
    assert_eq!(meetings, [["meeting-123"]]);

    // A used session is refused, whoever asks.
    start(server, &body).await.assert_problem(409, "session_used");
    let again = server.get("/stream/550e8400-e29b-41d4-a716-446655440000").await;
    again.assert_problem(409, "session_used");
});

both!(a_stream_that_is_opened_later_misses_nothing, [OPEN[0], OPEN[1]], |server| {
    let web = files();
    let job = started(server, &body(&web, "/file.dsv", "late")).await;
    server.finished(job).await;
    let stream = server.get("/stream/late").await;
    let told = messages(stream.text());
    check_success(&told);
    let ids = stream.text().lines().filter_map(|line| line.strip_prefix("id: "));
    let ids: Vec<u64> = ids.map(|id| id.parse().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() >= 4, "{ids:?}");

    // Who lost the connection comes back behind what it saw, also when the session is over.
    let (seen, last) = (ids[ids.len() - 3], *ids.last().unwrap());
    let rest = come_back(server, "late", seen).await;
    let rest = messages(rest.text());
    assert!(!rest.is_empty() && told.ends_with(&rest), "{rest:?}");
    assert_eq!(come_back(server, "late", last).await.status, 204);
});

#[tokio::test]
async fn a_stream_at_one_server_tells_what_is_posted_at_another() {
    let mut servers = Server::start_two(&[OPEN[0], OPEN[1]]).await;
    let web = files();
    for (session, here, there) in [("one", 0, 1), ("two", 1, 0)] {
        let stream = open(&servers[here], session).await;
        let body = body(&web, "/file.dsv", session);
        let job = started(&servers[there], &body).await;
        check_success(&stream.all().await);
        servers[there].finished(job).await;
        start(&servers[here], &body).await.assert_problem(409, "session_used");
    }
    let [one, two] = &mut servers;
    assert!(one.is_running() && two.is_running());
}

both!(
    an_unfilled_session_ends_with_an_error,
    [OPEN[0], OPEN[1], ("LOADBAY_SESSION_TIMEOUT", "1s")],
    |server| {
        let told = open(server, "nobody").await.all().await;
        check_shape(&told);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["level"], "error");
        assert!(told[0]["message"].as_str().unwrap().contains("within 1s"), "{told:?}");
        // Nothing was used: it may be filled now.
        let web = files();
        let job = started(server, &body(&web, "/file.dsv", "nobody")).await;
        server.finished(job).await;
    }
);

both!(faults_of_the_file_and_of_its_lines_are_told, [OPEN[0], OPEN[1]], |server| {
    let web = files();
    let stream = open(server, "results").await;
    let job = started(server, &body(&web, "/results.dsv", "results")).await;
    let told = stream.all().await;
    check_shape(&told);
    assert_eq!(told.last().unwrap()["level"], "error", "{told:?}");
    let says = |told: &[Value], words: &str| {
        told.iter().any(|it| it["level"] == "error" && it["message"].to_string().contains(words))
    };
    assert!(says(&told, "ine 2, FORMAT: the list is a `Wettkampfergebnisliste`"), "{told:?}");
    assert_eq!(server.finished(job).await["status"], "failed");

    let stream = open(server, "faulty").await;
    let mut asked = body(&web, "/faulty.dsv", "faulty");
    (asked["exclude_events"], asked["include_events"]) = (json!([2]), json!([1, 2, 3]));
    let job = started(server, &asked).await;
    let told = stream.all().await;
    check_success(&told);
    assert!(says(&told, "line 18, WETTKAMPF: the file has no ABSCHNITT 4 for it"), "{told:?}");
    let counts = server.finished(job).await["counts"].clone();
    assert_eq!((&counts["created"], &counts["failed"]), (&json!(2), &json!(1)), "{counts}");
});

both!(other_files_go_into_the_dataset_that_they_name, [OPEN[0], OPEN[1]], |server| {
    let web = files();
    let asked = |kind: &str, extension: &str| json!({"url": web.url("/products"), "file_extension": extension, "file_type": kind});
    let answer = start(server, &asked("PRODUCTS", "CSV")).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(members(answer.data()), ["jobId", "statusUrl"], "without a session there is none");
    let status = server.finished(answer.data()["jobId"].as_i64().unwrap()).await;
    assert_eq!(
        (&status["status"], &status["fileName"]),
        (&json!("completed"), &json!("products.csv"))
    );
    assert_eq!(status["counts"]["created"], 1);

    // The content is not what the extension says.
    let answer = start(server, &asked("DEFINITION", "DSV")).await;
    let status = server.finished(answer.data()["jobId"].as_i64().unwrap()).await;
    assert_eq!(status["errorCode"], "invalid_meet_list", "{status}");
});

both!(a_request_that_cannot_be_read_uses_no_session, [OPEN[0], OPEN[1]], |server| {
    let web = files();
    let with = |name: &str, value: Value| {
        let mut asked = body(&web, "/file.dsv", "session");
        asked[name] = value;
        asked
    };
    for (name, value, status, code) in [
        ("url", Value::Null, 400, "malformed_request"),
        ("url", json!("file:///etc/passwd"), 422, "url_not_allowed"),
        ("file_type", Value::Null, 400, "malformed_request"),
        ("file_type", json!("RESULT"), 404, "unknown_dataset"),
        ("file_extension", json!("PDF"), 415, "unsupported_format"),
        ("include_events", json!("all"), 400, "malformed_request"),
        ("session_id", json!("two words"), 400, "invalid_option"),
    ] {
        start(server, &with(name, value)).await.assert_problem(status, code);
    }
    let request = server.request(Method::POST, "/file").body("url=x");
    server.send(request).await.assert_problem(400, "malformed_request");
    server.get("/stream/%C3%A4").await.assert_problem(400, "invalid_option");
    started(server, &body(&web, "/file.dsv", "session")).await;
    check_success(&open(server, "session").await.all().await);
});

/// The bytes that Go's client and curl send for the document's calls.
#[tokio::test]
async fn the_bytes_of_go_and_curl_are_understood() {
    let mut server = Server::start_with(Kind::Sqlite, &[OPEN[0], OPEN[1]]).await;
    let web = files();
    let url = web.url("/file.dsv");
    let go = format!(
        "{{\"file_extension\":\"DSV\",\"file_type\":\"DEFINITION\",\"meeting\":\"meeting-123\",\
         \"session_id\":\"test-session-1\",\"url\":\"{url}\"}}"
    );
    let curl = format!(
        "{{\n    \"url\": \"{url}\",\n    \"file_extension\": \"DSV\",\n    \"file_type\": \
         \"DEFINITION\",\n    \"meeting\": \"meeting-123\",\n    \"session_id\": \
         \"test-session-2\"\n  }}"
    );
    let go_head = "User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n";
    let curl_head = "User-Agent: curl/7.88.1\r\nAccept: */*\r\n";
    for (session, head, body) in
        [("test-session-1", go_head, &go), ("test-session-2", curl_head, &curl)]
    {
        let mut stream = RawConnection::open(&server);
        stream
            .send(format!("GET /stream/{session} HTTP/1.1\r\nHost: localhost:8080\r\n{head}\r\n"));
        let mut post = RawConnection::open(&server);
        post.send(format!(
            "POST /file HTTP/1.1\r\nHost: localhost:8080\r\n{head}Content-Length: {}\r\n\
             Content-Type: application/json\r\n\r\n{body}",
            body.len()
        ));
        let answer = post.answer().unwrap();
        assert!(answer.starts_with("http/1.1 202"), "{answer}");
        let told = stream.rest();
        // Its loop takes the lines that begin with `data: `.
        let lines: Vec<&str> = told.lines().filter(|line| line.starts_with("data: ")).collect();
        assert!(lines.iter().any(|line| line.contains(r#""progress":100.0"#)), "{told}");
        assert!(lines.last().unwrap().contains(r#""level":"success""#), "{told}");
    }
    server.check_every_job().await;
}
