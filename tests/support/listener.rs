//! A client of event streams, to the letter of WHATWG HTML 9.2.6: lines that end with LF, CR or
//! both, fields, comments, events that come in any pieces.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::server::Server;

/// Longest time between two signs of life.
const SILENCE_LIMIT: Duration = Duration::from_mins(3);

/// Longest life of a stream.
const STREAM_LIMIT: Duration = Duration::from_mins(5);

/// One event as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct DeliveredEvent {
    /// Its own number, if it has one.
    pub(crate) id: Option<u64>,
    pub(crate) data: Value,
    pub(crate) at: Instant,
}

impl DeliveredEvent {
    /// `type` of the data.
    pub(crate) fn kind(&self) -> &str {
        self.data["type"].as_str().expect("every event has a type")
    }

    /// `message` of the data.
    pub(crate) fn message(&self) -> &str {
        self.data["message"].as_str().unwrap_or_default()
    }
}

/// An open stream of events.
#[derive(Debug)]
pub(crate) struct Listener {
    answer: reqwest::Response,
    parser: Parser,
    /// Pieces in which the stream arrived.
    pub(crate) pieces: usize,
}

/// What the lines so far came to.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    rest: Vec<u8>,
    id: Option<u64>,
    lines: Vec<String>,
    events: VecDeque<DeliveredEvent>,
    /// The last `retry:`, in milliseconds.
    pub(crate) retry: Option<u64>,
    /// Comments so far.
    pub(crate) comments: usize,
}

impl Parser {
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        // A CR at the end may be the first half of a line end.
        while let Some(end) = self.rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let is_cr = self.rest[end] == b'\r';
            if is_cr && end + 1 == self.rest.len() {
                return;
            }
            let width = if is_cr && self.rest[end + 1] == b'\n' { 2 } else { 1 };
            let line: Vec<u8> = self.rest.drain(..end + width).take(end).collect();
            self.line(std::str::from_utf8(&line).expect("a stream is UTF-8"));
        }
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => self.comments += 1,
            "data" => self.lines.push(value.to_owned()),
            // The position in the stream of a bulk is none.
            "id" if value.contains(',') => {}
            "id" => self.id = Some(value.parse().expect("an id is a number")),
            "retry" => self.retry = Some(value.parse().expect("a time in milliseconds")),
            other => panic!("a stream has no field `{other}`"),
        }
    }

    fn dispatch(&mut self) {
        let id = self.id.take();
        let lines = std::mem::take(&mut self.lines);
        if lines.is_empty() {
            assert_eq!(id, None, "a number without an event");
            return;
        }
        assert_eq!(lines.len(), 1, "an event is one line: {lines:?}");
        let text = lines.concat();
        let data = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        self.events.push_back(DeliveredEvent { id, data, at: Instant::now() });
    }

    pub(crate) fn next(&mut self) -> Option<DeliveredEvent> {
        self.events.pop_front()
    }
}

impl Server {
    /// Listens to a path that answers with a stream.
    pub(crate) async fn listen(&self, path: &str) -> Listener {
        Listener::open(self, self.request(Method::GET, path)).await
    }

    /// Listens to the events of a job, with a query such as `?rows=all`.
    pub(crate) async fn events(&self, job: i64, query: &str) -> Listener {
        self.listen(&format!("/api/v1/import/jobs/{job}/events{query}")).await
    }

    /// Everything that a finished job tells, with a query such as `?rows=all`.
    pub(crate) async fn all_events(&self, job: i64, query: &str) -> Vec<DeliveredEvent> {
        self.events(job, query).await.rest().await
    }
}

impl Listener {
    /// Sends a request that is answered with a stream.
    pub(crate) async fn open(server: &Server, request: RequestBuilder) -> Self {
        let sent = request.timeout(STREAM_LIMIT).send().await;
        let answer = sent.unwrap_or_else(|e| panic!("no answer: {e:?}\n{}", server.log()));
        assert_eq!(answer.status(), 200, "{:?}", answer.headers());
        let listener = Self { answer, parser: Parser::default(), pieces: 0 };
        assert_eq!(listener.header("content-type"), Some("text/event-stream"));
        assert_eq!(listener.header("cache-control"), Some("no-store"));
        assert_eq!(listener.header("x-accel-buffering"), Some("no"));
        assert_eq!(listener.header("content-encoding"), None);
        listener
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers().get(name).map(|value| value.to_str().expect("plain text"))
    }

    /// The last `retry:`, in milliseconds.
    pub(crate) fn retry(&self) -> Option<u64> {
        self.parser.retry
    }

    /// The next event; `None` at the end of the stream, however it ends.
    pub(crate) async fn next(&mut self) -> Option<DeliveredEvent> {
        loop {
            if let Some(heard) = self.parser.next() {
                return Some(heard);
            }
            let piece = tokio::time::timeout(SILENCE_LIMIT, self.answer.chunk()).await;
            match piece.expect("a stream gives a sign of life every 15 seconds") {
                Ok(Some(bytes)) => {
                    self.pieces += 1;
                    self.parser.take(&bytes);
                }
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The events up to the first that fulfils a condition, or up to the end of the stream.
    pub(crate) async fn until(
        &mut self,
        holds: impl Fn(&DeliveredEvent) -> bool,
    ) -> Vec<DeliveredEvent> {
        let mut all = Vec::new();
        while let Some(heard) = self.next().await {
            let is_last = holds(&heard);
            all.push(heard);
            if is_last {
                break;
            }
        }
        all
    }

    /// The events up to the end of the stream.
    pub(crate) async fn rest(mut self) -> Vec<DeliveredEvent> {
        self.until(|_| false).await
    }
}
