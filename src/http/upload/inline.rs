//! The answer to an upload into a dataset that is imported while the client waits: the job at its end
//! and the errors of its rows. A job that is too large for that is answered like any other.

use actix_web::HttpResponse;
use serde::Serialize;

use crate::domain::job::Job;
use crate::domain::job_view::JobView;
use crate::domain::limits::{INLINE_ERRORS_MAX, INLINE_ROWS_MAX};
use crate::domain::path_prefix::PathPrefix;
use crate::domain::row_error::StoredRowError;
use crate::http::api::Api;
use crate::http::cursor::List;
use crate::http::envelope;
use crate::http::problem::Problem;

/// The job with its row errors.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct InlineResults<'a> {
    #[serde(flatten)]
    job: JobView<'a>,
    errors: Vec<StoredRowError>,
    errors_next_cursor: Option<String>,
}

/// True of a job that is no longer waited for: it has ended, or its file turned out to be large.
pub(super) fn is_decided(job: &Job) -> bool {
    job.status.is_terminal() || is_large(job)
}

/// True of a job with more rows than are imported while a client waits.
pub(super) fn is_large(job: &Job) -> bool {
    job.total_rows.is_some_and(|rows| rows > INLINE_ROWS_MAX)
}

/// 200 with the job and its row errors.
pub(super) async fn results(
    api: &Api,
    job: &Job,
    prefix: &PathPrefix,
) -> Result<HttpResponse, Problem> {
    let mut errors = Vec::new();
    if job.counts.failed > 0 {
        errors = api.jobs.row_errors(job.id, 0, INLINE_ERRORS_MAX + 1).await?;
    }
    let most = usize::try_from(INLINE_ERRORS_MAX).unwrap_or(usize::MAX);
    let has_more = errors.len() > most;
    errors.truncate(most);
    let last = errors.last().filter(|_| has_more);
    let errors_next_cursor = last.map(|last| List::RowErrors(job.id).cursor(last.id));
    let job = JobView::of(job, prefix);
    envelope::ok(&InlineResults { job, errors, errors_next_cursor })
}
