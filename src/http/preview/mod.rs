//! `POST /api/v1/import/{dataset}/preview`: what an upload of this file would read, and what is
//! wrong with its header and first rows. Keeps nothing: no job, no file, no row.
//!
//! The body comes in as that of an upload does, and the file is looked into in the same way; only
//! what is made of it differs.

mod view;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpRequest, HttpResponse, web};
use tokio::sync::Semaphore;

use super::api::Api;
use super::envelope;
use super::problem::Problem;
use super::upload::{self, ParsedUpload, intake};
use crate::dataset::model::Dataset;
use crate::domain::error_code::ErrorCode;
use crate::reader::{Child, Inspection, ReadError, Upload};
use view::PreviewView;

/// A file that is looked at, and removed with this value.
#[derive(Debug)]
struct PreviewFile {
    upload: ParsedUpload,
    file_name: String,
    dataset: Arc<Dataset>,
}

/// Tells the one who looks into the file that nobody waits for it any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Looks at a file.
pub(super) async fn preview(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    if api.stopping.is_cancelled() {
        return Err(Problem::stopping());
    }
    let dataset = Arc::clone(api.dataset(&name)?);
    let upload = upload::parse(&request, payload, &api).await?;
    let file = PreviewFile { file_name: upload.shown_name(&dataset), upload, dataset };
    let (child, places) = (api.child.clone(), Arc::clone(&api.workbook_places));
    let body = api.run_while_asked(preview_file(file, child, places)).await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

/// The body of the answer. Dropped when the connection breaks: then the file is not read further.
async fn preview_file(
    file: PreviewFile,
    child: Child,
    workbook_places: Arc<Semaphore>,
) -> Result<Vec<u8>, Problem> {
    let place = intake::place_for(&file.upload.arrived.path, workbook_places).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let _stop = StopOnDrop(Arc::clone(&stop));
    let looked = tokio::task::spawn_blocking(move || {
        let inspection = inspect(&file, &child, &stop)?;
        // The child has ended: another one may begin.
        drop(place);
        let PreviewFile { upload, file_name, dataset } = &file;
        let view = PreviewView::of(dataset, file_name, upload, inspection);
        envelope::body(None, &view)
    });
    looked.await.map_err(|fault| Problem::because(ErrorCode::Internal, fault))?
}

fn inspect(file: &PreviewFile, child: &Child, stop: &AtomicBool) -> Result<Inspection, ReadError> {
    let PreviewFile { upload, file_name, dataset } = file;
    let file = Upload {
        path: &upload.arrived.path,
        file_name,
        media_type: upload.media_type.as_deref(),
        valid_utf8: upload.arrived.valid_utf8,
        size: upload.arrived.size,
    };
    intake::look_into(&file, &upload.options, dataset, child, stop)
}
