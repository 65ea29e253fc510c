//! An upload whose body is the file itself.

use actix_web::http::header::HeaderMap;

use super::body::{self, UploadBody};
use super::headers;
use super::parsed::{ParsedUpload, UploadTarget};
use crate::domain::options::Options;
use crate::domain::row_error::shown;
use crate::http::problem::Problem;

/// The query parameter with the file's name.
const FILE_NAME: &str = "fileName";

/// Reads the file and its name; all options stand in the query.
pub(super) async fn parse(
    headers: &HeaderMap,
    mut body: UploadBody,
    mut query: Vec<(String, String)>,
    media_type: Option<String>,
    target: UploadTarget<'_>,
) -> Result<ParsedUpload, Problem> {
    let named = query.iter().position(|(name, _)| name == FILE_NAME);
    let named = named.map(|index| query.remove(index).1);
    let options = Options::parse(query.iter().map(|(n, v)| (n.as_str(), v.as_str())))?;
    let mut has_begun = false;
    let mut receiver = target.data_dir.receive(target.limit, target.announced)?;
    while let Some(bytes) = body::next(&mut body).await? {
        let bytes = bytes.map_err(|fault| body::broken(&fault))?;
        if !std::mem::replace(&mut has_begun, true) {
            refuse_form(&bytes, media_type.as_deref())?;
        }
        receiver.write(&bytes).await?;
    }
    Ok(ParsedUpload {
        upload: receiver.finish().await?,
        file_name: named.or_else(|| headers::file_name(headers, target.home_encoding)),
        media_type,
        options,
    })
}

/// A form under another Content-Type would be read as a file of odd rows.
fn refuse_form(start: &[u8], media_type: Option<&str>) -> Result<(), Problem> {
    let mut lines = start.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|it| !it.is_empty());
    let is_boundary = lines.next().is_some_and(|line| line.starts_with(b"--"));
    let header = b"content-disposition: form-data";
    let is_header = |line: &[u8]| {
        line.get(..header.len()).is_some_and(|start| start.eq_ignore_ascii_case(header))
    };
    if !is_boundary || !lines.next().is_some_and(is_header) {
        return Ok(());
    }
    let named = media_type
        .map_or_else(|| "has none".to_owned(), |media_type| format!("is `{}`", shown(media_type)));
    Err(Problem::malformed(format!(
        "the body is a form, but its Content-Type {named}; let the client set this header"
    )))
}
