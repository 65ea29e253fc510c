//! Asks a web server for a file: hop by hop, each checked, the rest of a file where a part of it is
//! here.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::{Certificate, Client, Response, StatusCode, Url};

use super::FetchRules;
use super::address::check_web;
use super::answer::{Answer, LineCut, Opened, RemoteFile, Resume};
use super::error::{FetchError, Refusal};
use super::resolver::{GuardedResolver, OnlyPrivate};
use crate::domain::download::FileVersion;
use crate::files::Disposition;

/// Other addresses to which a server may lead.
const REDIRECTS_MAX: usize = 5;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest time that a server may ask to wait.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// Characters of a version that are kept.
const VERSION_CHARS_MAX: usize = 500;

/// A client that connects to nothing but what its resolver lets through.
pub(super) fn client(rules: &FetchRules) -> Result<Client, FetchError> {
    let client = Client::builder()
        .user_agent(concat!("Loadbay/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(GuardedResolver { networks: rules.networks.clone() })
        // A proxy would resolve the name itself.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT)
        .http1_only()
        // The next download resolves anew.
        .pool_max_idle_per_host(0);
    let authorities = rules.authorities.as_deref().map(authorities).transpose()?;
    client.tls_certs_merge(authorities.unwrap_or_default()).build().map_err(FetchError::Client)
}

/// The certificates in a file.
fn authorities(path: &Path) -> Result<Vec<Certificate>, FetchError> {
    let fault = |why| FetchError::Authorities { path: path.to_owned(), why };
    let bytes =
        std::fs::read(path).map_err(|error| fault(format!("which cannot be read: {error}")))?;
    let found = Certificate::from_pem_bundle(&bytes).unwrap_or_default();
    if found.is_empty() {
        return Err(fault("which holds no certificate in PEM format".to_owned()));
    }
    Ok(found)
}

/// Asks for a file, or for the rest of it; `known` is a version that need not be sent again.
pub(super) async fn open(
    client: &Client,
    rules: &FetchRules,
    first: &Url,
    resume: Option<&Resume>,
    known: Option<&FileVersion>,
) -> Result<Opened, FetchError> {
    let mut url = first.clone();
    for _ in 0..=REDIRECTS_MAX {
        check_web(&url, rules)?;
        let question = client.get(url.clone()).headers(question(resume, known));
        let asked = tokio::time::timeout(rules.idle_max, question.send()).await;
        let stalled = |_| FetchError::Stalled { host: host(&url), idle: rules.idle_max };
        let response = asked.map_err(stalled)?.map_err(|fault| unreachable(&url, fault))?;
        if !is_redirect(response.status()) {
            return answer(response, &url, resume);
        }
        let next = text(response.headers(), &header::LOCATION).and_then(|it| url.join(&it).ok());
        let next = next.ok_or_else(|| FetchError::Redirects { host: host(&url) })?;
        if url.scheme() == "https" && next.scheme() == "http" {
            let what = host(&next);
            return Err(FetchError::NotAllowed { what, why: Refusal::Downgrade });
        }
        url = next;
    }
    Err(FetchError::Redirects { host: host(&url) })
}

fn question(resume: Option<&Resume>, known: Option<&FileVersion>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    set(header::ACCEPT_ENCODING, "identity");
    if let Some(Resume { at, version }) = resume {
        set(header::RANGE, &format!("bytes={at}-"));
        set(header::IF_RANGE, version);
    } else if let Some(FileVersion { etag, last_modified }) = known {
        // Both: a server that knows tags ignores the time.
        if let Some(etag) = etag {
            set(header::IF_NONE_MATCH, etag);
        }
        if let Some(time) = last_modified {
            set(header::IF_MODIFIED_SINCE, time);
        }
    }
    headers
}

fn answer(response: Response, url: &Url, resume: Option<&Resume>) -> Result<Opened, FetchError> {
    let headers = response.headers();
    let version = FileVersion {
        etag: text(headers, &header::ETAG),
        last_modified: text(headers, &header::LAST_MODIFIED),
    };
    let remote = RemoteFile {
        total: response.content_length(),
        version,
        is_gzip: is_gzip(headers, url)?,
        file_name: file_name(headers),
        media_type: media_type(headers),
    };
    match (response.status(), resume) {
        (StatusCode::OK, _) => Ok(Opened::Bytes(bytes(response, 0, remote))),
        (StatusCode::PARTIAL_CONTENT, Some(resume)) => match range(headers) {
            Some((at, total)) if at == resume.at => {
                Ok(Opened::Bytes(bytes(response, at, RemoteFile { total, ..remote })))
            }
            _ => Err(FetchError::Changed { host: host(url) }),
        },
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(resume)) => match range(headers) {
            Some((_, Some(total))) if total == resume.at => Ok(Opened::Whole),
            _ => Err(FetchError::Changed { host: host(url) }),
        },
        (StatusCode::NOT_MODIFIED, None) => Ok(Opened::NotChanged),
        (status, _) => Err(FetchError::Status {
            host: host(url),
            status: status.as_u16(),
            retry_after: retry_after(headers, Utc::now()),
        }),
    }
}

fn bytes(response: Response, at: u64, remote: RemoteFile) -> Answer {
    let bytes = response.bytes_stream().map(|bytes| bytes.map_err(|_| LineCut)).boxed();
    Answer { at, remote, bytes }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The connection could not be made, or broke off before the answer.
pub(super) fn unreachable(url: &Url, fault: reqwest::Error) -> FetchError {
    // Its own text would have the whole address.
    let fault = fault.without_url();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&fault);
    while let Some(here) = cause {
        if here.is::<OnlyPrivate>() {
            return FetchError::NotAllowed { what: host(url), why: Refusal::Private };
        }
        cause = here.source();
    }
    FetchError::Unreachable { host: host(url), source: fault.into() }
}

/// The host of an address, with its port where it is an uncommon one.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty() && (text.len() <= VERSION_CHARS_MAX || *name == header::LOCATION))
        .then(|| text.to_owned())
}

fn is_gzip(headers: &HeaderMap, url: &Url) -> Result<bool, FetchError> {
    let encoding = text(headers, &header::CONTENT_ENCODING).unwrap_or_default();
    match encoding.to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        _ => Err(FetchError::Encoding {
            host: host(url),
            encoding: crate::domain::row_error::shown(&encoding),
        }),
    }
}

fn file_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?;
    Disposition::parse(value.as_bytes()).file_name(None)
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = text(headers, &header::CONTENT_TYPE)?;
    Some(text.split(';').next()?.trim().to_ascii_lowercase())
}

/// The first byte and the whole size of `Content-Range`.
fn range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = text(headers, &header::CONTENT_RANGE)?;
    let (range, total) = text.strip_prefix("bytes")?.trim().split_once('/')?;
    let first = range.split('-').next()?.trim().parse().unwrap_or(0);
    Some((first, total.trim().parse().ok()))
}

/// How long the server asked to wait: seconds or a time.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = text(headers, &header::RETRY_AFTER)?;
    let time = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let then = DateTime::parse_from_rfc2822(&text).ok()?;
        (then.to_utc() - now).to_std().unwrap_or_default()
    };
    Some(time.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn ranges_are_read() {
        let of = |value| range(&headers(header::CONTENT_RANGE, value));
        assert_eq!(of("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(of("bytes 5-9/*"), Some((5, None)));
        assert_eq!(of("bytes */10"), Some((0, Some(10))));
        assert_eq!(of("rows 5-9/10"), None);
    }

    #[test]
    fn a_server_asks_for_patience_in_seconds_or_until_a_time() {
        let now = DateTime::parse_from_rfc3339("2026-11-28T12:00:00Z").unwrap().to_utc();
        let of = |value| retry_after(&headers(header::RETRY_AFTER, value), now);
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("999999"), Some(RETRY_AFTER_MAX));
        assert_eq!(of("Sat, 28 Nov 2026 12:01:00 GMT"), Some(Duration::from_mins(1)));
        assert_eq!(of("Fri, 27 Nov 2026 12:01:00 GMT"), Some(Duration::ZERO));
        assert_eq!(of("soon"), None);
    }
}
