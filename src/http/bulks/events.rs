//! `GET /api/v1/import/bulks/{id}/events`: what happens to all jobs of a bulk, and the bulk as it
//! changes, in one stream that can be resumed behind any of its messages.

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use uuid::Uuid;

use super::bulk_id;
use crate::domain::bulk_view::{BulkSummary, BulkView};
use crate::domain::path_prefix::PathPrefix;
use crate::http::api::Api;
use crate::http::events::stream::{self, Next, SseSource};
use crate::http::events::{LAST_EVENT_ID, RETRY, write, write_of_job};
use crate::http::path_prefix;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::jobs::{BulkSubscription, BulkUpdate, JobsError};

/// A message about the bulk as a whole.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(in crate::http) enum BulkMessage<'a> {
    Snapshot { bulk: BulkView<'a> },
    Bulk { bulk: BulkSummary<'a> },
}

/// The events of a bulk.
pub(in crate::http) async fn events(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = bulk_id(&id)?;
    let query = Query::read(&request, &["lastEventId"])?;
    let seen = last_event_id(request.headers()).or(query.get("lastEventId")).unwrap_or_default();
    if request.method() == Method::HEAD {
        api.jobs.bulk(id).await?;
        return Ok(stream::head());
    }
    let subscription = api.jobs.subscribe_bulk(id, seen).await?;
    if subscription.is_over() {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(answer(subscription, path_prefix::of(&request)))
}

fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()
}

/// The stream from behind the position `seen` on.
pub(in crate::http) async fn follow(
    api: &Api,
    id: Uuid,
    seen: &str,
    prefix: PathPrefix,
) -> Result<HttpResponse, Problem> {
    Ok(answer(api.jobs.subscribe_bulk(id, seen).await?, prefix))
}

fn answer(subscription: BulkSubscription, prefix: PathPrefix) -> HttpResponse {
    stream::answer(BulkEvents { subscription, prefix, has_begun: false })
}

struct BulkEvents {
    subscription: BulkSubscription,
    prefix: PathPrefix,
    has_begun: bool,
}

impl SseSource for BulkEvents {
    async fn write_next(&mut self, out: &mut Vec<u8>) -> Result<Next, JobsError> {
        if !self.has_begun {
            self.has_begun = true;
            out.extend_from_slice(RETRY);
            let (bulk, jobs, place) = self.subscription.standing();
            let bulk = BulkView::of(bulk, jobs, place, &self.prefix);
            write(out, None, &BulkMessage::Snapshot { bulk });
            return Ok(Next::More);
        }
        match self.subscription.next().await? {
            Some(BulkUpdate::Event { job, file_name, position, event }) => {
                write_of_job(out, job, &file_name, &position, &event);
            }
            Some(BulkUpdate::Changed) => {
                let (bulk, jobs, place) = self.subscription.standing();
                let bulk = BulkSummary::of(bulk, jobs, place, &self.prefix);
                write(out, None, &BulkMessage::Bulk { bulk });
            }
            None if self.subscription.is_over() => return Ok(Next::End),
            None => return Ok(Next::Interruption),
        }
        Ok(Next::More)
    }
}
