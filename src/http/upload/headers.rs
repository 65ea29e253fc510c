//! Reads the headers of an upload. Knows no body.

use std::net::IpAddr;

use actix_web::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use actix_web::{HttpRequest, web};

use sha2::{Digest, Sha256};

use super::digest::ExpectedDigest;
use crate::domain::error_code::ErrorCode;
use crate::domain::hexadecimal::hex;
use crate::domain::limits::{CLIENT_CHARS, IDEMPOTENCY_KEY_CHARS, WAIT_SECONDS_MAX};
use crate::domain::row_error::shown;
use crate::files::{Disposition, parameter_named};
use crate::http::access;
use crate::http::api::Api;
use crate::http::problem::Problem;

/// The longest boundary of a form; the standard says 70 (RFC 2046, 5.1.1).
const BOUNDARY_BYTES_MAX: usize = 200;

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";

/// What the body is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// `multipart/form-data` with the file in it.
    Form,
    /// The file itself, with its media type if one was named.
    File(Option<String>),
    /// JSON: a file when it is an array.
    Json,
}

/// Reads `Content-Type`. The reader decides by content whether the media type of a file is true.
pub(super) fn body_kind(headers: &HeaderMap) -> Result<BodyKind, Problem> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(BodyKind::File(None)) };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let detail = match essence.as_str() {
        "" => return Err(Problem::malformed("the Content-Type is not valid; write it like text/csv")),
        "multipart/form-data" => return Ok(BodyKind::Form),
        JSON => return Ok(BodyKind::Json),
        "application/x-www-form-urlencoded" => {
            "the Content-Type is `application/x-www-form-urlencoded`, which is the default of curl; \
             use -F file=@products.csv, or --data-binary @products.csv with \
             -H 'Content-Type: text/csv'"
                .to_owned()
        }
        other if other.starts_with("multipart/") => {
            format!("the body is `{}`; a form is sent as multipart/form-data", shown(other))
        }
        _ => return Ok(BodyKind::File(Some(essence))),
    };
    Err(Problem::new(ErrorCode::UnsupportedFormat, detail))
}

/// True when the body is JSON.
pub(in crate::http) fn is_json(headers: &HeaderMap) -> bool {
    matches!(body_kind(headers), Ok(BodyKind::Json))
}

/// Reads `Content-Length`.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Reads `Content-Digest`.
pub(super) fn content_digest(headers: &HeaderMap) -> Result<Option<ExpectedDigest>, Problem> {
    let mut values = headers.get_all("content-digest").peekable();
    if values.peek().is_none() {
        return Ok(None);
    }
    let texts: Result<Vec<_>, _> = values.map(|value| value.to_str()).collect();
    let text = texts.map_err(|_| Problem::malformed("the Content-Digest is not plain text"))?;
    ExpectedDigest::parse(&text.join(",")).map(Some)
}

/// Reads the file name of `Content-Disposition`.
pub(super) fn file_name(headers: &HeaderMap, home: Option<&str>) -> Option<String> {
    Disposition::parse(headers.get(CONTENT_DISPOSITION)?.as_bytes()).file_name(home)
}

/// Reads the boundary of a form.
pub(super) fn boundary(headers: &HeaderMap) -> Result<String, Problem> {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let boundary = parameter_named(value, "boundary").and_then(|it| String::from_utf8(it).ok());
    let is_usable = |it: &String| (1..=BOUNDARY_BYTES_MAX).contains(&it.len());
    boundary.filter(is_usable).ok_or_else(|| {
        Problem::malformed(
            "the Content-Type of the form has no boundary; let the client set this header",
        )
    })
}

/// The `Idempotency-Key` of a request. Where clients have keys, each has idempotency keys of its own:
/// those of another one would lead to that one's jobs.
pub(in crate::http) fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let key = written_idempotency_key(request.headers())?;
    Ok(key.map(|key| key_of_client(request, key)))
}

/// A key under which the client with a key of the server finds its own things only.
pub(in crate::http) fn key_of_client(request: &HttpRequest, key: String) -> String {
    match access::caller(request).client_name() {
        Some(client) => hex(&Sha256::digest(format!("{client}\n{key}").as_bytes())),
        None => key,
    }
}

/// Reads `Idempotency-Key`: a string of structured fields (RFC 9651, 3.3.3), or bare characters.
fn written_idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let key = match text.strip_prefix('"') {
        Some(rest) => quoted(rest),
        None => Some(text.to_owned()).filter(|key| !key.contains([' ', '"', '\t'])),
    };
    key.filter(|key| (1..=IDEMPOTENCY_KEY_CHARS).contains(&key.chars().count()))
        .map(Some)
        .ok_or_else(|| {
            Problem::malformed(format!(
                "the Idempotency-Key is not a string of 1 to {IDEMPOTENCY_KEY_CHARS} characters; \
                 write it like \"8e03978e-40d5-43e8-bc93-6894a57f9324\""
            ))
        })
}

/// The client: the name of its key, else that in `X-Loadbay-Client`, else its address. Clients are
/// served in turns, and with keys they own what they made.
pub(in crate::http) fn client(request: &HttpRequest) -> Result<Option<String>, Problem> {
    if let Some(name) = access::caller(request).client_name() {
        return Ok(Some(name));
    }
    let Some(value) = request.headers().get("x-loadbay-client") else {
        return Ok(address(request).map(|address| address.to_string()));
    };
    let name = value.to_str().ok().map(str::trim);
    let is_visible = |name: &&str| {
        (1..=CLIENT_CHARS).contains(&name.len()) && name.chars().all(|c| c.is_ascii_graphic())
    };
    name.filter(is_visible).map(|name| Some(name.to_owned())).ok_or_else(|| {
        Problem::malformed(format!(
            "the X-Loadbay-Client is not a name of 1 to {CLIENT_CHARS} visible characters; \
             write it like nightly-prices"
        ))
    })
}

/// The address of the client: that of the connection, or what trusted proxies say of it. Each proxy
/// adds the address of its own peer at the end of `X-Forwarded-For`; what stands before the first
/// address that is no trusted proxy's may be anybody's invention.
pub(in crate::http) fn address(request: &HttpRequest) -> Option<IpAddr> {
    let mut address = request.peer_addr()?.ip();
    let trusted = |address| {
        let api = request.app_data::<web::Data<Api>>();
        api.is_some_and(|api| api.trusted_proxies.has(address))
    };
    let lines = request.headers().get_all("x-forwarded-for").filter_map(|it| it.to_str().ok());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    for hop in hops.iter().rev() {
        let Ok(before) = hop.parse::<IpAddr>() else { break };
        if !trusted(address) {
            break;
        }
        address = before;
    }
    Some(address.to_canonical())
}

fn quoted(rest: &str) -> Option<String> {
    let mut key = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => key.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            other => key.push(other),
        }
    }
    chars.as_str().trim().is_empty().then_some(key)
}

/// Reads `wait` of `Prefer` (RFC 7240, 4.3), at most what this server waits. An invalid preference is
/// ignored, as the standard demands.
pub(super) fn wait_preference(headers: &HeaderMap) -> Option<u64> {
    headers
        .get_all("prefer")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .filter_map(|preference| preference.split(';').next()?.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .and_then(|(_, value)| value.trim().trim_matches('"').parse::<u64>().ok())
        .map(|seconds| seconds.min(WAIT_SECONDS_MAX))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn a_body_is_a_form_or_a_file() {
        let kind = |value| body_kind(&headers("content-type", value));
        assert_eq!(kind("multipart/form-data; boundary=x").unwrap(), BodyKind::Form);
        let csv = BodyKind::File(Some("text/csv".to_owned()));
        assert_eq!(kind("Text/CSV; charset=utf-8").unwrap(), csv);
        assert_eq!(body_kind(&HeaderMap::new()).unwrap(), BodyKind::File(None));
        assert_eq!(kind("application/json").unwrap(), BodyKind::Json);
        for refused in ["application/x-www-form-urlencoded", "multipart/mixed"] {
            assert!(kind(refused).unwrap_err().to_string().starts_with("unsupported_format"));
        }
        assert!(kind(";").is_err());
    }

    #[test]
    fn an_idempotency_key_is_quoted_or_bare() {
        let key = |value: &str| {
            written_idempotency_key(&headers("idempotency-key", value)).ok().flatten()
        };
        assert_eq!(key("\"a b\\\"c\"").as_deref(), Some("a b\"c"));
        assert_eq!(key("8e03978e-40d5").as_deref(), Some("8e03978e-40d5"));
        let long = "k".repeat(256);
        for refused in ["", "\"\"", "\"open", "\"a\" b", "a b", "\"a\\n\"", long.as_str()] {
            assert_eq!(key(refused), None, "{refused}");
        }
        assert_eq!(written_idempotency_key(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn a_client_may_prefer_to_wait() {
        let wait = |value: &str| wait_preference(&headers("prefer", value));
        assert_eq!(wait("respond-async, wait=10"), Some(10));
        assert_eq!(wait("Wait = \"7\"; x=y"), Some(7));
        assert_eq!(wait("wait=3600"), Some(60));
        assert_eq!(wait("wait=soon"), None);
        assert_eq!(wait("respond-async"), None);
    }

    #[test]
    fn a_form_needs_a_boundary() {
        let of = |value: &str| boundary(&headers("content-type", value));
        assert_eq!(of("multipart/form-data; boundary=x").unwrap(), "x");
        assert_eq!(of("multipart/form-data; charset=utf-8; Boundary=\"a b\"").unwrap(), "a b");
        for value in ["multipart/form-data", "multipart/form-data; boundary=", "text/csv"] {
            assert!(of(value).unwrap_err().to_string().contains("no boundary"), "{value}");
        }
    }
}
