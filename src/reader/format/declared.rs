//! The format that the name and the media type of an upload declare. They decide nothing, but a file
//! that is called something else than it is was probably sent by mistake.

use super::{FORMATS, FileFormat, by_id};
use crate::domain::detected::Format;
use crate::domain::row_error::shown;
use crate::reader::error::ReadError;

/// The format that the name declares, else the one that the media type declares.
pub(in crate::reader) fn declared(file_name: &str, media_type: Option<&str>) -> Option<Format> {
    by_name(file_name).or_else(|| by_media_type(media_type?))
}

/// Refuses a name or a media type that contradicts the content.
pub(in crate::reader) fn check(
    file_name: &str,
    media_type: Option<&str>,
    content: Format,
) -> Result<(), ReadError> {
    let by_name = by_name(file_name).map(|claimed| ("file name", file_name, claimed));
    let by_type = media_type.and_then(|name| Some(("media type", name, by_media_type(name)?)));
    for (what, name, claimed) in by_name.into_iter().chain(by_type) {
        if claimed != content && !(is_json(claimed) && is_json(content)) {
            return Err(ReadError::Mismatch {
                claimed: format!("the {what} `{}`", shown(name)),
                expected: by_id(claimed).name(),
                found: by_id(content).name(),
            });
        }
    }
    Ok(())
}

/// Both are called JSON by many programs.
fn is_json(format: Format) -> bool {
    matches!(format, Format::Json | Format::Ndjson)
}

pub(in crate::reader) fn by_name(file_name: &str) -> Option<Format> {
    let (_, ending) = file_name.rsplit_once('.')?;
    let ending = ending.trim();
    let has_ending = |format: &&dyn FileFormat| {
        let mut known = format.endings().iter().chain(format.rare_endings());
        known.any(|known| known.get(1..).is_some_and(|known| known.eq_ignore_ascii_case(ending)))
    };
    FORMATS.into_iter().find(has_ending).map(FileFormat::id)
}

fn by_media_type(media_type: &str) -> Option<Format> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let is_of = |format: &&dyn FileFormat| {
        let mut known = format.media_types().iter().filter(|known| known.is_certain);
        known.any(|known| known.name.eq_ignore_ascii_case(essence))
    };
    FORMATS.into_iter().find(is_of).map(FileFormat::id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    #[test]
    fn names_that_fit_are_taken() {
        for (name, media_type, content) in [
            ("a.csv", Some("text/csv; charset=utf-8"), Format::Csv),
            ("a.csv", Some("application/vnd.ms-excel"), Format::Csv),
            ("a.TXT", Some("text/plain"), Format::Csv),
            ("a.tsv", None, Format::Csv),
            ("upload", Some("application/octet-stream"), Format::Xls),
            ("prices.2026", None, Format::Csv),
            ("a.xlsm", Some(XLSX), Format::Xlsx),
            ("", Some(""), Format::Ods),
            ("a.json", Some("application/json"), Format::Ndjson),
            ("a.ndjson", None, Format::Json),
        ] {
            assert!(check(name, media_type, content).is_ok(), "{name} {media_type:?}");
        }
    }

    #[test]
    fn names_that_lie_are_refused_with_both() {
        for (name, media_type, content, text) in [
            (
                "a.xlsx",
                None,
                Format::Csv,
                "the file name `a.xlsx` says an XLSX workbook, but the content is text (CSV)",
            ),
            (
                "a.csv",
                None,
                Format::Xlsx,
                "the file name `a.csv` says text (CSV), but the content is an XLSX workbook",
            ),
            (
                "a.xls",
                None,
                Format::Xlsx,
                "the file name `a.xls` says an XLS workbook, but the content is an XLSX workbook",
            ),
            (
                "a",
                Some("text/csv"),
                Format::Xlsx,
                "the media type `text/csv` says text (CSV), but the content is an XLSX workbook",
            ),
        ] {
            let refused = check(name, media_type, content).unwrap_err();
            assert_eq!(refused.to_string(), text);
            assert_eq!(refused.code().as_str(), "format_mismatch");
        }
    }
}
