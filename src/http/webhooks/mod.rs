//! `/api/v1/webhooks`: who is notified of the ends of jobs, and what became of the messages.

mod request;
mod view;

use actix_web::guard;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use uuid::Uuid;

use super::api::Api;
use super::control::CommandParameters;
use super::cursor::{List, PageRequest};
use super::envelope;
use super::path_prefix;
use super::problem::Problem;
use super::query::Query;
use super::resource::resource;
use super::upload::Requester;
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::shown;
pub(super) use request::WebhookRequest;
pub(super) use view::{DeliveryPage, DeliveryView, WebhookList, WebhookView};

/// The address of all webhooks: a list, and a new one.
pub(super) fn all(path: &str) -> Resource {
    let guard = guard::Any(guard::Get()).or(guard::Head());
    resource(path, web::to(list), guard, "GET, HEAD, POST").route(web::post().to(add))
}

/// The address of a webhook: what it is, and that it be removed.
pub(super) fn one(path: &str) -> Resource {
    let guard = guard::Any(guard::Get()).or(guard::Head());
    resource(path, web::to(show), guard, "GET, HEAD, DELETE").route(web::delete().to(remove))
}

async fn list(request: HttpRequest, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let webhooks = api.webhooks.list().await?;
    let webhooks: Vec<_> = webhooks.iter().map(WebhookView::of).collect();
    envelope::ok(&WebhookList { webhooks })
}

/// 201 with the webhook; only this answer has its secret.
async fn add(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let created_by = Requester::of(&request, &api)?.created_by;
    let asked = WebhookRequest::read(payload).await?;
    if let Some(dataset) = &asked.dataset {
        api.dataset(dataset)?;
    }
    let webhook = api.webhooks.add(asked.into_new(created_by)).await?;
    let body = envelope::body(None, &WebhookView::with_secret(&webhook))?;
    let address = path_prefix::of(&request).to(format_args!("/api/v1/webhooks/{}", webhook.id));
    let mut response = HttpResponse::build(StatusCode::CREATED);
    response.insert_header((LOCATION, address));
    Ok(response.content_type("application/json").body(body))
}

async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    envelope::ok(&WebhookView::of(&api.webhooks.get(webhook_id(&id)?).await?))
}

async fn remove(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    envelope::ok(&WebhookView::of(&api.webhooks.remove(webhook_id(&id)?).await?))
}

/// `POST …/{id}/enable`: it is notified again.
pub(super) async fn enable(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    CommandParameters::read(&request, payload, &[]).await?;
    envelope::ok(&WebhookView::of(&api.webhooks.enable(webhook_id(&id)?).await?))
}

/// `POST …/{id}/test`: sends a message that says nothing.
pub(super) async fn test(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    CommandParameters::read(&request, payload, &[]).await?;
    envelope::ok(&DeliveryView::of(&api.webhooks.test(webhook_id(&id)?).await?))
}

/// `GET …/{id}/deliveries`: the messages, newest first.
pub(super) async fn deliveries(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = webhook_id(&id)?;
    let query = Query::read(&request, &["limit", "cursor"])?;
    let page = PageRequest::of(List::Deliveries, &query)?;
    let mut found = api.webhooks.deliveries(id, page.after, page.fetch_limit()).await?;
    let next_cursor = page.truncate(&mut found, |delivery| delivery.id);
    let deliveries: Vec<_> = found.iter().map(DeliveryView::of).collect();
    envelope::ok(&DeliveryPage { deliveries, next_cursor })
}

/// `POST …/{id}/deliveries/{delivery}/redeliver`: sends a message again, as if it were new.
pub(super) async fn redeliver(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    CommandParameters::read(&request, payload, &[]).await?;
    let (id, delivery) = path.into_inner();
    let id = webhook_id(&id)?;
    let delivery = delivery.parse().map_err(|_| {
        let detail = format!("there is no message `{}`", shown(&delivery));
        Problem::new(ErrorCode::DeliveryNotFound, detail)
    })?;
    envelope::ok(&DeliveryView::of(&api.webhooks.redeliver(id, delivery).await?))
}

/// Reads the id of a webhook. Another text names none.
fn webhook_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| {
        Problem::new(ErrorCode::WebhookNotFound, format!("there is no webhook `{}`", shown(text)))
    })
}
