//! Row errors of a job, counted by code and column.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::domain::event::ErrorGroup;
use crate::domain::row_error::RowCode;
use crate::domain::row_number::RowNumber;
use crate::http::api::Api;
use crate::http::envelope;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::status::job_id;

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ErrorGroupList<'a> {
    groups: Vec<GroupView<'a>>,
    total: u64,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct GroupView<'a> {
    code: RowCode,
    column: Option<&'a str>,
    count: u64,
    first_row: RowNumber,
    message: &'a str,
    value: Option<&'a str>,
}

/// `GET /api/v1/import/jobs/{id}/errors/groups`: most frequent first.
pub(in crate::http) async fn groups(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    Query::read(&request, &[])?;
    // A job without errors has no groups, but one that does not exist is none.
    api.jobs.get(id).await?;
    let found = api.jobs.error_groups(id).await?;
    envelope::ok(&ErrorGroupList {
        groups: found.iter().map(GroupView::of).collect(),
        total: found.iter().map(|group| group.count).sum(),
    })
}

impl<'a> GroupView<'a> {
    fn of(group: &'a ErrorGroup) -> Self {
        Self {
            code: group.code,
            column: group.column.as_deref(),
            count: group.count,
            first_row: group.first_row,
            message: &group.message,
            value: group.value.as_deref(),
        }
    }
}
