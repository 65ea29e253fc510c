//! What a definition can be made from: the tables of the database, and a proposal from one of them or
//! from a file.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::proposal::{CandidateView, ProposalBody};
use crate::dataset::{Datasets, Proposal, ProposalFault};
use crate::definitions::{ListedTable, propose_from};
use crate::domain::limits::DEFINITION_BYTES_MAX;
use crate::http::api::Api;
use crate::http::control::whole;
use crate::http::envelope;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::upload;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct TablesView {
    tables: Vec<TableView>,
    more: usize,
    can_save: bool,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct TableView {
    table: String,
    columns: usize,
    importable: bool,
    /// Why not.
    reason: Option<String>,
    keys: Vec<Vec<String>>,
    /// The dataset that has it already.
    dataset: Option<String>,
}

/// `GET /api/v1/tables`.
pub(in crate::http) async fn tables(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let list = api.datasets.tables().await?;
    let current = api.datasets.current();
    let tables = list.tables.into_iter().map(|table| TableView::of(table, &current)).collect();
    let can_save = api.datasets.folder().is_some();
    envelope::ok(&TablesView { tables, more: list.more, can_save })
}

impl TableView {
    fn of(listed: ListedTable, datasets: &Datasets) -> Self {
        let ListedTable { table, columns, keys, fault } = listed;
        let of_it = datasets.iter().find(|it| it.dataset.table == table);
        Self {
            columns,
            importable: fault.is_none(),
            reason: fault.map(|fault| crate::domain::sentence::sentence(&fault.to_string())),
            keys,
            dataset: of_it.map(|compiled| compiled.dataset.name.clone()),
            table,
        }
    }
}

/// What a proposal is made from, where that is a table.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct TableBody {
    table: String,
    name: Option<String>,
    key: Option<Vec<String>>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct InferView<'a> {
    candidates: Vec<CandidateView<'a>>,
    definition: &'a str,
    /// There is a dataset of the name.
    exists: bool,
    can_save: bool,
    proposal: ProposalBody,
}

/// `POST /api/v1/datasets/infer`: with `{"table": "suppliers"}`, or with a file.
pub(in crate::http) async fn infer(
    request: HttpRequest,
    mut payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut names_table = upload::is_json(request.headers());
    if names_table {
        let (is_array, rest) = upload::begins_array(&request, payload).await?;
        (names_table, payload) = (!is_array, rest);
    }
    let proposal = if names_table {
        Query::read(&request, &[])?;
        of_table(payload, &api).await?
    } else {
        of_file(&request, payload, &api).await?
    };
    let definition = proposal.to_toml().map_err(refused)?;
    let candidates = proposal.candidates.clone();
    envelope::ok(&InferView {
        candidates: candidates.iter().map(CandidateView::of).collect(),
        definition: &definition,
        exists: api.datasets.get(&proposal.name).is_some(),
        can_save: api.datasets.folder().is_some(),
        proposal: proposal.into(),
    })
}

async fn of_table(payload: web::Payload, api: &Api) -> Result<Proposal, Problem> {
    let takes = "the body is a JSON object such as {\"table\": \"suppliers\", \"key\": [\"number\"]}, or \
                 a file";
    let body: TableBody = serde_json::from_slice(&whole(payload, DEFINITION_BYTES_MAX).await?)
        .map_err(|_| Problem::malformed(takes))?;
    Ok(api.datasets.propose(body.table, body.name, body.key).await?)
}

async fn of_file(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
) -> Result<Proposal, Problem> {
    let (seen, fields) = upload::to_look_at(request, payload, api, &["name", "key"]).await?;
    // A proposal takes memory for the values that it tells apart.
    let _slot = api.list_slots.acquire().await.map_err(|_| Problem::stopping())?;
    let key = fields
        .get("key")
        .map(|key| key.split(',').map(|name| name.trim().to_owned()).collect::<Vec<String>>());
    let (file_name, seen) = api.jobs.see_upload(seen).await?;
    propose_from(&seen, &file_name, fields.get("name"), key.as_deref()).map_err(refused)
}

pub(super) fn refused(fault: ProposalFault) -> Problem {
    crate::definitions::DefinitionsError::from(fault).into()
}
