//! The calls of Typesense that the sync needs. Knows neither datasets nor jobs.

use std::fmt;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::error::SyncError;
use crate::domain::row_error::shown;

/// How long an answer may take: less than the lease of the one who asks.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// Bytes of the ids that one request removes: an address has to hold them.
const IDS_BYTES_MAX: usize = 2_500;

/// What a part of an address keeps as it is.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The address of a Typesense server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypesenseUrl(Url);

impl TypesenseUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// What is none of http or https, or has a user, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fault = || {
            format!(
                "`{}` is no address of Typesense; write it like http://127.0.0.1:8108",
                shown(text)
            )
        };
        let mut url = Url::parse(text).map_err(|_| fault())?;
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !is_plain {
            return Err(
                "the address of Typesense is http:// or https:// with a host, a port and at \
                        most a path; the key has a setting of its own"
                    .to_owned(),
            );
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }

    fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl fmt::Display for TypesenseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A client of one server.
#[derive(Debug, Clone)]
pub(super) struct Typesense {
    client: Client,
    url: TypesenseUrl,
    key: ApiKey,
    /// Ends what is asked.
    stop: CancellationToken,
}

#[derive(Clone)]
struct ApiKey(String);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Deserialize)]
struct Reason {
    message: String,
}

#[derive(Deserialize)]
struct DocumentAnswer {
    success: bool,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Deleted {
    num_deleted: u64,
}

impl Typesense {
    pub(super) fn new(
        url: TypesenseUrl,
        key: String,
        stop: CancellationToken,
    ) -> Result<Self, SyncError> {
        let client = Client::builder()
            .user_agent(concat!("Loadbay/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|fault| SyncError::Client(Box::new(fault)))?;
        Ok(Self { client, url, key: ApiKey(key), stop })
    }

    /// Makes a collection; one that is there stays as it is.
    pub(super) async fn create_collection(&self, schema: &Value) -> Result<(), SyncError> {
        let ask = self.request(Method::POST, &["collections"]).json(schema);
        match self.send(ask, "make a collection").await {
            Err(fault) if fault.is_conflict() => Ok(()),
            answered => answered.map(drop),
        }
    }

    /// Creates or replaces documents, one a line; gives for each the reason why it was refused.
    pub(super) async fn upsert(
        &self,
        collection: &str,
        lines: String,
    ) -> Result<Vec<Option<String>>, SyncError> {
        let ask = self
            .request_with(
                Method::POST,
                &["collections", collection, "documents", "import"],
                ("action", "upsert"),
            )
            .header("content-type", "text/plain")
            .body(lines);
        let action = "import documents";
        let answer = self.text(self.send(ask, action).await?).await?;
        let reason = |line: &str| match serde_json::from_str::<DocumentAnswer>(line) {
            Ok(answer) if answer.success => Ok(None),
            Ok(answer) => Ok(Some(answer.error)),
            Err(_) => Err(SyncError::Refused { action, status: 200, message: shown(line) }),
        };
        answer.lines().filter(|line| !line.is_empty()).map(reason).collect()
    }

    /// Removes documents; gives how many there were.
    pub(super) async fn remove(&self, collection: &str, ids: &[String]) -> Result<u64, SyncError> {
        let mut removed = 0;
        let mut rest = ids;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fitting = rest.iter().take_while(|id| {
                bytes += id.len() + 3;
                bytes <= IDS_BYTES_MAX
            });
            let (part, later) = rest.split_at(fitting.count().max(1));
            rest = later;
            let quoted: Vec<String> = part.iter().map(|id| format!("`{id}`")).collect();
            let filter = format!("id:[{}]", quoted.join(","));
            let ask = self.request_with(
                Method::DELETE,
                &["collections", collection, "documents"],
                ("filter_by", &filter),
            );
            let answer = self.send(ask, "remove documents").await?;
            removed += self.json::<Deleted>(answer).await?.num_deleted;
        }
        Ok(removed)
    }

    /// Points a name at a collection.
    pub(super) async fn set_alias(&self, alias: &str, collection: &str) -> Result<(), SyncError> {
        let ask = self
            .request(Method::PUT, &["aliases", alias])
            .json(&json!({ "collection_name": collection }));
        self.send(ask, "point an alias at a collection").await.map(drop)
    }

    /// The names of all collections.
    pub(super) async fn collections(&self) -> Result<Vec<String>, SyncError> {
        let ask = self.request(Method::GET, &["collections"]);
        let answer = self.send(ask, "list the collections").await?;
        let collections: Vec<Named> = self.json(answer).await?;
        Ok(collections.into_iter().map(|it| it.name).collect())
    }

    /// Removes a collection; nothing when there is none.
    pub(super) async fn drop_collection(&self, collection: &str) -> Result<(), SyncError> {
        let ask = self.request(Method::DELETE, &["collections", collection]);
        match self.send(ask, "remove a collection").await {
            Err(fault) if fault.is_missing() => Ok(()),
            answered => answered.map(drop),
        }
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.ask(method, self.address(path))
    }

    fn request_with(
        &self,
        method: Method,
        path: &[&str],
        (name, value): (&str, &str),
    ) -> RequestBuilder {
        let value = utf8_percent_encode(value, PART);
        self.ask(method, format!("{}?{name}={value}", self.address(path)))
    }

    fn address(&self, path: &[&str]) -> String {
        let parts = path.iter().map(|part| utf8_percent_encode(part, PART).to_string());
        format!("{}{}", self.url, parts.collect::<Vec<_>>().join("/"))
    }

    fn ask(&self, method: Method, address: String) -> RequestBuilder {
        self.client.request(method, address).header("x-typesense-api-key", &self.key.0)
    }

    async fn send(&self, ask: RequestBuilder, action: &'static str) -> Result<Response, SyncError> {
        let answer = self.unless_stopped(ask.send()).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_default();
        let message = serde_json::from_str(&text).map_or(text, |it: Reason| it.message);
        Err(SyncError::Refused { action, status, message: shown(&message) })
    }

    async fn text(&self, answer: Response) -> Result<String, SyncError> {
        self.unless_stopped(answer.text()).await
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, answer: Response) -> Result<T, SyncError> {
        self.unless_stopped(answer.json()).await
    }

    async fn unless_stopped<T>(
        &self,
        asked: impl Future<Output = Result<T, reqwest::Error>> + Send,
    ) -> Result<T, SyncError> {
        tokio::select! {
            answer = asked => answer.map_err(|fault| self.unreachable(fault)),
            () = self.stop.cancelled() => Err(SyncError::Stopped),
        }
    }

    fn unreachable(&self, fault: reqwest::Error) -> SyncError {
        let source = Box::new(fault.without_url());
        SyncError::Unreachable { host: self.url.host(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_a_web_server_and_hold_no_secret() {
        for (text, shown) in [
            ("http://127.0.0.1:8108", "http://127.0.0.1:8108/"),
            ("https://search.example/typesense", "https://search.example/typesense/"),
        ] {
            assert_eq!(TypesenseUrl::parse(text).unwrap().to_string(), shown);
        }
        for text in
            ["127.0.0.1:8108", "ftp://a.example", "http://k@a.example", "http://a.example?x"]
        {
            assert!(TypesenseUrl::parse(text).is_err(), "{text}");
        }
    }
}
