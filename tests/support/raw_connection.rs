//! A connection on which a test writes the bytes of HTTP itself, to see what clients never show.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::server::Server;
use super::waiting::PATIENCE;

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct RawConnection(TcpStream);

impl RawConnection {
    /// A new connection.
    pub(crate) fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address().trim_start_matches("http://"));
        let stream = stream.expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        Self(stream)
    }

    /// Writes these bytes.
    pub(crate) fn send(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).expect("the bytes are taken");
    }

    /// Asks for a path, with more header lines that end with CRLF.
    pub(crate) fn get(&mut self, path: &str, headers: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"));
    }

    /// The next answer, whose body says its length; nothing when the connection is closed instead.
    pub(crate) fn answer(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            match self.0.read(&mut byte) {
                Ok(1..) => bytes.push(byte[0]),
                Ok(0) => return None,
                Err(fault) if fault.kind() == ErrorKind::ConnectionReset => return None,
                Err(fault) => panic!("no answer: {fault}"),
            }
        }
        let head = String::from_utf8(bytes).expect("a head of text").to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the whole body");
        let body = String::from_utf8(body).expect("a body of text");
        Some(format!("{head}{body}"))
    }

    /// Everything up to the end of the connection.
    pub(crate) fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Err(fault) if fault.kind() != ErrorKind::ConnectionReset => panic!("no end: {fault}"),
            _ => String::from_utf8(bytes).expect("text"),
        }
    }

    /// True when nothing comes and the connection stays open for this long.
    pub(crate) fn stays_open(&mut self, time: Duration) -> bool {
        self.0.set_read_timeout(Some(time)).expect("a time limit");
        let looked = self.0.read(&mut [0]);
        self.0.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        looked.is_err_and(|fault| fault.kind() == ErrorKind::WouldBlock)
    }
}
