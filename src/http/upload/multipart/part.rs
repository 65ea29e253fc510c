//! The headers of a part of a form.

use super::line_end::LineEnd;
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::shown;
use crate::files::Disposition;
use crate::http::problem::Problem;

/// What a part says of itself.
#[derive(Debug)]
pub(in crate::http::upload) struct PartHead {
    pub(in crate::http::upload) disposition: Disposition,
    /// Its media type without parameters, in lower case.
    pub(in crate::http::upload) media_type: Option<String>,
}

impl PartHead {
    /// Reads the lines of the headers.
    pub(super) fn parse(head: &[u8], line_end: LineEnd) -> Result<Self, Problem> {
        let (mut disposition, mut media_type) = (None, None);
        for (name, value) in headers(head, line_end) {
            match name.as_slice() {
                b"content-disposition" => disposition = Some(Disposition::parse(&value)),
                b"content-type" => {
                    let text = String::from_utf8_lossy(&value);
                    let essence = text.split(';').next().unwrap_or_default().trim();
                    media_type = Some(essence.to_ascii_lowercase()).filter(|it| !it.is_empty());
                }
                b"content-transfer-encoding" => check_transfer_encoding(&value)?,
                _ => {}
            }
        }
        let Some(disposition) = disposition else {
            let detail = "a part of the form has no Content-Disposition; write it like \
                          Content-Disposition: form-data; name=\"file\"; filename=\"products.csv\"";
            return Err(Problem::malformed(detail));
        };
        Ok(Self { disposition, media_type })
    }
}

/// Names in lower case, and values; a line that begins with a blank continues the one before.
fn headers(head: &[u8], line_end: LineEnd) -> Vec<(Vec<u8>, Vec<u8>)> {
    let last = line_end.as_bytes().last().copied().unwrap_or(b'\n');
    let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for line in head.split(|byte| *byte == last) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let (Some(b' ' | b'\t'), Some((_, value))) = (line.first(), found.last_mut()) {
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        found.push((name.trim_ascii().to_ascii_lowercase(), value.trim_ascii().to_vec()));
    }
    found
}

/// Parts of mail may be encoded; forms must not be (RFC 7578, 4.7).
fn check_transfer_encoding(value: &[u8]) -> Result<(), Problem> {
    let word = String::from_utf8_lossy(value).to_ascii_lowercase();
    if matches!(word.as_str(), "binary" | "8bit" | "7bit" | "") {
        return Ok(());
    }
    let detail = format!(
        "a part of the form has the Content-Transfer-Encoding `{}`; send its bytes as they are",
        shown(&word)
    );
    Err(Problem::new(ErrorCode::UnsupportedFormat, detail))
}
