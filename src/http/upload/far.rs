//! An import whose body is JSON with the address of the file instead of the file itself.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::headers;
use crate::dataset::model::Dataset;
use crate::domain::download::SourceUrl;
use crate::domain::error_code::ErrorCode;
use crate::domain::limits::{BULK_FILES_MAX, FAR_BODY_BYTES_MAX};
use crate::domain::options::Options;
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::query;
use crate::http::trace;
use crate::jobs::{BulkFile, BulkRequest, BulkSubmitted, FarRequest, Submitted};

/// What a body with addresses came to.
pub(super) enum FarSubmitted {
    /// One address: a job.
    One(Box<Submitted>),
    /// Several: a bulk.
    Many(BulkSubmitted),
}

/// Stores the job of an address, or the bulk of several.
pub(super) async fn submit(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
    dataset: &Arc<Dataset>,
) -> Result<FarSubmitted, Problem> {
    if api.stopping.is_cancelled() {
        return Err(Problem::stopping());
    }
    let idempotency_key = headers::idempotency_key(request)?;
    let created_by = headers::client(request)?;
    let trace = trace::of(request);
    let FarBody { urls, options } = FarBody::parse(&read(payload).await?)?;
    let mut pairs = query::pairs(request)?;
    pairs.extend(options);
    let options = Options::parse(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())))?;
    if urls.len() > BULK_FILES_MAX {
        let count = urls.len();
        let detail = format!("`urls` has {count} addresses; one request takes {BULK_FILES_MAX}");
        return Err(Problem::new(ErrorCode::TooManyFiles, detail));
    }
    let mut files = urls.into_iter().map(|url| FarRequest {
        dataset: Arc::clone(dataset),
        url: SourceUrl::new(url),
        file_name: None,
        options: options.clone(),
        idempotency_key: None,
        created_by: None,
        trace: None,
    });
    if files.len() == 1
        && let Some(file) = files.next()
    {
        let request = FarRequest { idempotency_key, created_by, trace, ..file };
        return Ok(FarSubmitted::One(Box::new(api.jobs.submit_far(request).await?)));
    }
    let files = files.map(|file| BulkFile::Far(Box::new(file))).collect();
    let dataset = Arc::clone(dataset);
    let request = BulkRequest { dataset, files, idempotency_key, created_by, trace };
    Ok(FarSubmitted::Many(api.jobs.submit_bulk(request).await?))
}

/// Refuses an option that only files from addresses have.
pub(super) fn refuse_option(options: &Options) -> Result<(), Problem> {
    if options.only_if_changed {
        let takes = "true in an import from a URL only";
        return Err(Problem::invalid_parameter("onlyIfChanged", "true", takes));
    }
    Ok(())
}

async fn read(mut payload: web::Payload) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(bytes) = payload.next().await {
        body.extend_from_slice(&bytes.map_err(|fault| super::body::broken(&fault))?);
        if body.len() > FAR_BODY_BYTES_MAX {
            let detail = format!("the body has more than {FAR_BODY_BYTES_MAX} bytes");
            return Err(Problem::malformed(detail));
        }
    }
    Ok(body)
}

/// The addresses and the options of a body.
#[derive(Debug, PartialEq, Eq)]
struct FarBody {
    urls: Vec<String>,
    options: Vec<(String, String)>,
}

impl FarBody {
    fn parse(body: &[u8]) -> Result<Self, Problem> {
        let shape = "write it like {\"url\": \"https://supplier.example/prices.csv\"}";
        let mut members: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| Problem::malformed(format!("the body is no JSON object; {shape}")))?;
        let wrong = |name| Problem::malformed(format!("`{name}` is no address; {shape}"));
        let text = |name, value| match value {
            Value::String(text) => Ok(text),
            _ => Err(wrong(name)),
        };
        let urls = match (members.shift_remove("url"), members.shift_remove("urls")) {
            (Some(url), None) => vec![text("url", url)?],
            (None, Some(Value::Array(urls))) if !urls.is_empty() => {
                urls.into_iter().map(|url| text("urls", url)).collect::<Result<_, _>>()?
            }
            (None, Some(_)) => return Err(wrong("urls")),
            (Some(_), Some(_)) => {
                return Err(Problem::malformed("the body has `url` and `urls`; send one of them"));
            }
            (None, None) => {
                return Err(Problem::malformed(format!(
                    "the body has no `url`; {shape}, or send rows as an array [{{…}}, {{…}}]"
                )));
            }
        };
        let option = |(name, value)| match value {
            Value::Null => None,
            Value::String(text) => Some((name, text)),
            value => Some((name, value.to_string())),
        };
        Ok(Self { urls, options: members.into_iter().filter_map(option).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_addresses_and_options() {
        let body = br#"{"url": "https://a.example/x", "dryRun": true, "maxErrors": 5,
            "sheet": null, "mode": "insert", "mapping": {"Art": "sku"}}"#;
        let FarBody { urls, options } = FarBody::parse(body).unwrap();
        assert_eq!(urls, ["https://a.example/x"]);
        let expected = [
            ("dryRun", "true"),
            ("maxErrors", "5"),
            ("mode", "insert"),
            ("mapping", r#"{"Art":"sku"}"#),
        ];
        assert_eq!(options, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(FarBody::parse(br#"{"urls": ["a", "b"]}"#).unwrap().urls, ["a", "b"]);
        for refused in [
            "",
            "[]",
            "{}",
            "\"https://a\"",
            r#"{"url": 7}"#,
            r#"{"urls": []}"#,
            r#"{"urls": [7]}"#,
            r#"{"urls": "a"}"#,
            r#"{"url": "a", "urls": ["b"]}"#,
            r#"{"url": "a"} x"#,
        ] {
            let refused = FarBody::parse(refused.as_bytes()).unwrap_err();
            assert_eq!(refused.code().as_str(), "malformed_request");
        }
    }
}
