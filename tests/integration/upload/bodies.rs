//! Bodies that cannot be read: no file, two files, broken forms, broken transfers.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::forms::{
    GOOD, assert_nothing_left, assert_refused, connect, entries, form, raw_head, send_as,
    send_bytes, send_form,
};
use crate::support::{Kind, Server, Upload};

const FILE: &str = "name=\"file\"; filename=\"p.csv\"";

#[tokio::test]
async fn a_form_needs_one_file_called_file() {
    let server = Server::start(Kind::Sqlite).await;
    let good = GOOD.as_bytes();
    let upload = "name=\"upload\"; filename=\"p.csv\"";
    let mode = ("name=\"mode\"", &b"upsert"[..]);
    for (parts, code, words) in [
        (vec![mode], "no_file", &["`file`"][..]),
        (vec![], "no_file", &["`file`"]),
        (vec![(upload, good)], "no_file", &["`upload`", "`file`"]),
        (vec![(FILE, good), (upload, good)], "multiple_files", &["`upload`", "`file`"]),
    ] {
        let answer = send_form(&server, form(&parts)).await;
        assert_refused(&answer, 400, code, words);
        assert_nothing_left(&server).await;
    }
}

#[tokio::test]
async fn a_form_has_bounds() {
    let server = Server::start(Kind::Sqlite).await;
    let many: Vec<_> = (0..10_000).map(|number| format!("name=\"x{number}\"")).collect();
    let parts: Vec<_> = many.iter().map(|name| (name.as_str(), &b"1"[..])).collect();
    let answer = send_form(&server, form(&parts)).await;
    assert_refused(&answer, 400, "malformed_request", &["64 parts"]);
    let long = vec![b'x'; 100_000];
    let answer = send_form(&server, form(&[("name=\"mapping\"", &long)])).await;
    assert_refused(&answer, 400, "invalid_option", &["`mapping`", "16384 bytes"]);
    let header = format!("name=\"file\"; filename=\"{}\"", "x".repeat(1 << 20));
    let answer = send_form(&server, form(&[(&header, GOOD.as_bytes())])).await;
    assert_refused(&answer, 400, "malformed_request", &[]);
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn a_broken_form_is_refused() {
    let server = Server::start(Kind::Sqlite).await;
    let whole = form(&[(FILE, GOOD.as_bytes())]);
    let without_end = whole[..whole.len() - 10].to_vec();
    for body in [without_end, b"no form at all".to_vec(), Vec::new()] {
        let answer = send_form(&server, body).await;
        assert!([400].contains(&answer.status), "{}", answer.text());
        assert!(["malformed_request", "no_file"].contains(&answer.code()), "{}", answer.text());
        assert_nothing_left(&server).await;
    }
    let answer = send_as(&server, "multipart/form-data", whole.clone()).await;
    assert_refused(&answer, 400, "malformed_request", &["boundary"]);
    let answer = send_as(&server, "multipart/mixed; boundary=a-boundary", whole).await;
    assert_refused(&answer, 415, "unsupported_format", &["multipart/form-data"]);
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused_with_what_to_send() {
    let server = Server::start(Kind::Sqlite).await;
    let good = || GOOD.as_bytes().to_vec();
    let answer = send_as(&server, "application/x-www-form-urlencoded", good()).await;
    assert_refused(&answer, 415, "unsupported_format", &["-F file=@products.csv"]);
    let answer = send_as(&server, "application/json", b"{}".to_vec()).await;
    assert_refused(&answer, 400, "malformed_request", &["`url`"]);
    let packed = Upload::csv(GOOD).raw().header("content-encoding", "gzip");
    let answer = server.upload("products", packed).await;
    assert_refused(&answer, 415, "unsupported_format", &["Content-Encoding"]);
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let server = Server::start(Kind::Sqlite).await;
    let short = format!("{}{GOOD}", raw_head("Content-Length: 1000"));
    let chunked = format!("{}10\r\nSKU,Name\r\n", raw_head("Transfer-Encoding: chunked"));
    let broken = format!("{}zz\r\nSKU,Name\r\n", raw_head("Transfer-Encoding: chunked"));
    for request in [short, chunked, broken] {
        let answer = send_bytes(&server, request.as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert_nothing_left(&server).await;
    }
    let mut gone = connect(&server);
    gone.write_all(format!("{}SKU,Name\nA,", raw_head("Content-Length: 1000")).as_bytes()).unwrap();
    drop(gone);
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn a_body_that_is_not_what_was_announced_is_refused() {
    let server = Server::start(Kind::Sqlite).await;
    let other = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    for upload in [Upload::csv(GOOD), Upload::csv(GOOD).raw()] {
        let answer = server.upload("products", upload.header("content-digest", other)).await;
        assert_refused(&answer, 400, "digest_mismatch", &["sha-256=:"]);
        assert_nothing_left(&server).await;
    }
    let unread = Upload::csv(GOOD).header("content-digest", "crc32=:AAAA:");
    let answer = server.upload("products", unread).await;
    assert_refused(&answer, 400, "malformed_request", &["Content-Digest", "sha-256"]);
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn an_upload_that_is_under_way_when_the_server_stops_is_taken() {
    let mut server = Server::start(Kind::Sqlite).await;
    let mut stream = connect(&server);
    let (first, rest) = GOOD.split_at(GOOD.len() / 2);
    let head = raw_head(&format!("Content-Length: {}", GOOD.len()));
    stream.write_all(format!("{head}{first}").as_bytes()).unwrap();
    let limit = Instant::now() + Duration::from_mins(1);
    let wait_for = |fact: &dyn Fn() -> bool| {
        while !fact() {
            assert!(Instant::now() < limit, "it does not come:\n{}", server.log());
            std::thread::yield_now();
        }
    };
    wait_for(&|| !entries(&server, "tmp").is_empty());
    server.signal(Signal::TERM);
    wait_for(&|| server.log().contains("stopping"));
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    assert!(server.terminate().success());
    server.restart();
    assert_eq!(server.finished(1).await["status"], "completed");
    server.check_every_job().await;
}
