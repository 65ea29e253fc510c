//! From a request to a file on disk and its options.

use actix_web::http::header::CONTENT_ENCODING;
use actix_web::{HttpRequest, web};

use super::body::{self, UploadBody};
use super::headers::{self, BodyKind};
use super::parsed::{Fields, ParsedFiles, ParsedUpload, UploadTarget};
use super::{form, raw};
use crate::domain::error_code::ErrorCode;
use crate::files::shown_name;
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::query;
use crate::jobs::SeenUpload;

/// Reads the body to its end: the one file goes to disk, everything else into the options.
pub(in crate::http) async fn parse(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
) -> Result<ParsedUpload, Problem> {
    parse_files(request, payload, api, 1, &[]).await?.single().ok_or_else(form::no_file)
}

/// The same for a body with up to `files_max` files and, beside the options, `own_fields`.
pub(in crate::http) async fn parse_files(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
    files_max: usize,
    own_fields: &[&str],
) -> Result<ParsedFiles, Problem> {
    let kind = headers::body_kind(request.headers())?;
    if let Some(encoding) = request.headers().get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        let detail = "the server accepts no Content-Encoding; send the file without one";
        return Err(Problem::new(ErrorCode::UnsupportedFormat, detail));
    }
    let mut query = query::pairs(request)?;
    let announced = headers::content_length(request.headers());
    // A body that is too large is refused for its size, not for the free space.
    if announced.is_none_or(|bytes| bytes <= api.max_upload) {
        api.storage.check_free_space(announced.unwrap_or(0)).await?;
    }
    let target = UploadTarget {
        data_dir: &api.data_dir,
        limit: api.max_upload,
        announced,
        files_max,
        own_fields,
        home_encoding: api.home_encoding.as_deref(),
    };
    let is_form = kind == BodyKind::Form;
    let (media_type, payload) = match kind {
        BodyKind::Form => (None, payload),
        BodyKind::File(media_type) => (media_type, payload),
        BodyKind::Json => {
            let (is_array, payload) = body::begins_array(request, payload).await?;
            if !is_array {
                return Err(no_address());
            }
            (Some(headers::JSON.to_owned()), payload)
        }
    };
    let body = UploadBody::new(payload, headers::content_digest(request.headers())?);
    let parsed = if is_form {
        form::parse(request.headers(), body.clone(), query, target).await
    } else {
        let fields = Fields::taken_from(&mut query, own_fields);
        let parsed = raw::parse(request.headers(), body.clone(), query, media_type, target);
        parsed.await.map(|parsed| ParsedFiles { fields, ..ParsedFiles::from(parsed) })
    }?;
    body.finish().await?;
    Ok(parsed)
}

/// The one file, with the fields called `own_fields`.
pub(in crate::http) async fn parse_beside(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
    own_fields: &[&str],
) -> Result<(ParsedUpload, Fields), Problem> {
    let mut parsed = parse_files(request, payload, api, 1, own_fields).await?;
    let fields = std::mem::take(&mut parsed.fields);
    Ok((parsed.single().ok_or_else(form::no_file)?, fields))
}

/// A file that is only looked at, with the fields called `own_fields`.
pub(in crate::http) async fn to_look_at(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
    own_fields: &[&str],
) -> Result<(SeenUpload, Fields), Problem> {
    let (parsed, fields) = parse_beside(request, payload, api, own_fields).await?;
    let ParsedUpload { upload, file_name, media_type, options } = parsed;
    let file_name = shown_name(file_name.as_deref(), "rows", media_type.as_deref());
    Ok((SeenUpload { upload, file_name, media_type, options }, fields))
}

fn no_address() -> Problem {
    let detail = "this call takes no address of a file; send the file itself, as multipart field \
                  `file` or as the body with its media type, or an array of JSON objects";
    Problem::new(ErrorCode::UnsupportedFormat, detail)
}
