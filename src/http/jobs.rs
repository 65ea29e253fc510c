//! The list of jobs. Knows no SQL.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::access;
use super::api::Api;
use super::cursor::{List, PageRequest};
use super::envelope;
use super::path_prefix;
use super::problem::Problem;
use super::query::Query;
use crate::domain::job_view::JobView;
use crate::domain::status::JobStatus;
use crate::jobs::JobFilter;

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct JobPage<'a> {
    jobs: Vec<JobView<'a>>,
    next_cursor: Option<String>,
}

/// `GET /api/v1/import/jobs`: newest first.
pub(super) async fn list(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let query =
        Query::read(&request, &["status", "dataset", "of", "withErrors", "limit", "cursor"])?;
    let page = PageRequest::of(List::Jobs, &query)?;
    if let Some(name) = query.get("dataset") {
        api.dataset(name)?;
    }
    let filter = JobFilter {
        status: query.get("status").map(status_word).transpose()?,
        dataset: query.get("dataset").map(str::to_owned),
        of: query.get("of").map(parent).transpose()?,
        with_errors: query.flag("withErrors")?,
        client: access::caller(&request).sees_only(),
        before: page.after,
        limit: page.fetch_limit(),
    };
    let mut found = api.jobs.list(&filter).await?;
    let next_cursor = page.truncate(&mut found, |job| job.id);
    let prefix = path_prefix::of(&request);
    let mut jobs = Vec::with_capacity(found.len());
    for job in &found {
        jobs.push(JobView::in_queue(job, &prefix, api.jobs.queue_position(job).await));
    }
    envelope::ok(&JobPage { jobs, next_cursor })
}

/// The number of the job whose children are asked for.
fn parent(text: &str) -> Result<i64, Problem> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Problem::invalid_parameter("of", text, "the number of a job"))
}

fn status_word(word: &str) -> Result<JobStatus, Problem> {
    JobStatus::parse(word).ok_or_else(|| {
        let words: Vec<_> = JobStatus::ALL.iter().map(|status| status.as_str()).collect();
        Problem::invalid_parameter("status", word, &words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_of_the_words() {
        assert_eq!(status_word("processing").unwrap(), JobStatus::Processing);
        assert_eq!(
            status_word("done").unwrap_err().to_string(),
            "invalid_option: `status` does not take `done`; it takes pending, processing, paused, \
             completed, failed, cancelled."
        );
    }
}
