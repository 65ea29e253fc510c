//! A machine of one's own whose certificate an authority of one's own issued.

use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::database_tls::Authority;
use crate::s3::acceptor;

/// Answers every question by TLS with the same file, as long as the test runs; the port.
fn serve(certificate: &(PathBuf, PathBuf)) -> u16 {
    let (ready, is_ready) = std::sync::mpsc::channel();
    let acceptor = acceptor(certificate);
    // A runtime of its own: a test blocks its own while it starts a server.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            ready
                .send(listener.local_addr().expect("an address").port())
                .expect("it is waited for");
            while let Ok((socket, _)) = listener.accept().await {
                // A client that trusts nobody here goes away.
                let Ok(mut socket) = acceptor.accept(socket).await else { continue };
                let mut question = [0; 4096];
                let _asked = socket.read(&mut question).await;
                let body = products(3);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nConnection: close";
                let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                let _sent = socket.write_all(answer.as_bytes()).await;
                let _closed = socket.shutdown().await;
            }
        });
    });
    is_ready.recv().expect("it listens")
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let authority = Authority::new();
    let port = serve(&authority.issue("localhost"));
    let address = json!({"url": format!("https://localhost:{port}/prices.csv")});
    let certificate = authority.certificate();
    let open =
        [("LOADBAY_FETCH_NETWORKS", "127.0.0.1,::1"), OPEN[1], ("LOADBAY_FETCH_RETRIES", "0")];
    let named = ("LOADBAY_FETCH_CA_FILE", certificate.to_str().expect("a path"));
    let mut server = Server::start_with(Kind::Sqlite, &[open[0], open[1], open[2], named]).await;
    let status = server.finished(server.far_job(address.clone()).await).await;
    assert_eq!((&status["status"], &status["counts"]["created"]), (&json!("completed"), &json!(3)));
    server.check_every_job().await;
    server.kill();

    // Nobody trusts the authority.
    server.restart_with(&open);
    let status = server.finished(server.far_job(address).await).await;
    assert_eq!(status["errorCode"], "fetch_failed", "{status}");
    assert!(status["error"].as_str().unwrap().contains("certificate"), "{status}");
    server.kill();

    // The file is not there: no start.
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::create(Kind::Sqlite, &folder.path().join("data")).await;
    let missing = [("LOADBAY_FETCH_CA_FILE", "/nowhere/ca.pem")];
    let mut server = Server::new(folder, std::sync::Arc::new(database), &missing);
    let _lines = server.spawn("127.0.0.1:0");
    wait_until!(server.ended().is_some(), "it starts: {}", server.log());
    let said = server.log();
    assert!(said.contains("LOADBAY_FETCH_CA_FILE names `/nowhere/ca.pem`, which cannot"), "{said}");
}
