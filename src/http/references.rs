//! `GET /api/v1/datasets/{name}/references`: the stored names that the cells of a column may mean, searched by
//! a part of the name.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::api::Api;
use super::envelope;
use super::problem::Problem;
use super::query::Query;
use crate::dataset::can_be_replaced;
use crate::dataset::model::{Column, Dataset, Reference};

/// Names that are listed unless the client says how many.
const NAMES: u64 = 20;

/// Names that one answer lists at most.
const NAMES_MAX: u64 = 100;

/// The parameter that names the column.
const COLUMN: &str = "column";

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct StoredNames<'a> {
    column: &'a str,
    table: &'a str,
    names: Vec<String>,
    /// The table has more such names than are listed.
    more: bool,
}

/// The names that contain `search`.
pub(super) async fn names(
    request: HttpRequest,
    name: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[COLUMN, "search", "limit"])?;
    let limit = query.number("limit", 1..=NAMES_MAX)?.unwrap_or(NAMES);
    let dataset = api.dataset(&name)?;
    let (column, reference) = reference(&dataset, query.get(COLUMN))?;
    let search = query.get("search").unwrap_or_default().to_owned();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = api.jobs.reference_names(reference.clone(), search, limit).await?;
    let table = &reference.table;
    envelope::ok(&StoredNames { column, table, names: found.names, more: found.more })
}

/// The column that the client names, and what it refers to.
fn reference<'d>(
    dataset: &'d Dataset,
    wanted: Option<&str>,
) -> Result<(&'d str, &'d Reference), Problem> {
    let of = |column: &'d Column| {
        let reference = column.named_records().filter(|_| can_be_replaced(column))?;
        Some((column.name.as_str(), reference))
    };
    let all = || dataset.columns.iter().filter_map(of);
    all().find(|(name, _)| Some(*name) == wanted).ok_or_else(|| {
        let names: Vec<String> = all().map(|(name, _)| format!("`{name}`")).collect();
        let takes = if names.is_empty() {
            "a column that refers to another table; this dataset has none".to_owned()
        } else {
            format!("a column that refers to another table: {}", names.join(", "))
        };
        match wanted {
            Some(wanted) => Problem::invalid_parameter(COLUMN, wanted, &takes),
            None => Problem::missing_parameter(COLUMN, &takes),
        }
    })
}
