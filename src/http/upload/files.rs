//! An upload of one or several files at an address that answers it in its own words.

use std::sync::Arc;

use actix_web::{HttpRequest, web};

use super::bulk::{self, Received};
use super::import::submit_one;
use super::parse::parse_files;
use super::parsed::Fields;
use super::requester::Requester;
use crate::dataset::model::Dataset;
use crate::domain::bulk::RefusedFile;
use crate::domain::limits::BULK_FILES_MAX;
use crate::domain::options::Options;
use crate::http::api::Api;
use crate::http::problem::Problem;

/// What became of the files of an upload.
#[derive(Debug)]
pub(in crate::http) struct SubmittedFiles {
    /// The numbers of their jobs, in the order of the files.
    pub(in crate::http) jobs: Vec<i64>,
    /// The files of which no job came.
    pub(in crate::http) refused: Vec<RefusedFile>,
    /// The fields of the address.
    pub(in crate::http) fields: Fields,
}

/// Stores the jobs of an upload. `adjust` turns the fields of the address, called `own_fields`, into
/// options.
pub(in crate::http) async fn submit_files(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
    dataset: &Arc<Dataset>,
    own_fields: &[&str],
    adjust: impl FnOnce(&Fields, &mut Options),
) -> Result<SubmittedFiles, Problem> {
    let requester = Requester::of(request, api)?;
    let mut parsed = parse_files(request, payload, api, BULK_FILES_MAX, own_fields).await?;
    let fields = std::mem::take(&mut parsed.fields);
    adjust(&fields, &mut parsed.options);
    let (jobs, refused) = match bulk::sort(api, parsed).await? {
        Received::One(file) => {
            let submitted = submit_one(api, dataset, *file, requester).await?;
            (vec![submitted.job.id], Vec::new())
        }
        Received::Many(files) => {
            let submitted = bulk::submit(api, dataset, *files, requester).await?;
            (submitted.jobs.iter().map(|job| job.id).collect(), submitted.bulk.refused)
        }
    };
    Ok(SubmittedFiles { jobs, refused, fields })
}
