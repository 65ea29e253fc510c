//! Saved mappings of a dataset: list, look, save, forget.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::api::Api;
use super::control::whole;
use super::envelope;
use super::problem::Problem;
use super::query::Query;
use super::upload::Requester;
use crate::dataset::model::Dataset;
use crate::dataset::{header_fingerprint, match_header};
use crate::domain::error_code::ErrorCode;
use crate::domain::job_view::timestamp;
use crate::domain::limits::{COLUMNS_MAX, MAPPING_BODY_BYTES_MAX};
use crate::domain::options::Options;
use crate::domain::saved_mapping::{MappingName, NewMapping, SavedMapping};
use crate::jobs::JobsError;

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct MappingList<'a> {
    mappings: Vec<MappingView<'a>>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct MappingView<'a> {
    name: &'a str,
    dataset: &'a str,
    headers: &'a [String],
    mapping: &'a BTreeMap<String, String>,
    /// Columns of the mapping that the dataset does not have any more.
    unknown_columns: Vec<&'a str>,
    created_by: Option<&'a str>,
    created_at: String,
    updated_at: String,
    last_used_at: Option<String>,
}

impl<'a> MappingView<'a> {
    fn of(mapping: &'a SavedMapping, dataset: &Dataset) -> Self {
        let saved = &mapping.saved;
        let is_known = |name: &str| dataset.columns.iter().any(|column| column.name == name);
        let fed = saved.mapping.values().map(String::as_str).filter(|name| !name.is_empty());
        Self {
            name: saved.name.as_str(),
            dataset: &saved.dataset,
            headers: &saved.headers,
            mapping: &saved.mapping,
            unknown_columns: fed.filter(|name| !is_known(name)).collect(),
            created_by: saved.created_by.as_deref(),
            created_at: timestamp(mapping.created_at),
            updated_at: timestamp(mapping.updated_at),
            last_used_at: mapping.last_used_at.map(timestamp),
        }
    }
}

/// `GET /api/v1/datasets/{name}/mappings`.
pub(super) async fn list(
    request: HttpRequest,
    dataset: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let dataset = api.dataset(&dataset)?;
    let found = api.jobs.mappings(&dataset.name).await?;
    let mappings = found.iter().map(|mapping| MappingView::of(mapping, &dataset)).collect();
    envelope::ok(&MappingList { mappings })
}

/// `GET /api/v1/datasets/{name}/mappings/{mapping}`.
pub(super) async fn one(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let (dataset, name) = parts(&path, &api)?;
    let mapping = api.jobs.mapping(&dataset.name, name).await?;
    envelope::ok(&MappingView::of(&mapping, &dataset))
}

/// A mapping as a client sends it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct MappingBody {
    /// The headers of the files that it is for; without them it is only taken by its name.
    #[serde(default)]
    headers: Vec<String>,
    mapping: BTreeMap<String, String>,
}

/// `PUT /api/v1/datasets/{name}/mappings/{mapping}`: in place of an earlier one of the same name.
pub(super) async fn save(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let (dataset, name) = parts(&path, &api)?;
    let takes = "the body is a JSON object such as {\"headers\": [\"Art.-Nr.\", \"Name\"], \
                 \"mapping\": {\"Art.-Nr.\": \"sku\"}}";
    let body: MappingBody = serde_json::from_slice(&whole(payload, MAPPING_BODY_BYTES_MAX).await?)
        .map_err(|_| Problem::malformed(takes))?;
    let MappingBody { headers, mapping } = body;
    if headers.len().max(mapping.len()) > COLUMNS_MAX {
        let detail = format!("a file has at most {COLUMNS_MAX} columns");
        return Err(Problem::new(ErrorCode::TooManyColumns, detail));
    }
    check(&dataset, &headers, &mapping)?;
    let new = NewMapping {
        dataset: dataset.name.clone(),
        name,
        fingerprint: (!headers.is_empty()).then(|| header_fingerprint(&headers)),
        headers,
        mapping,
        created_by: Requester::of(&request, &api)?.created_by,
    };
    let saved = api.jobs.save_mapping(new).await?;
    envelope::ok(&MappingView::of(&saved, &dataset))
}

/// `DELETE /api/v1/datasets/{name}/mappings/{mapping}`: 200 with the mapping as it was.
pub(super) async fn forget(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let (dataset, name) = parts(&path, &api)?;
    let mapping = api.jobs.mapping(&dataset.name, name.clone()).await?;
    api.jobs.forget_mapping(&dataset.name, name.clone()).await?;
    envelope::ok_with(&format!("Mapping {name} was deleted"), &MappingView::of(&mapping, &dataset))
}

fn parts(path: &(String, String), api: &Api) -> Result<(Arc<Dataset>, MappingName), Problem> {
    let (dataset, text) = path;
    let dataset = api.dataset(dataset)?;
    let refused = || Problem::invalid_parameter("mapping", text, MappingName::TAKES);
    Ok((dataset, MappingName::parse(text).ok_or_else(refused)?))
}

/// The columns must be there; with the headers of a file, the file must be one that can be imported.
fn check(
    dataset: &Dataset,
    headers: &[String],
    mapping: &BTreeMap<String, String>,
) -> Result<(), Problem> {
    let options = Options { mapping: mapping.clone(), ..Options::default() };
    let faults = if headers.is_empty() {
        let keys: Vec<String> = mapping.keys().cloned().collect();
        let is_of_mapping = |code| code == ErrorCode::BadMapping;
        let faults = match_header(dataset, &keys, &options).err().unwrap_or_default();
        faults.into_iter().filter(|fault| is_of_mapping(fault.code())).collect()
    } else {
        match_header(dataset, headers, &options).err().unwrap_or_default()
    };
    if faults.is_empty() {
        return Ok(());
    }
    Err(JobsError::Header { faults, place: None }.into())
}
