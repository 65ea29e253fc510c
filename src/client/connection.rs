//! The calls of one client to one server, over the network or a socket of this machine; a server that
//! is away for a moment is asked again.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::{IF_NONE_MATCH, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::address::ServerAddress;
use super::answer::{self, ServerAnswer};
use super::error::{ClientError, root};
use super::key::ServerKey;
use super::patience::Attempts;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the system sends bytes that the other side does not confirm.
const UNCONFIRMED_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an answer may take that does not wait for a file: longer than any long poll.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(100);

/// The longest answer that is read into memory.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// The name under which a client of the own socket is known.
const OWN_SOCKET_CLIENT: &str = "local";

/// Takes a sentence for the person who waits.
pub type OnAway = Arc<dyn Fn(&str) + Send + Sync>;

/// Which failed attempts are made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Any: the call changes nothing, or has an idempotency key.
    Always,
    /// Only those that did not reach the server.
    Unsent,
}

/// The way to a server.
#[derive(Clone)]
pub struct Connection {
    http: reqwest::Client,
    address: ServerAddress,
    key: Option<ServerKey>,
    client_name: Option<&'static str>,
    patience: Duration,
    notice: OnAway,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection to a server on the network.
    ///
    /// # Errors
    /// When the certificates of the system cannot be read.
    pub fn to_server(
        address: ServerAddress,
        key: Option<ServerKey>,
        patience: Duration,
    ) -> Result<Self, ClientError> {
        let mut builder = builder();
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        if !address.is_encrypted() {
            // The certificates of the system take a while to read.
            builder = builder.tls_certs_only([]);
        }
        Self::new(builder, address, key, patience)
    }

    /// A connection to a server of this very process, whose socket only its user can open.
    ///
    /// # Errors
    /// When the library cannot be set up.
    pub fn to_own_socket(socket: &Path) -> Result<Self, ClientError> {
        let address = ServerAddress::parse("http://localhost")
            .map_err(|reason| ClientError::Setup { reason })?;
        let builder = builder().no_proxy().tls_certs_only([]).unix_socket(socket);
        let connection = Self::new(builder, address, None, Duration::from_secs(5))?;
        Ok(Self { client_name: Some(OWN_SOCKET_CLIENT), ..connection })
    }

    fn new(
        builder: reqwest::ClientBuilder,
        address: ServerAddress,
        key: Option<ServerKey>,
        patience: Duration,
    ) -> Result<Self, ClientError> {
        let http = builder.build().map_err(|error| ClientError::Setup { reason: root(&error) })?;
        let notice: OnAway = Arc::new(|_| {});
        Ok(Self { http, address, key, client_name: None, patience, notice })
    }

    /// Says to `notice` that the server is away and asked again.
    #[must_use]
    pub fn with_notice(mut self, notice: OnAway) -> Self {
        self.notice = notice;
        self
    }

    /// Asks.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get(&self, path: &str) -> Result<ServerAnswer, ClientError> {
        let response = self.send(Again::Always, async || Ok(self.question(path))).await?;
        self.read(response).await
    }

    /// Asks for what changed since the answer with this tag; `None` when nothing did.
    pub(super) async fn get_changed(
        &self,
        path: &str,
        tag: Option<&str>,
    ) -> Result<Option<ServerAnswer>, ClientError> {
        let request = async || {
            let question = self.question(path);
            Ok(match tag {
                Some(tag) => question.header(IF_NONE_MATCH, tag),
                None => question,
            })
        };
        let response = self.send(Again::Always, request).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        self.read(response).await.map(Some)
    }

    /// Orders something that may be ordered once only; it is sent again only when it did not arrive.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post(&self, path: &str) -> Result<ServerAnswer, ClientError> {
        let request = async || Ok(self.request(Method::POST, path).timeout(ANSWER_TIMEOUT));
        let response = self.send(Again::Unsent, request).await?;
        self.read(response).await
    }

    /// Deletes something, and gives what it was; sent again only when it did not arrive.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn delete(&self, path: &str) -> Result<ServerAnswer, ClientError> {
        let request = async || Ok(self.request(Method::DELETE, path).timeout(ANSWER_TIMEOUT));
        let response = self.send(Again::Unsent, request).await?;
        self.read(response).await
    }

    /// Orders something under a key, so that it is done once however often it is sent.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post_once(
        &self,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<ServerAnswer, ClientError> {
        let request = async || {
            let request = self.request(Method::POST, path).timeout(ANSWER_TIMEOUT);
            Ok(request.header("idempotency-key", quoted(key)).json(body))
        };
        let response = self.send(Again::Always, request).await?;
        self.read(response).await
    }

    /// Writes the body of an answer to `out`, piece by piece.
    ///
    /// # Errors
    /// See [`ClientError`]; `write_fault` makes one of a failed write.
    pub async fn download(
        &self,
        path: &str,
        out: &mut impl Write,
        write_fault: impl Fn(std::io::Error) -> ClientError,
    ) -> Result<(), ClientError> {
        // The server may make the list first.
        let request = async || Ok(self.request(Method::GET, path));
        let response = self.send(Again::Always, request).await?;
        if !response.status().is_success() {
            self.read(response).await?;
            return Ok(());
        }
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| self.unreachable(root(&error)))?;
            out.write_all(&piece).map_err(&write_fault)?;
        }
        out.flush().map_err(&write_fault)
    }

    fn question(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path).timeout(ANSWER_TIMEOUT)
    }

    /// A request with what every request has.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, self.address.to(path));
        request = request.header("accept", "application/json, */*;q=0.5");
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.reveal());
        }
        if let Some(name) = self.client_name {
            request = request.header("x-loadbay-client", name);
        }
        request
    }

    /// Sends a request, again while the server is away, and gives its answer.
    pub(super) async fn send(
        &self,
        again: Again,
        request: impl AsyncFn() -> Result<RequestBuilder, ClientError>,
    ) -> Result<Response, ClientError> {
        let mut attempts = Attempts::new(self.patience);
        let mut is_said = false;
        loop {
            let (reason, pause) = match request().await?.send().await {
                Ok(response) if !is_away(response.status()) => return Ok(response),
                Ok(response) => {
                    let wait = retry_after(&response);
                    let Some(pause) = attempts.next(wait) else {
                        return self.give_up(response).await;
                    };
                    (format!("it answers with status {}", response.status().as_u16()), pause)
                }
                Err(error) if again == Again::Always || error.is_connect() => {
                    let reason = root(&error.without_url());
                    let Some(pause) = attempts.next(None) else {
                        return Err(self.unreachable(reason));
                    };
                    (reason, pause)
                }
                Err(error) => return Err(self.unreachable(root(&error.without_url()))),
            };
            if !is_said {
                is_said = true;
                let seconds = self.patience.as_secs();
                (self.notice)(&format!(
                    "{} does not answer ({reason}); it is asked again for {seconds} s",
                    self.address
                ));
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// What the last answer of a server that is away says.
    async fn give_up(&self, response: Response) -> Result<Response, ClientError> {
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            // A limit is a refusal, and says itself when it ends.
            return Ok(response);
        }
        let status = response.status().as_u16();
        let reason = match self.read(response).await {
            Err(ClientError::Refused(refusal)) => refusal.detail,
            _ => format!("it answers with status {status}"),
        };
        Err(self.unreachable(reason))
    }

    /// Reads a whole answer.
    pub(super) async fn read(&self, response: Response) -> Result<ServerAnswer, ClientError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| self.unreachable(root(&error.without_url())))?;
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(self.unreachable("its answer has no end".to_owned()));
            }
            body.extend_from_slice(&piece);
        }
        answer::read(status, &headers, &body, &self.address.to_string())
    }

    /// An upload was taken, and the answer names no job.
    pub(super) fn without_job(&self) -> ClientError {
        ClientError::Strange { address: self.address.to_string(), status: 202 }
    }

    fn unreachable(&self, reason: String) -> ClientError {
        ClientError::Unreachable { address: self.address.to_string(), reason }
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("loadbay/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(UNCONFIRMED_TIMEOUT)
        .tcp_user_timeout(UNCONFIRMED_TIMEOUT)
        // The body of an upload cannot be sent along a redirect.
        .redirect(reqwest::redirect::Policy::none())
}

/// A string of structured fields.
pub(super) fn quoted(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

/// True of an answer that says only that nothing can be done now.
fn is_away(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// When the server wants to be asked again.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
