//! A web server of files that behaves as a test wants: ranges or none, cut off, silent, lying,
//! leading elsewhere. Each request is told to the test's own function, with its number.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The first byte that is asked for.
    pub(crate) fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What is sent to an answer's end.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Bytes of the body after which the connection is cut.
    cut: Option<usize>,
    /// It stays open instead.
    silent: bool,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), cut: None, silent: false }
    }

    pub(crate) fn file(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }
    }

    /// The file, or the rest that is asked for under the same tag.
    pub(crate) fn ranged(asked: &Asked, body: &[u8], tag: &str) -> Self {
        let file = match asked.from() {
            Some(at) if asked.header("if-range") == Some(tag) && at < body.len() => {
                let range = format!("bytes {at}-{}/{}", body.len() - 1, body.len());
                Self { status: 206, ..Self::file(&body[at..]).header("Content-Range", &range) }
            }
            Some(at) if asked.header("if-range") == Some(tag) && at == body.len() => {
                Self::status(416).header("Content-Range", &format!("bytes */{at}"))
            }
            _ => Self::file(body),
        };
        file.header("ETag", tag)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn to(place: &str) -> Self {
        Self::status(302).header("Location", place)
    }

    pub(crate) fn cut(self, after: usize) -> Self {
        Self { cut: Some(after), ..self }
    }

    pub(crate) fn silent(self, after: usize) -> Self {
        Self { cut: Some(after), silent: true, ..self }
    }

    fn send(&self, socket: &mut TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let has_length = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length") || name == "No-Length");
        if !has_length {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        socket.write_all(head.as_bytes())?;
        socket.write_all(b"\r\n")?;
        socket.write_all(&self.body[..self.cut.unwrap_or(usize::MAX).min(self.body.len())])?;
        socket.flush()?;
        if self.silent {
            // Until the client goes away.
            let _end = socket.read(&mut [0; 1]);
        }
        socket.shutdown(Shutdown::Write)
    }
}

type Answer = dyn Fn(usize, &Asked) -> Reply + Send + Sync;

/// A web server; ends with the value.
pub(crate) struct Web {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    gone: Arc<AtomicBool>,
}

impl Web {
    /// Starts a server on 127.0.0.1 that answers the n-th request, from 0, by `answer`.
    pub(crate) fn start(answer: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_on("127.0.0.1:0", answer)
    }

    pub(crate) fn start_on(
        listen: &str,
        answer: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(listen).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (asked, gone) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (log, ended, answer) = (Arc::clone(&asked), Arc::clone(&gone), Arc::new(answer));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(socket) = socket else { continue };
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(socket, &log, &*answer));
            }
        });
        Self { address, asked, gone }
    }

    /// An address here.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no test thread panics here").clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        let _woken = TcpStream::connect(self.address);
    }
}

fn serve(mut socket: TcpStream, log: &Mutex<Vec<Asked>>, answer: &Answer) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        match socket.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or("/").to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<(String, String)> = lines.filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |at| at + 4);
    let mut body = bytes[head..].to_vec();
    while body.len() < length {
        match socket.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => body.extend_from_slice(&buffer[..count]),
        }
    }
    let asked = Asked { path, headers, body };
    let number = {
        let mut log = log.lock().expect("no test thread panics here");
        log.push(asked.clone());
        log.len() - 1
    };
    let _client_gone = answer(number, &asked).send(&mut socket);
}
