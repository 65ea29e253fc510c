//! As much of an HTTP/1.1 client as the benchmark needs: one connection that is kept, bodies of a
//! known length. Written by hand so that the moment of the last byte is known, and so that the
//! client takes next to nothing of the machine that is measured.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::files::BenchFile;

/// Bytes of an answer that are taken.
const ANSWER_MAX: u64 = 1 << 20;

/// The last event of a stream is among so many bytes at its end.
const END_BYTES: usize = 64 << 10;

/// A connection to the server.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_mins(2)))?;
        stream.set_write_timeout(Some(Duration::from_mins(2)))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends a GET and takes the answer.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    /// Sends a file as the body, and gives the answer and the time from its last byte to it.
    pub(crate) fn upload(&mut self, path: &str, file: &BenchFile) -> Result<(Answer, Duration)> {
        let name = file.path.file_name().and_then(|name| name.to_str()).context("a file name")?;
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n");
        write!(head, "content-type: {}\r\n", file.format.media_type())?;
        write!(head, "content-disposition: attachment; filename=\"{name}\"\r\n")?;
        write!(head, "content-length: {}\r\n\r\n", file.bytes)?;
        self.stream.get_mut().write_all(head.as_bytes())?;
        self.send(file)?;
        let sent = Instant::now();
        let answer = self.answer()?;
        Ok((answer, sent.elapsed()))
    }

    /// Sends files as the parts `files` of a form, and gives the answer.
    pub(crate) fn upload_all(&mut self, path: &str, files: &[BenchFile]) -> Result<Answer> {
        let (boundary, end) = ("bench-boundary", "\r\n");
        let mut heads = Vec::new();
        let mut length = 0;
        for file in files {
            let name = file.path.file_name().and_then(|name| name.to_str());
            let name = name.context("a file name")?;
            let head = format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"files\"; \
                 filename=\"{name}\"\r\ncontent-type: {}\r\n\r\n",
                file.format.media_type()
            );
            length += head.len() as u64 + file.bytes + end.len() as u64;
            heads.push(head);
        }
        let last = format!("--{boundary}--\r\n");
        length += last.len() as u64;
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n");
        write!(head, "content-type: multipart/form-data; boundary={boundary}\r\n")?;
        write!(head, "content-length: {length}\r\n\r\n")?;
        self.stream.get_mut().write_all(head.as_bytes())?;
        for (head, file) in heads.iter().zip(files) {
            self.stream.get_mut().write_all(head.as_bytes())?;
            self.send(file)?;
            self.stream.get_mut().write_all(end.as_bytes())?;
        }
        self.stream.get_mut().write_all(last.as_bytes())?;
        self.answer()
    }

    /// Sends the bytes of a file.
    fn send(&mut self, file: &BenchFile) -> Result<()> {
        let mut source = File::open(&file.path)?;
        let mut block = vec![0; 256 << 10];
        loop {
            let read = source.read(&mut block)?;
            if read == 0 {
                return Ok(());
            }
            self.stream.get_mut().write_all(block.get(..read).unwrap_or_default())?;
        }
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("the server closed the connection")?.parse()?;
        let mut length = 0;
        loop {
            line.clear();
            ensure!(self.stream.read_line(&mut line)? > 0, "the answer ends in its headers");
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        ensure!(length <= ANSWER_MAX, "an answer of {length} bytes");
        let mut body = vec![0; usize::try_from(length)?];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, json: serde_json::from_slice(&body).unwrap_or_default() })
    }
}

/// Listens to a stream of events up to its end, and gives the bytes that came. Reads without
/// looking: the client must take next to nothing of the machine.
pub(crate) fn listen(address: &str, path: &str) -> Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_mins(2)))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())?;
    let (mut block, mut end, mut bytes) = (vec![0; 64 << 10], Vec::new(), 0);
    loop {
        let read = stream.read(&mut block)?;
        let part = block.get(..read).unwrap_or_default();
        if part.is_empty() {
            break;
        }
        bytes += part.len() as u64;
        end.extend_from_slice(part);
        end.drain(..end.len().saturating_sub(END_BYTES));
    }
    let is_whole = String::from_utf8_lossy(&end).contains(r#""type":"complete""#);
    ensure!(is_whole, "a stream ended before the job, after {bytes} bytes");
    Ok(bytes)
}
