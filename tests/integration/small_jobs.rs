//! Many small jobs on PostgreSQL: what one costs is counted in round trips, because on a network each of
//! them is a wait.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::support::{Database, Kind, Server, Upload, check_guarantees};

/// Round trips of a job of three rows, with its upload, its claim and the look for the next one.
const TRIPS_MAX: u64 = 115;

const JOBS: u64 = 20;

/// Passes connections on and counts how often a side that was answered says something again.
#[derive(Debug, Default)]
struct Trips {
    trips: AtomicU64,
    connections: AtomicU64,
}

impl Trips {
    fn start(to: SocketAddr) -> (Arc<Self>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (counted, port) = (Arc::new(Self::default()), listener.local_addr().unwrap().port());
        let trips = Arc::clone(&counted);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(to) else { continue };
                trips.connections.fetch_add(1, Ordering::Relaxed);
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let was_answered = Arc::new(AtomicBool::new(true));
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (trips, answered) = (Arc::clone(&trips), Arc::clone(&was_answered));
                std::thread::spawn(move || {
                    pass(from, to, || {
                        if answered.swap(false, Ordering::Relaxed) {
                            trips.trips.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                });
                std::thread::spawn(move || {
                    pass(server, client, || was_answered.store(true, Ordering::Relaxed));
                });
            }
        });
        (counted, port)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut note: impl FnMut()) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        note();
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
}

#[tokio::test]
async fn a_job_of_three_rows_makes_few_round_trips_and_no_connection() {
    // Makes the database and its tables.
    let mut first = Server::start(Kind::Postgres).await;
    first.terminate();
    let url = reqwest::Url::parse(first.database.url().unwrap()).unwrap();
    let to = (url.host_str().unwrap(), url.port().unwrap());
    let to = std::net::ToSocketAddrs::to_socket_addrs(&to).unwrap().next().unwrap();
    let (counted, port) = Trips::start(to);
    let mut through = url;
    through.set_host(Some("127.0.0.1")).unwrap();
    through.set_port(Some(port)).unwrap();
    let database = Arc::new(Database::given(through.to_string()));
    let mut server = Server::new(tempfile::tempdir().unwrap(), database, &[]);
    server.restart();

    let upload = async |number: u64| {
        let text = format!(
            "SKU,Name,Selling Price\nA{number},Arnica,1\nB{number},Bryonia,2\nC,Conium,{number}\n"
        );
        let done = server.upload("products", Upload::csv(&text).header("Prefer", "wait=60")).await;
        assert_eq!(done.ok()["status"], "completed", "{}", done.text());
        done.ok()["jobId"].as_i64().unwrap()
    };
    // Connections are made and statements prepared by the first ones.
    for number in 0..5 {
        upload(number).await;
    }
    let connected = counted.connections.load(Ordering::Relaxed);
    // The server also asks every few seconds by itself, which falls upon some of the jobs.
    let (mut last, mut trips) = (0, u64::MAX);
    for number in 0..JOBS {
        let before = counted.trips.load(Ordering::Relaxed);
        last = upload(5 + number).await;
        trips = trips.min(counted.trips.load(Ordering::Relaxed) - before);
    }
    let connections = counted.connections.load(Ordering::Relaxed) - connected;
    println!("{trips} round trips a job, {connections} connections for {JOBS} jobs");
    assert!(trips <= TRIPS_MAX, "{trips} round trips a job");
    assert!(connections < JOBS / 2, "{connections} connections for {JOBS} jobs");
    check_guarantees(&server, last).await;
}
