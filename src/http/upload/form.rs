//! An upload as `multipart/form-data` (RFC 7578): the field `file`, and options as other fields, in
//! any order.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::header::HeaderMap;

use super::body::{self, Body};
use super::{Taken, headers};
use crate::domain::error_code::ErrorCode;
use crate::domain::limits::{OPTION_BYTES_MAX, UPLOAD_PARTS_MAX};
use crate::domain::options::Options;
use crate::domain::row_error::shown;
use crate::files::{FileError, Received};
use crate::http::api::Api;
use crate::http::problem::Problem;

/// The field with the file.
const FILE: &str = "file";

/// What a form adds to its file at most: the options, and the headers of all parts.
const FORM_BYTES_MAX: u64 = 2 << 20;

struct FilePart {
    received: Received,
    file_name: Option<String>,
    media_type: Option<String>,
}

/// Reads the form to its end. Options may also stand in the query.
pub(super) async fn take(
    headers: &HeaderMap,
    body: Body,
    query: Vec<(String, String)>,
    announced: Option<u64>,
    api: &Api,
) -> Result<Taken, Problem> {
    let limit = api.max_upload;
    if announced.is_some_and(|bytes| bytes > limit.saturating_add(FORM_BYTES_MAX)) {
        return Err(FileError::TooLarge { limit }.into());
    }
    let mut options = query;
    let mut file: Option<FilePart> = None;
    let mut form = Multipart::new(headers, body);
    let mut parts = 0;
    while let Some(field) = body::next(&mut form).await? {
        let mut field = field.map_err(|fault| broken(&fault))?;
        parts += 1;
        if parts > UPLOAD_PARTS_MAX {
            let detail = format!("the form has more than {UPLOAD_PARTS_MAX} parts");
            return Err(Problem::malformed(detail));
        }
        let name = field.name().unwrap_or_default().to_owned();
        if name != FILE {
            options.push(option(&mut field, name, file.is_some()).await?);
            continue;
        }
        if file.is_some() {
            let detail = "the form has more than one part called `file`";
            return Err(Problem::new(ErrorCode::TwoFiles, detail));
        }
        // What is wrong already is told before the file is read.
        parse(&options)?;
        file = Some(file_part(&mut field, api).await?);
    }
    let options = parse(&options)?;
    let Some(file) = file else {
        let detail = "the form has no part called `file`";
        return Err(Problem::new(ErrorCode::NoFile, detail));
    };
    let FilePart { received, file_name, media_type } = file;
    Ok(Taken { received, file_name, media_type, options })
}

fn parse(options: &[(String, String)]) -> Result<Options, Problem> {
    Ok(Options::parse(options.iter().map(|(name, value)| (name.as_str(), value.as_str())))?)
}

async fn file_part(field: &mut Field, api: &Api) -> Result<FilePart, Problem> {
    let file_name = field.content_disposition().and_then(headers::file_name_of);
    let media_type = field.content_type().map(|media| media.essence_str().to_ascii_lowercase());
    let mut receiver = api.folder.receive(api.max_upload, None)?;
    while let Some(bytes) = body::next(field).await? {
        receiver.write(&bytes.map_err(|fault| broken(&fault))?).await?;
    }
    Ok(FilePart { received: receiver.finish().await?, file_name, media_type })
}

/// An option as a field of the form. Files under another name are told apart from unknown options.
async fn option(
    field: &mut Field,
    name: String,
    file_seen: bool,
) -> Result<(String, String), Problem> {
    if field.content_disposition().is_some_and(|disposition| disposition.get_filename().is_some()) {
        let name = shown(&name);
        return Err(if file_seen {
            let detail = format!("the part `{name}` is a second file");
            Problem::new(ErrorCode::TwoFiles, detail)
        } else {
            let detail = format!("the file stands in the part `{name}`; call the part `file`");
            Problem::new(ErrorCode::NoFile, detail)
        });
    }
    let mut bytes = Vec::new();
    while let Some(piece) = body::next(field).await? {
        let piece = piece.map_err(|fault| broken(&fault))?;
        if bytes.len() + piece.len() > OPTION_BYTES_MAX {
            let detail =
                format!("the option `{}` is longer than {OPTION_BYTES_MAX} bytes", shown(&name));
            return Err(Problem::new(ErrorCode::InvalidOption, detail));
        }
        bytes.extend_from_slice(&piece);
    }
    let value = String::from_utf8(bytes).map_err(|_| {
        let detail = format!("the option `{}` is not UTF-8", shown(&name));
        Problem::new(ErrorCode::InvalidOption, detail)
    })?;
    Ok((name, value))
}

fn broken(fault: &MultipartError) -> Problem {
    if let MultipartError::Payload(fault) = fault {
        return body::broken(fault);
    }
    if matches!(fault, MultipartError::Incomplete) {
        return Problem::malformed("the form broke off before its last boundary");
    }
    if matches!(fault, MultipartError::BoundaryMissing | MultipartError::ContentTypeParse) {
        return Problem::malformed("the Content-Type of the form names no boundary");
    }
    Problem::malformed(format!("the form cannot be read: {fault}"))
}
