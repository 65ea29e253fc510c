//! An upload whose body is the file itself.

use actix_web::http::header::HeaderMap;

use super::body::{self, UploadBody};
use super::headers;
use super::parsed::{ParsedUpload, UploadTarget};
use crate::domain::options::Options;
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
    let mut receiver = target.data_dir.receive(target.limit, target.announced)?;
    while let Some(bytes) = body::next(&mut body).await? {
        receiver.write(&bytes.map_err(|fault| body::broken(&fault))?).await?;
    }
    Ok(ParsedUpload {
        upload: receiver.finish().await?,
        file_name: named.or_else(|| headers::file_name(headers)),
        media_type,
        options,
    })
}
