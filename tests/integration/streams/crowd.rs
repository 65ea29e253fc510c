//! Many listeners, and one that does not listen.

use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use futures_util::StreamExt;

use super::files::{Locked, products};
use crate::support::{DeliveredEvent, Kind, Server, Upload, both, wait_until};

/// Memory that the server has resident, in KiB.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process_id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// A thousand connections are more than many systems allow a process unless it asks.
fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
}

#[tokio::test]
async fn a_thousand_listeners_hear_the_end() {
    allow_many_files();
    let settings = [("LOADBAY_CHUNK_ROWS", "100"), ("LOADBAY_LOG", "warn")];
    let mut server = Server::start_with(Kind::Postgres, &settings).await;
    let lock = Locked::products(&server).await;
    let upload = Upload::csv(&products("M", 3_000)).option("rows", "none");
    let job = server.import("products", upload).await;
    let opening = (0..1_000).map(|_| server.events(job, ""));
    let mut listeners: Vec<_> = futures_util::stream::iter(opening).buffered(50).collect().await;
    let first = listeners.iter_mut().map(crate::support::Listener::next);
    for heard in futures_util::future::join_all(first).await {
        assert_eq!(heard.unwrap().kind(), "snapshot");
    }
    lock.release().await;
    let rest = listeners.into_iter().map(crate::support::Listener::rest);
    for told in futures_util::future::join_all(rest).await {
        assert_eq!(told.last().unwrap().kind(), "complete");
        assert!(told.iter().all(|heard| heard.id.is_some()));
    }
    server.finished(job).await;
    server.check_every_job().await;
}

both!(progress_is_told_at_most_four_times_a_second, [("LOADBAY_CHUNK_ROWS", "5")], |server| {
    let job = server.import("products", Upload::csv(&products("Q", 3_000))).await;
    let told = server.events(job, "?rows=none").await.rest().await;
    // What was stored when the listener came is told as fast as it can be read.
    let current = |heard: &DeliveredEvent| heard.data["current"].as_u64();
    let begin = current(&told[0]);
    let is_live = |heard: &&DeliveredEvent| heard.kind() == "progress" && current(heard) > begin;
    let times: Vec<Instant> = told.iter().filter(is_live).map(|heard| heard.at).collect();
    if let [first, .., last] = times[..] {
        let most = (last - first).as_millis() / 250 + 2;
        assert!(times.len() as u128 <= most, "{} progress events, not {most}", times.len());
    }
    let [.., progress, done, complete] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((progress.kind(), &progress.data["current"]), ("progress", &3_000.into()));
    assert_eq!((done.kind(), complete.kind()), ("log", "complete"));
    server.finished(job).await;
});

#[tokio::test]
async fn a_listener_that_never_reads_costs_little_and_is_closed() {
    let settings = [("LOADBAY_LOG", "warn"), ("LOADBAY_MAX_EVENTS", "1000000")];
    let mut server = Server::start_with(Kind::Sqlite, &settings).await;
    let quiet = server.load("products", Upload::csv(&products("W", 50_000))).await;
    assert_eq!(quiet["counts"]["created"], 50_000);
    let before = resident(&server);

    let upload = Upload::csv(&products("X", 200_000)).option("rows", "all");
    let job = server.import("products", upload).await;
    let host = server.address().trim_start_matches("http://").to_owned();
    let mut deaf = Vec::new();
    for _ in 0..3 {
        let socket = TcpStream::connect(&host).unwrap();
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 4_096).unwrap();
        let request = format!(
            "GET /api/v1/import/jobs/{job}/events?rows=all HTTP/1.1\r\nhost: localhost\r\n\r\n"
        );
        (&socket).write_all(request.as_bytes()).unwrap();
        deaf.push(socket);
    }
    let ports: Vec<u16> = deaf.iter().map(|it| it.local_addr().unwrap().port()).collect();
    assert!(ports.iter().all(|port| is_connected(&host, *port)), "they were closed at once");
    let most = std::cell::Cell::new(0);
    let status = server
        .until(job, |status| {
            most.set(resident(&server).max(most.get()));
            status["status"] != "pending" && status["status"] != "processing"
        })
        .await;
    assert_eq!(status["counts"]["created"], 200_000);
    let most = most.get();
    eprintln!("{before} KiB before, {most} KiB at most");
    assert!(most < before + 48 * 1_024, "{before} KiB before, {most} KiB at most");

    wait_until!(
        !ports.iter().any(|port| is_connected(&host, *port)),
        "the connections are still open"
    );
    server.check_every_job().await;
}

/// True while the server's end of a connection from this port is there.
fn is_connected(host: &str, port: u16) -> bool {
    let (_, own) = host.rsplit_once(':').unwrap();
    let ends = format!(":{:04X} 0100007F:{port:04X} ", own.parse::<u16>().unwrap());
    std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&ends)
}
