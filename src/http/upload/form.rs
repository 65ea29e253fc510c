//! An upload as `multipart/form-data` (RFC 7578): the field `file`, and options as other fields, in
//! any order.

use actix_web::http::header::HeaderMap;

use super::body::UploadBody;
use super::extra_fields;
use super::headers;
use super::multipart::FormReader;
use super::parsed::{Fields, ParsedFiles, ReceivedFile, UploadTarget};
use crate::domain::error_code::ErrorCode;
use crate::domain::limits::{OPTION_BYTES_MAX, UPLOAD_PARTS_MAX};
use crate::domain::options::Options;
use crate::domain::row_error::shown;
use crate::files::FileError;
use crate::http::problem::Problem;

/// The field with the file.
const FILE: &str = "file";

/// What upload widgets that may send several files call it.
const FILE_LISTS: [&str; 3] = ["file[]", "files", "files[]"];

/// Bytes that a form may add to its file: the options, and the headers of all parts.
const FORM_BYTES_MAX: u64 = 2 << 20;

/// Reads the form to its end. Options may also stand in the query.
pub(super) async fn parse(
    headers: &HeaderMap,
    body: UploadBody,
    query: Vec<(String, String)>,
    target: UploadTarget<'_>,
) -> Result<ParsedFiles, Problem> {
    let UploadTarget { limit, files_max, own_fields, .. } = target;
    if target.announced.is_some_and(|bytes| bytes > limit.saturating_add(FORM_BYTES_MAX)) {
        return Err(FileError::TooLarge { limit }.into());
    }
    let mut options = query;
    let mut fields = Fields::taken_from(&mut options, own_fields);
    let mut files: Vec<ReceivedFile> = Vec::new();
    let mut left = limit;
    let mut form = FormReader::begin(body, &headers::boundary(headers)?).await?;
    let mut parts = 0;
    while let Some(head) = form.next_part().await? {
        parts += 1;
        if parts > UPLOAD_PARTS_MAX + files.len() {
            let detail = format!("the form has more than {UPLOAD_PARTS_MAX} parts");
            return Err(Problem::malformed(detail));
        }
        let name = head.disposition.name(target.home_encoding).unwrap_or_default();
        let file_name = head.disposition.file_name_of_part(target.home_encoding);
        if !is_file(&name, file_name.as_deref()) {
            if file_name.as_deref() == Some("") {
                // A field of the page in which nobody chose a file.
                continue;
            }
            let is_file = file_name.is_some();
            let file_seen = is_file.then_some(!files.is_empty());
            options.extend(option(&mut form, name, file_seen).await?);
            fields.append(Fields::taken_from(&mut options, own_fields));
            continue;
        }
        if files.len() >= files_max {
            return Err(too_many_files(files_max));
        }
        // Faults of these options are reported before the file is read.
        parse_options(&options)?;
        let mut receiver = target.data_dir.receive(left, None)?;
        while let Some(bytes) = form.next_piece().await? {
            // The limit is that of all files together.
            receiver.write(&bytes).await.map_err(|fault| match fault {
                FileError::TooLarge { .. } => FileError::TooLarge { limit },
                fault => fault,
            })?;
        }
        let upload = receiver.finish().await?;
        left = left.saturating_sub(upload.size);
        files.push(ReceivedFile { upload, file_name, media_type: head.media_type });
    }
    let options = parse_options(&options)?;
    if files.is_empty() { Err(no_file()) } else { Ok(ParsedFiles { files, options, fields }) }
}

/// A form without a file.
pub(super) fn no_file() -> Problem {
    Problem::new(ErrorCode::NoFile, "the form has no part `file`; send the file in one")
}

fn too_many_files(files_max: usize) -> Problem {
    if files_max == 1 {
        let detail = "the form has more than one part `file`; send one file with each request";
        return Problem::new(ErrorCode::MultipleFiles, detail);
    }
    let detail = format!("the form has more than {files_max} files; send them in several requests");
    Problem::new(ErrorCode::TooManyFiles, detail)
}

fn parse_options(options: &[(String, String)]) -> Result<Options, Problem> {
    Ok(Options::parse(options.iter().map(|(name, value)| (name.as_str(), value.as_str())))?)
}

fn is_file(name: &str, file_name: Option<&str>) -> bool {
    name == FILE || (file_name.is_some_and(|it| !it.is_empty()) && FILE_LISTS.contains(&name))
}

/// An option as a field of the form; nothing for a field that says nothing. A file in another field is
/// not an unknown option: `file_seen` says of one whether it is the second.
async fn option(
    form: &mut FormReader,
    name: String,
    file_seen: Option<bool>,
) -> Result<Option<(String, String)>, Problem> {
    if let Some(file_seen) = file_seen {
        let name = shown(&name);
        return Err(if file_seen {
            let detail =
                format!("the part `{name}` is a second file; name each part with a file `file`");
            Problem::new(ErrorCode::MultipleFiles, detail)
        } else {
            let detail = format!("the file is in the part `{name}`; name the part `file`");
            Problem::new(ErrorCode::NoFile, detail)
        });
    }
    let is_extra = extra_fields::is_extra(&name);
    let mut bytes = Vec::new();
    while let Some(piece) = form.next_piece().await? {
        if bytes.len() + piece.len() > OPTION_BYTES_MAX {
            let detail =
                format!("the option `{}` is longer than {OPTION_BYTES_MAX} bytes", shown(&name));
            return Err(Problem::new(ErrorCode::InvalidOption, detail));
        }
        bytes.extend_from_slice(&piece);
    }
    if is_extra {
        extra_fields::check(&name, &String::from_utf8_lossy(&bytes))?;
        return Ok(None);
    }
    let value = String::from_utf8(bytes).map_err(|_| {
        let detail = format!("the option `{}` is not UTF-8; send the form as UTF-8", shown(&name));
        Problem::new(ErrorCode::InvalidOption, detail)
    })?;
    Ok(Some((name, value)))
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
    use crate::http::upload::parsed::ParsedUpload;

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
        let target = UploadTarget {
            data_dir: &data_dir,
            limit,
            announced: None,
            files_max: 1,
            own_fields: &[],
            home_encoding: None,
        };
        let body = UploadBody::new(payload, None);
        let parsed = parse(request.headers(), body, query, target).await;
        let parsed = parsed.and_then(|parsed| parsed.single().ok_or_else(no_file));
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
