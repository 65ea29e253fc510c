//! Definitions of datasets: proposed, checked, saved, and read again.

mod infer;
mod proposal;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

pub(super) use self::proposal::ProposalBody;
use super::api::Api;
use super::control::whole;
use super::datasets::{DatasetView, view};
use super::envelope;
use super::path_prefix;
use super::problem::Problem;
use super::query::Query;
use super::upload;
use crate::dataset::{DefinitionFault, Proposal, ProposalFault};
use crate::definitions::{DefinitionsError, NewDefinition};
use crate::domain::error_chain::error_chain;
use crate::domain::limits::DEFINITION_BYTES_MAX;
pub(super) use infer::{InferView, TableBody, TablesView, infer, tables};

/// What reading the definitions again changed.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ReloadedView {
    datasets: Vec<String>,
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
}

/// A definition, saved or only checked.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SavedView<'a> {
    saved: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    definition: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<DatasetView<'a>>,
}

/// `POST /api/v1/datasets/reload`.
pub(super) async fn reload(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let reloaded = api.datasets.reload().await?;
    let current = api.datasets.current();
    envelope::ok(&ReloadedView {
        datasets: current.names().map(str::to_owned).collect(),
        added: reloaded.added,
        changed: reloaded.changed,
        removed: reloaded.removed,
    })
}

/// `PUT /api/v1/datasets/{name}`: the definition as text, or a proposal as JSON. With `dryRun=true` it
/// is only checked.
pub(super) async fn save(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &["overwrite", "dryRun"])?;
    let (overwrite, dry_run) = (query.flag("overwrite")?, query.flag("dryRun")?);
    let body = whole(payload, DEFINITION_BYTES_MAX).await?;
    let name = name.into_inner();
    let text = if upload::is_json(request.headers()) {
        let body: ProposalBody = serde_json::from_slice(&body)
            .map_err(|fault| Problem::malformed(format!("the body is no proposal: {fault}")))?;
        Proposal::from(body).text()
    } else {
        String::from_utf8(body).map_err(|_| Problem::malformed("the body is not UTF-8"))?
    };
    if dry_run {
        api.datasets.check(name, text.clone()).await?;
        let definition = text;
        return envelope::ok(&SavedView { saved: false, file: None, definition, dataset: None });
    }
    let new = NewDefinition { name: name.clone(), text: text.clone(), overwrite };
    let saved = api.datasets.save(new).await?;
    let dataset = api.dataset(&name)?;
    envelope::ok(&SavedView {
        saved: true,
        file: Some(saved.path.display().to_string()),
        definition: text,
        dataset: Some(view(&dataset, &path_prefix::of(&request))),
    })
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
        let keys = match &fault {
            DefinitionsError::Proposal(ProposalFault::SeveralKeys { keys, .. }) => keys.clone(),
            _ => Vec::new(),
        };
        // Where it cannot be written, the reason is the operator's clue.
        let problem = match &fault {
            DefinitionsError::Unwritable { .. } | DefinitionsError::Unreadable { .. } => {
                Self::new(code, error_chain(&fault))
            }
            _ => Self::because(code, fault),
        };
        if !keys.is_empty() {
            return problem.with_member("keys", keys);
        }
        if views.is_empty() {
            return problem;
        }
        problem.with_faults(&parts).with_member("faults", views)
    }
}
