//! What the tests send and how they read what comes back: as the pages and command lines of the
//! older programs do.

use std::process::Command;

use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response};
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use crate::support::{Answer, Kind, Server};

/// A form with the file in the field `file`, as every one of these clients sends it.
fn form(name: &str, bytes: impl Into<Vec<u8>>) -> Form {
    Form::new().part("file", Part::bytes(bytes.into()).file_name(name.to_owned()))
}

/// Sends a file and waits for the whole answer.
pub(crate) async fn post(
    server: &Server,
    path: &str,
    name: &str,
    bytes: impl Into<Vec<u8>>,
) -> Answer {
    server.send(server.request(Method::POST, path).multipart(form(name, bytes))).await
}

/// Sends a file and gives the answer as soon as it begins.
pub(crate) async fn post_stream(server: &Server, path: &str, name: &str, text: &str) -> Events {
    let request = server.request(Method::POST, path).multipart(form(name, text));
    Events::of(request.send().await.unwrap())
}

/// A stream of messages on its way.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) response: Response,
    text: String,
}

impl Events {
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// Opens the stream of an address, as an `EventSource` does.
    pub(crate) async fn open(server: &Server, path: &str) -> Self {
        let request = server.request(Method::GET, path).header("accept", "text/event-stream");
        Self::of(request.header("origin", "http://localhost:3000").send().await.unwrap())
    }

    /// The next message; none at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                if let Some(message) = messages(&event).into_iter().next() {
                    return Some(message);
                }
                continue;
            }
            let bytes = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// Every message up to the end of the stream.
    pub(crate) async fn all(mut self) -> Vec<Value> {
        let mut found = Vec::new();
        while let Some(message) = self.next().await {
            found.push(message);
        }
        assert_eq!(self.text, "", "the stream ends with a whole message");
        found
    }
}

/// The messages of a stream, read line by line as these pages do it.
pub(crate) fn messages(text: &str) -> Vec<Value> {
    let lines = text.split('\n').filter_map(|line| line.strip_prefix("data: "));
    lines.map(|json| serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {json}"))).collect()
}

/// The names of an object's members, sorted.
pub(crate) fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The rows of a CSV text as a workbook of texts.
pub(crate) fn workbook(text: &str) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, line) in (0..).zip(text.lines()) {
        for (column, cell) in (0..).zip(line.split(',')) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// A file that cannot be read to its end, which only the import sees: a field without an end behind
/// many rows.
pub(crate) fn broken() -> String {
    let rows: String = (0..20_000).map(|n| format!("R{n},Arnica Montana\n")).collect();
    format!("SKU,Name\n{rows}A-2,{}\n", "x".repeat((1 << 20) + 1))
}

/// Runs curl with these arguments in the folder of the test; the answer's body. None where there is
/// no curl.
pub(crate) fn curl(server: &Server, arguments: &[&str]) -> Option<String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "60", "--noproxy", "*"]).args(arguments);
    let output = match curl.current_dir(server.folder()).output() {
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: there is no curl");
            return None;
        }
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A server whose `products` table somebody else has locked: a job can begin, but nothing of it can
/// be written.
#[derive(Debug)]
pub(crate) struct Locked(PgConnection);

impl Locked {
    /// Starts the server and locks the table.
    pub(crate) async fn start() -> (Server, Self) {
        let server = Server::start(Kind::Postgres).await;
        let mut lock = PgConnection::connect(server.database.url().unwrap()).await.unwrap();
        for sql in ["begin", "lock table products in access exclusive mode"] {
            sqlx::raw_sql(sql).execute(&mut lock).await.unwrap();
        }
        (server, Self(lock))
    }

    /// Unlocks the table.
    pub(crate) async fn release(mut self) {
        sqlx::raw_sql("rollback").execute(&mut self.0).await.unwrap();
    }
}
