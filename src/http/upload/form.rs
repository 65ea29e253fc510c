//! An upload as `multipart/form-data` (RFC 7578): the field `file`, and options as other fields, in
//! any order.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::header::HeaderMap;

use super::body::{self, UploadBody};
use super::headers;
use super::parsed::{ParsedUpload, UploadTarget};
use crate::domain::error_code::ErrorCode;
use crate::domain::limits::{OPTION_BYTES_MAX, UPLOAD_PARTS_MAX};
use crate::domain::options::Options;
use crate::domain::row_error::shown;
use crate::files::{FileError, TempUpload};
use crate::http::problem::Problem;

/// The field with the file.
const FILE: &str = "file";

/// Bytes that a form may add to its file: the options, and the headers of all parts.
const FORM_BYTES_MAX: u64 = 2 << 20;

struct FilePart {
    upload: TempUpload,
    file_name: Option<String>,
    media_type: Option<String>,
}

/// Reads the form to its end. Options may also stand in the query.
pub(super) async fn parse(
    headers: &HeaderMap,
    body: UploadBody,
    query: Vec<(String, String)>,
    target: UploadTarget<'_>,
) -> Result<ParsedUpload, Problem> {
    let UploadTarget { limit, .. } = target;
    if target.announced.is_some_and(|bytes| bytes > limit.saturating_add(FORM_BYTES_MAX)) {
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
            let detail = "the form has more than one part `file`; send one file with each request";
            return Err(Problem::new(ErrorCode::MultipleFiles, detail));
        }
        // Faults of these options are reported before the file is read.
        parse_options(&options)?;
        file = Some(file_part(&mut field, target).await?);
    }
    let options = parse_options(&options)?;
    let Some(file) = file else {
        let detail = "the form has no part `file`; send the file in one";
        return Err(Problem::new(ErrorCode::NoFile, detail));
    };
    let FilePart { upload, file_name, media_type } = file;
    Ok(ParsedUpload { upload, file_name, media_type, options })
}

fn parse_options(options: &[(String, String)]) -> Result<Options, Problem> {
    Ok(Options::parse(options.iter().map(|(name, value)| (name.as_str(), value.as_str())))?)
}

async fn file_part(field: &mut Field, target: UploadTarget<'_>) -> Result<FilePart, Problem> {
    let file_name = field.content_disposition().and_then(headers::file_name_of_part);
    let media_type = field.content_type().map(|media| media.essence_str().to_ascii_lowercase());
    let mut receiver = target.data_dir.receive(target.limit, None)?;
    while let Some(bytes) = body::next(field).await? {
        receiver.write(&bytes.map_err(|fault| broken(&fault))?).await?;
    }
    Ok(FilePart { upload: receiver.finish().await?, file_name, media_type })
}

/// An option as a field of the form. A file in another field is not an unknown option.
async fn option(
    field: &mut Field,
    name: String,
    file_seen: bool,
) -> Result<(String, String), Problem> {
    if field.content_disposition().is_some_and(|disposition| disposition.get_filename().is_some()) {
        let name = shown(&name);
        return Err(if file_seen {
            let detail =
                format!("the part `{name}` is a second file; send one file with each request");
            Problem::new(ErrorCode::MultipleFiles, detail)
        } else {
            let detail = format!("the file is in the part `{name}`; name the part `file`");
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
        let detail = format!("the option `{}` is not UTF-8; send the form as UTF-8", shown(&name));
        Problem::new(ErrorCode::InvalidOption, detail)
    })?;
    Ok((name, value))
}

fn broken(fault: &MultipartError) -> Problem {
    if let MultipartError::Payload(fault) = fault {
        return body::broken(fault);
    }
    if matches!(fault, MultipartError::Incomplete) {
        return Problem::malformed("the form ended before its last boundary; send it again");
    }
    if matches!(fault, MultipartError::BoundaryMissing | MultipartError::ContentTypeParse) {
        return Problem::malformed(
            "the Content-Type of the form has no boundary; let the client set this header",
        );
    }
    Problem::malformed(format!("the form is not valid multipart/form-data: {fault}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::FromRequest;
    use actix_web::test::TestRequest;
    use actix_web::web::Payload;

    use super::*;
    use crate::domain::options::{Mode, OnError};
    use crate::files::DataDir;

    const FILE_PART: (&str, &str) = ("name=\"file\"; filename=\"a.csv\"", "SKU\n1\n");

    /// What a form of the given parts and query gives, and how many files are left on disk.
    async fn read(
        parts: &[(&str, &str)],
        query: &[(&str, &str)],
        limit: u64,
    ) -> (Result<ParsedUpload, String>, usize) {
        let mut text = String::new();
        for (disposition, content) in parts {
            let head = ["--B\r\nContent-Disposition: form-data; ", disposition, "\r\n\r\n"];
            text.extend(head.into_iter().chain([*content, "\r\n"]));
        }
        text += "--B--\r\n";
        let (request, mut payload) = TestRequest::post()
            .insert_header(("content-type", "multipart/form-data; boundary=B"))
            .set_payload(text)
            .to_http_parts();
        let payload = Payload::from_request(&request, &mut payload).await.unwrap();
        let place = tempfile::tempdir().unwrap();
        let data_dir = Arc::new(DataDir::open(place.path()).unwrap());
        let query = query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let target = UploadTarget { data_dir: &data_dir, limit, announced: None };
        let body = UploadBody::new(payload, None);
        let parsed = parse(request.headers(), body, query, target).await;
        let kept = std::fs::read_dir(place.path().join("uploads")).unwrap().count();
        (parsed.map_err(|problem| problem.to_string()), kept)
    }

    async fn refusal(parts: &[(&str, &str)]) -> String {
        read(parts, &[("blank", "keep")], 100).await.0.map(|_| ()).unwrap_err()
    }

    #[actix_web::test]
    async fn options_stand_before_and_after_the_file_and_in_the_query() {
        let parts = [("name=mode", "insert"), FILE_PART, ("name=onError", "abort")];
        let (parsed, kept) = read(&parts, &[("priority", "5")], 100).await;
        let parsed = parsed.unwrap();
        assert_eq!((parsed.options.mode, parsed.options.on_error), (Mode::Insert, OnError::Abort));
        assert_eq!(parsed.options.priority, 5);
        assert_eq!(parsed.file_name.as_deref(), Some("a.csv"));
        assert_eq!((parsed.upload.size, kept), (6, 0), "nothing is kept before the body's end");
    }

    #[actix_web::test]
    async fn a_form_has_exactly_one_file_called_file() {
        assert!(refusal(&[]).await.starts_with("no_file"));
        assert!(refusal(&[("name=mode", "insert")]).await.starts_with("no_file"));
        assert!(refusal(&[FILE_PART, FILE_PART]).await.starts_with("multiple_files"));
        let other = ("name=upload; filename=\"a.csv\"", "x");
        assert_eq!(
            refusal(&[other]).await,
            "no_file: The file is in the part `upload`; name the part `file`."
        );
        assert!(refusal(&[FILE_PART, other]).await.starts_with("multiple_files"));
    }

    #[actix_web::test]
    async fn unknown_and_repeated_options_are_refused_wherever_they_stand() {
        assert!(refusal(&[FILE_PART, ("name=colour", "red")]).await.starts_with("unknown_option"));
        assert!(refusal(&[("name=colour", "red"), FILE_PART]).await.starts_with("unknown_option"));
        assert!(refusal(&[("name=blank", "keep"), FILE_PART]).await.starts_with("invalid_option"));
        let long = "x".repeat(OPTION_BYTES_MAX + 1);
        assert!(refusal(&[("name=mapping", &long)]).await.contains("longer than 16384 bytes"));
        let many = vec![("name=mode", "insert"); UPLOAD_PARTS_MAX + 1];
        assert!(refusal(&many).await.contains("more than 64 parts"));
    }

    #[actix_web::test]
    async fn a_file_that_is_too_large_leaves_nothing_behind() {
        let (parsed, kept) = read(&[FILE_PART], &[], 5).await;
        assert!(parsed.unwrap_err().starts_with("too_large"));
        assert_eq!(kept, 0);
    }
}
