//! A small proxy between the servers and PostgreSQL that can break what goes through it: cut all
//! connections, hold everything back, or cut one at a COMMIT, just before or just behind it.
//! Knows of the protocol what a message is.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtCommit {
    /// PostgreSQL never hears of it.
    Before,
    /// PostgreSQL commits, and nobody hears of that.
    Behind,
}

/// The proxy; its threads end with the process.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    stalled: bool,
    /// How many commits pass before one is cut, and where.
    armed: Option<(u32, AtCommit)>,
    /// Cuts at a commit so far.
    cuts: u32,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// Begins to pass connections on to `to`.
    pub(crate) fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let proxy = Self { address, state: Arc::default() };
        let of_thread = proxy.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // PostgreSQL may be down: then the client is turned away.
                let Ok(server) = TcpStream::connect(to) else { continue };
                let _ = of_thread.pass(client, server);
            }
        });
        proxy
    }

    fn pass(&self, client: TcpStream, server: TcpStream) -> std::io::Result<()> {
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
            self.state().open.push(stream.try_clone()?);
        }
        let (from, to, proxy) = (client.try_clone()?, server.try_clone()?, self.clone());
        std::thread::spawn(move || proxy.pump(from, to, Some(Frames::default())));
        let proxy = self.clone();
        std::thread::spawn(move || proxy.pump(server, client, None));
        Ok(())
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, mut frames: Option<Frames>) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            self.wait_while_stalled();
            let bytes = &buffer[..count];
            let commit = frames.as_mut().and_then(|frames| frames.commit_in(bytes));
            if let Some((begin, end)) = commit
                && let Some(place) = self.cut_now()
            {
                let kept = if place == AtCommit::Before { begin } else { end };
                let _ = to.write_all(&bytes[..kept]);
                // Towards the client first: nobody is to hear the answer.
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            if to.write_all(bytes).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while_stalled(&self) {
        let state = self.state();
        drop(self.state.1.wait_while(state, |state| state.stalled));
    }

    /// A commit passes: where it is cut, if it is this one's turn.
    fn cut_now(&self) -> Option<AtCommit> {
        let mut state = self.state();
        let (left, place) = state.armed?;
        state.armed = left.checked_sub(1).map(|left| (left, place));
        let is_now = state.armed.is_none();
        state.cuts += u32::from(is_now);
        is_now.then_some(place)
    }

    /// Lets `passing` commits through and cuts the connection of the next one.
    pub(crate) fn arm(&self, passing: u32, place: AtCommit) {
        self.state().armed = Some((passing, place));
    }

    /// How many connections were cut at a commit so far.
    pub(crate) fn cuts(&self) -> u32 {
        self.state().cuts
    }

    /// No commit is cut any more.
    pub(crate) fn disarm(&self) {
        self.state().armed = None;
    }

    /// Cuts every connection.
    pub(crate) fn cut_all(&self) {
        for stream in self.state().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Holds everything back for a while; connections stay.
    pub(crate) async fn stall(&self, time: Duration) {
        self.state().stalled = true;
        super::draw::moment(time).await;
        self.state().stalled = false;
        self.state.1.notify_all();
    }
}

/// Finds the messages of a client in a stream that comes in pieces.
#[derive(Debug, Default)]
struct Frames {
    /// The first message of a session has no type.
    started: bool,
    /// Bytes of the message that is passing.
    left: usize,
    /// What is known of the message that begins.
    head: Vec<u8>,
}

/// Longest query that is looked at.
const SHORT: usize = 64;

impl Frames {
    /// Where in these bytes a COMMIT begins and ends.
    fn commit_in(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        let mut at = 0;
        while at < bytes.len() {
            let passing = self.left.min(bytes.len() - at);
            self.left -= passing;
            at += passing;
            let Some(byte) = bytes.get(at) else { break };
            self.head.push(*byte);
            at += 1;
            if self.is_commit() {
                let length = self.head.len();
                self.head.clear();
                return Some((at.saturating_sub(length), at));
            }
        }
        None
    }

    /// Looks at the head of a message; true when it is a whole COMMIT.
    fn is_commit(&mut self) -> bool {
        if !self.started {
            let Some((length, code)) = self.head.split_first_chunk::<4>() else { return false };
            let Some(code) = code.first_chunk::<4>() else { return false };
            // Asks for encryption (SSLRequest, GSSENCRequest) come before the session begins.
            let asks = matches!(u32::from_be_bytes(*code), 80_877_103 | 80_877_104);
            self.left = u32::from_be_bytes(*length) as usize - 8;
            self.started = !asks;
            self.head.clear();
            return false;
        }
        let Some((kind, rest)) = self.head.split_first() else { return false };
        let Some((length, text)) = rest.split_first_chunk::<4>() else { return false };
        let length = (u32::from_be_bytes(*length) as usize).saturating_sub(4);
        if *kind == b'Q' && length <= SHORT {
            if text.len() < length {
                return false;
            }
            let is_commit = text.starts_with(b"COMMIT");
            if !is_commit {
                self.head.clear();
            }
            return is_commit;
        }
        self.left = length;
        self.head.clear();
        false
    }
}
