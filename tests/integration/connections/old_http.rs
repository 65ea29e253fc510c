//! HTTP/1.0 has no chunks: a body without a known length ends with its connection.

use crate::support::{Kind, RawConnection, Server, Upload};

fn asked(server: &Server, path: &str, headers: &str) -> (String, String) {
    let mut connection = RawConnection::open(server);
    connection.send(format!("GET {path} HTTP/1.0\r\n{headers}\r\n"));
    let answer = connection.rest();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test]
async fn a_body_without_a_length_is_not_chunked() {
    let server = Server::start(Kind::Sqlite).await;
    let file = "SKU,Name\nA,Arnica\n,Bryonia\n";
    let id = server.load("products", Upload::csv(file)).await["jobId"].as_i64().unwrap();
    let expected = server.errors_file(id, "csv").await;
    for headers in ["", "Connection: keep-alive\r\n"] {
        let (head, body) = asked(&server, &format!("/api/v1/import/jobs/{id}/errors.csv"), headers);
        assert!(head.starts_with("http/1.") && head.contains(" 200 "), "{head}");
        assert!(!head.contains("transfer-encoding"), "{head}");
        assert!(!head.contains("keep-alive"), "{head}");
        assert_eq!(body, expected.text());
        let (head, body) = asked(&server, &format!("/api/v1/import/jobs/{id}/events"), headers);
        assert!(!head.contains("transfer-encoding"), "{head}");
        assert!(body.starts_with("retry: 3000\n\n") && body.ends_with("}\n\n"), "{body}");
    }
}

#[tokio::test]
async fn a_body_with_a_length_keeps_the_connection_for_those_who_ask_for_it() {
    let server = Server::start(Kind::Sqlite).await;
    let mut connection = RawConnection::open(&server);
    for _ in 0..2 {
        connection.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        let answer = connection.answer().expect("the connection is kept");
        assert!(answer.contains(r#""status":"alive""#), "{answer}");
    }
    let (head, _) = asked(&server, "/healthz", "");
    assert!(head.contains("\r\ncontent-length: "), "{head}");
}
