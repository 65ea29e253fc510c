//! Sends a message to an address that a client named. The machines that may be asked are those from
//! which files may be downloaded, and the resolver that checks is the one that connects.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Client, Url};

use super::address::check_web;
use super::error::{FetchError, Refusal};
use super::{FetchRules, web};

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 1 << 10;

/// Bytes of an address.
const URL_BYTES_MAX: usize = 2_000;

/// Sends messages.
#[derive(Clone)]
pub struct Sender {
    client: Client,
    rules: FetchRules,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// What the receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
    /// The beginning of its body.
    pub text: String,
}

impl Sender {
    /// What sends under these rules. Of their times only the longest silence counts.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(rules: FetchRules) -> Result<Self, FetchError> {
        Ok(Self { client: web::client(&rules)?, rules })
    }

    /// Checks an address as far as it can be without asking.
    ///
    /// # Errors
    /// Why nothing may be sent there.
    pub fn check(&self, url: &str) -> Result<(), FetchError> {
        self.url(url).map(drop)
    }

    fn url(&self, text: &str) -> Result<Url, FetchError> {
        let refused = |why| FetchError::NotAllowed { what: "the address".to_owned(), why };
        if text.len() > URL_BYTES_MAX {
            return Err(refused(Refusal::Long { most: URL_BYTES_MAX }));
        }
        let url = Url::parse(text.trim()).map_err(|_| refused(Refusal::NoUrl))?;
        check_web(&url, &self.rules)?;
        Ok(url)
    }

    /// Sends a body of JSON. No redirect is followed: it is an answer like any other.
    ///
    /// # Errors
    /// When the address may not be asked, or nobody answers in time.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: String,
        at_most: Duration,
    ) -> Result<ReceiverAnswer, FetchError> {
        let url = self.url(url)?;
        let begun = Instant::now();
        let left = || at_most.saturating_sub(begun.elapsed());
        let ask = self.client.post(url.clone()).headers(headers).body(body);
        let stalled = |_| FetchError::Stalled { host: web::host(&url), idle: at_most };
        let answer = tokio::time::timeout(left(), ask.send()).await.map_err(stalled)?;
        let mut answer = answer.map_err(|fault| web::unreachable(&url, fault))?;
        let status = answer.status().as_u16();
        let retry_after = web::retry_after(answer.headers(), chrono::Utc::now());
        let mut bytes = Vec::new();
        // The status is what counts: a body that does not come is none.
        while bytes.len() < ANSWER_BYTES_MAX
            && let Ok(Ok(Some(more))) = tokio::time::timeout(left(), answer.chunk()).await
        {
            bytes.extend_from_slice(&more);
        }
        bytes.truncate(ANSWER_BYTES_MAX);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(ReceiverAnswer { status, retry_after, text })
    }
}
