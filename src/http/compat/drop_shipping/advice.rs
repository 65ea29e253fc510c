//! `GET /api/dropship/import-recommendations`: what helps files of a number and a size, and how long
//! they take at the pace that was measured.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::pace::Pace;
use super::{TRANSACTIONS, json};
use crate::domain::limits::BULK_FILES_MAX;
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::query::Query;

/// Bytes above which its document calls files large.
const LARGE_BYTES: u64 = 10 << 20;

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Recommendations {
    recommendations: Vec<String>,
    estimated_time: String,
}

/// 200 with sentences.
pub(in crate::http::compat) async fn recommendations(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let query = Query::only(&request, &["file_count", "avg_file_size"])?;
    let files = query.number("file_count", 0..=u64::MAX)?.unwrap_or(1);
    let bytes = query.number("avg_file_size", 0..=u64::MAX)?.unwrap_or(0);
    let waiting = api.jobs.unfinished(TRANSACTIONS).await?.bytes;
    let needed = files.saturating_mul(bytes).saturating_add(waiting);
    let estimated_time = Pace::measure(&api).await?.time_for(needed);
    let mut recommendations = of_files(files, bytes);
    recommendations.extend(of_limits(&api, files, bytes));
    json(StatusCode::OK, &Recommendations { recommendations, estimated_time })
}

/// The sentences of the document.
fn of_files(files: u64, bytes: u64) -> Vec<String> {
    let (many, large) = (files > 1, bytes > LARGE_BYTES);
    let mut sentences = Vec::new();
    if many {
        sentences
            .push("Consider enabling concurrent processing for better performance with many files");
    }
    if large {
        sentences.push("Large files detected - streaming processing is recommended");
    }
    if many && large {
        sentences.push("Enable both streaming and concurrent processing for optimal performance");
    }
    sentences.into_iter().map(str::to_owned).collect()
}

/// What this server does not take, or takes slowly at the moment.
fn of_limits(api: &Api, files: u64, bytes: u64) -> Vec<String> {
    let mut sentences = Vec::new();
    if files > BULK_FILES_MAX as u64 {
        sentences.push(format!("Send at most {BULK_FILES_MAX} files in one request"));
    }
    if bytes > api.max_upload {
        let most = api.max_upload >> 20;
        sentences
            .push(format!("Split the files - the server takes at most {most} MiB in a request"));
    } else if files.saturating_mul(bytes) > api.max_upload {
        let most = api.max_upload >> 20;
        sentences.push(format!("Send the files in several requests of at most {most} MiB each"));
    }
    let pressure = api.jobs.memory().pressure;
    if pressure.chunk_percent() < 100 {
        let percent = pressure.percent();
        sentences.push(format!("Send fewer files at a time - {percent} % of the memory is used"));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_document_gets_its_sentences() {
        let sentences = of_files(100, 52_428_800);
        assert_eq!(sentences.len(), 3);
        assert!(sentences[2].starts_with("Enable both"));
        assert_eq!(of_files(1, 1_000), Vec::<String>::new());
        assert_eq!(of_files(2, 1_000).len(), 1);
    }
}
