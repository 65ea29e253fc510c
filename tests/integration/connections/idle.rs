//! Idle connections stay open longer than proxies keep them, and end with the server.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Kind, RawConnection, Server, Upload};

/// What many servers and proxies take for long enough.
const COMMON: Duration = Duration::from_secs(6);

#[tokio::test]
async fn an_idle_connection_stays_open_longer_than_common_proxies_keep_theirs() {
    let server = Server::start(Kind::Sqlite).await;
    let mut connection = RawConnection::open(&server);
    connection.get("/healthz", "");
    assert!(connection.answer().is_some());
    assert!(connection.stays_open(COMMON), "the server closed an idle connection");
    connection.get("/healthz", "");
    assert!(connection.answer().is_some());
}

#[tokio::test]
async fn the_setting_says_when_an_idle_connection_is_closed() {
    let server = Server::start_with(Kind::Sqlite, &[("LOADBAY_KEEP_ALIVE", "5s")]).await;
    let mut connection = RawConnection::open(&server);
    connection.get("/healthz", "");
    assert!(connection.answer().is_some());
    assert_eq!(connection.answer(), None, "the connection ends");
}

/// Clients that ask again after the time that they were told find their connection open, also with
/// the shortest time that the setting takes.
#[tokio::test]
async fn nobody_is_told_to_come_back_when_connections_are_closed() {
    let shortest = 5;
    let server = Server::start(Kind::Sqlite).await;
    let seconds = |answer: &crate::support::Answer| {
        answer.header("retry-after").and_then(|text| text.parse::<u32>().ok()).unwrap()
    };
    let upload = server.upload("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    assert!(seconds(&upload) < shortest);
    let id = upload.data()["jobId"].as_i64().unwrap();
    server.finished(id).await;
    // A job as old as those of which the answer is slowest.
    let set = "update import_log set created_at = '2020-01-01 00:00:00+00:00', \
               import_status = 'PAUSED', completed_at = null";
    server.database.execute(set).await;
    let mut server = server;
    server.kill();
    server.restart();
    assert!(seconds(&server.status(id).await) < shortest);
    server.kill();
    server.restart_with(&[("LOADBAY_DRAIN", "10min")]);
    server.signal(Signal::TERM);
    crate::support::wait_until!(server.get("/readyz").await.status == 503, "it does not stop");
    assert!(seconds(&server.get("/readyz").await) < shortest);
}

#[tokio::test]
async fn idle_and_silent_connections_do_not_hold_a_server_that_stops() {
    let mut server = Server::start(Kind::Sqlite).await;
    let silent = RawConnection::open(&server);
    let mut idle = RawConnection::open(&server);
    idle.get("/healthz", "");
    assert!(idle.answer().is_some());
    assert!(server.terminate().success());
    assert_eq!((idle.rest(), silent.rest()), (String::new(), String::new()));
    assert!(!server.log().contains("stop_timeout"), "{}", server.log());
}
