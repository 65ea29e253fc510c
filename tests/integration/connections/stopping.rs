//! A server that stops answers new connections until balancers know, then ends in time.

use rustix::process::Signal;

use crate::streams::files::{Locked, products};
use crate::support::{Kind, RawConnection, Server, Upload, wait_until};

fn asked(server: &Server, path: &str) -> String {
    let mut connection = RawConnection::open(server);
    connection.get(path, "");
    connection.answer().expect("an answer")
}

#[tokio::test]
async fn new_connections_hear_that_the_server_stops() {
    let mut server = Server::start_with(Kind::Sqlite, &[("LOADBAY_DRAIN", "10min")]).await;
    let id = server.import("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    server.finished(id).await;
    let mut idle = RawConnection::open(&server);
    idle.get("/readyz", "");
    assert!(idle.answer().unwrap().starts_with("http/1.1 200"));
    server.signal(Signal::TERM);
    wait_until!(asked(&server, "/readyz").starts_with("http/1.1 503"), "it does not stop");
    let refused = asked(&server, "/readyz");
    assert!(refused.contains("\r\nconnection: close\r\n"), "{refused}");
    assert!(
        refused.contains("shutting_down") && refused.contains("\r\nretry-after: "),
        "{refused}"
    );
    // Those who still come get their answers, but no new job.
    assert!(asked(&server, "/healthz").starts_with("http/1.1 200"));
    assert!(asked(&server, &format!("/api/v1/import/status/{id}")).starts_with("http/1.1 200"));
    let upload = server.upload("products", Upload::csv("SKU,Name\nB,Bryonia\n")).await;
    upload.assert_problem(503, "shutting_down");
    assert_eq!(upload.header("connection"), Some("close"));
    // A connection from before is used once more at most.
    idle.get("/readyz", "");
    assert!(idle.answer().unwrap().contains("\r\nconnection: close\r\n"));
    assert_eq!(idle.answer(), None);
    assert!(server.is_running());
    server.kill();
}

#[tokio::test]
async fn the_drain_ends() {
    let mut server = Server::start_with(Kind::Sqlite, &[("LOADBAY_DRAIN", "200ms")]).await;
    assert!(server.terminate().success(), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_streams_and_twenty_long_polls_end_with_the_server() {
    let settings = [("LOADBAY_CHUNK_ROWS", "50"), ("LOADBAY_DRAIN", "1s")];
    let mut server = Server::start_with(Kind::Postgres, &settings).await;
    let lock = Locked::products(&server).await;
    let upload = Upload::csv(&products("L", 300)).option("rows", "all");
    let job = server.import("products", upload).await;
    server.until(job, |status| status["progress"]["total"] == 300).await;
    let mut streams = Vec::new();
    for number in 0..60 {
        let mut stream = RawConnection::open(&server);
        let path = if number % 2 == 0 {
            format!("/api/v1/import/jobs/{job}/events")
        } else {
            "/api/v1/import/events".to_owned()
        };
        stream.get(&path, "");
        assert!(stream.answer().unwrap().starts_with("http/1.1 200"));
        streams.push(stream);
    }
    let tag = server.status(job).await.header("etag").unwrap().to_owned();
    let mut polls = Vec::new();
    for _ in 0..20 {
        let mut poll = RawConnection::open(&server);
        let tag = format!("If-None-Match: {tag}\r\n");
        poll.get(&format!("/api/v1/import/status/{job}?wait=60"), &tag);
        polls.push(poll);
    }
    let release = tokio::spawn(lock.release());
    assert!(server.terminate().success());
    release.await.unwrap();
    for poll in polls {
        let answer = poll.rest();
        assert!(
            answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 304"),
            "{answer}"
        );
    }
    for stream in streams {
        stream.rest();
    }
    assert!(!server.log().contains("stop_timeout"), "{}", server.log());
    server.restart();
    assert_eq!(server.finished(job).await["status"], "completed");
    server.check_every_job().await;
}

#[tokio::test]
async fn clients_that_do_not_read_do_not_hold_a_server_that_stops() {
    let mut server = Server::start_with(Kind::Sqlite, &[("LOADBAY_CHUNK_ROWS", "1000")]).await;
    let upload = Upload::csv(&products("N", 20_000)).option("rows", "all");
    let job = server.import("products", upload).await;
    let mut deaf = Vec::new();
    for _ in 0..10 {
        let mut stream = RawConnection::open(&server);
        stream.get(&format!("/api/v1/import/jobs/{job}/events?rows=all"), "");
        deaf.push(stream);
    }
    server.finished(job).await;
    assert!(server.terminate().success());
    assert!(!server.log().contains("stop_timeout"), "{}", server.log());
    drop(deaf);
    server.check_every_job().await;
}
