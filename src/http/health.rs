//! Health of the process and readiness for work.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::api::Api;
use super::envelope;
use super::problem::Problem;

/// Whether the server can work.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct HealthView {
    status: &'static str,
}

/// `GET /healthz`: 200 as long as the process lives.
pub(super) async fn alive() -> Result<HttpResponse, Problem> {
    envelope::ok(&HealthView { status: "alive" })
}

/// `GET /readyz`: 200 when uploads can be taken; 503 while stopping or without the database.
pub(super) async fn ready(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    if api.stopping.is_cancelled() {
        return Err(Problem::stopping());
    }
    api.jobs.ready().await?;
    envelope::ok(&HealthView { status: "ready" })
}
