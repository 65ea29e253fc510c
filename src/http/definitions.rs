//! Definitions of datasets: they are read again.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::json;

use super::api::Api;
use super::envelope;
use super::problem::Problem;
use super::query::Query;
use crate::dataset::DefinitionFault;
use crate::definitions::DefinitionsError;

/// `POST /api/v1/datasets/reload`.
pub(super) async fn reload(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let reloaded = api.datasets.reload().await?;
    let current = api.datasets.current();
    envelope::ok(&json!({
        "datasets": current.names().collect::<Vec<_>>(),
        "added": reloaded.added,
        "changed": reloaded.changed,
        "removed": reloaded.removed,
    }))
}

#[derive(Debug, Serialize)]
struct DefinitionFaultView<'a> {
    file: &'a str,
    line: Option<usize>,
    key: &'a str,
    message: &'a str,
}

impl From<DefinitionsError> for Problem {
    fn from(fault: DefinitionsError) -> Self {
        let code = fault.code();
        let view = |fault: &DefinitionFault| {
            let DefinitionFault { file, line, key, message } = fault;
            let view = DefinitionFaultView { file, line: *line, key, message };
            serde_json::to_value(view).unwrap_or_default()
        };
        let views: Vec<_> = fault.faults().iter().map(view).collect();
        let parts: Vec<String> = fault.faults().iter().map(ToString::to_string).collect();
        let problem = Self::because(code, fault);
        if views.is_empty() {
            return problem;
        }
        problem.with_faults(&parts).with_member("faults", views)
    }
}
