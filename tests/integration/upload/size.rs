//! Files over `LOADBAY_MAX_UPLOAD` are refused as soon as that is known.

use std::io::{Read, Write};

use super::forms::{GOOD, assert_nothing_left, assert_refused, connect, form, raw_head, send_form};
use crate::support::{Kind, Server, Upload};

const LIMIT: usize = 1 << 20;

async fn start() -> Server {
    Server::start_with(Kind::Sqlite, &[("LOADBAY_MAX_UPLOAD", "1MiB")]).await
}

fn csv_of(bytes: usize) -> Vec<u8> {
    let mut text = GOOD.as_bytes().to_vec();
    text.resize(bytes, b'\n');
    text
}

#[tokio::test]
async fn a_file_of_just_the_limit_is_taken_and_one_byte_more_is_not() {
    let mut server = start().await;
    for raw in [false, true] {
        let sent = |upload: Upload| if raw { upload.raw() } else { upload };
        let over = sent(Upload::file("p.csv", csv_of(LIMIT + 1)));
        let answer = server.upload("products", over).await;
        assert_refused(&answer, 413, "too_large", &["1", "MiB", "LOADBAY_MAX_UPLOAD"]);
    }
    assert_nothing_left(&server).await;
    for raw in [false, true] {
        let sent = |upload: Upload| if raw { upload.raw() } else { upload };
        server.load("products", sent(Upload::file("p.csv", csv_of(LIMIT)))).await;
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn a_length_over_the_limit_is_refused_before_the_body_comes() {
    let server = start().await;
    let form = "POST /api/v1/import/products HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
                multipart/form-data; boundary=x\r\nContent-Length: 99999999999\r\n\r\n";
    for head in [raw_head("Content-Length: 1048577").as_str(), form] {
        let mut stream = connect(&server);
        stream.write_all(head.as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).expect("an answer before the body");
        assert_eq!(&start, b"HTTP/1.1 413");
        assert_nothing_left(&server).await;
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_refused_when_it_passes_the_limit() {
    let server = start().await;
    let mut stream = connect(&server);
    stream.write_all(raw_head("Transfer-Encoding: chunked").as_bytes()).unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 1 << 16], b"\r\n".to_vec()].concat();
    // An endless body: only the limit can end it.
    while stream.write_all(&chunk).is_ok() {
        let mut start = [0; 12];
        stream.set_nonblocking(true).unwrap();
        let answered = stream.read_exact(&mut start).is_ok();
        stream.set_nonblocking(false).unwrap();
        if answered {
            assert_eq!(&start, b"HTTP/1.1 413");
            break;
        }
    }
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn a_large_file_in_a_form_is_refused_though_the_form_is_not() {
    let server = start().await;
    let text = csv_of(LIMIT + 1);
    let file = ("name=\"file\"; filename=\"p.csv\"", text.as_slice());
    let answer = send_form(&server, form(&[file, ("name=\"mode\"", b"upsert")])).await;
    assert_refused(&answer, 413, "too_large", &["MiB"]);
    assert_nothing_left(&server).await;
}
