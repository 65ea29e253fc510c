//! What the name and the media type of an upload say about its format. They decide nothing, but a
//! file that is called something else than it is was probably sent by mistake.

use super::error::ReadError;
use crate::domain::detected::Format;
use crate::domain::row_error::shown;

/// Refuses a name or a media type that contradicts the content.
pub(crate) fn check(
    file_name: &str,
    media_type: Option<&str>,
    content: Format,
) -> Result<(), ReadError> {
    let by_name = by_name(file_name).map(|claimed| ("file name", file_name, claimed));
    let by_type = media_type.and_then(|name| Some(("media type", name, by_media_type(name)?)));
    for (what, name, claimed) in by_name.into_iter().chain(by_type) {
        if claimed != content {
            return Err(mismatch(format!("the {what} `{}`", shown(name)), claimed, content));
        }
    }
    Ok(())
}

fn mismatch(claimed: String, expected: Format, found: Format) -> ReadError {
    ReadError::Mismatch { claimed, expected: spoken(expected), found: spoken(found) }
}

/// The format with its article.
pub(crate) fn spoken(format: Format) -> &'static str {
    match format {
        Format::Csv => "text (CSV)",
        Format::Xlsx => "an XLSX workbook",
        Format::Xlsb => "an XLSB workbook",
        Format::Xls => "an XLS workbook",
        Format::Ods => "an ODS spreadsheet",
    }
}

/// The extensions of the files that can be read, for those who choose one. Rare kinds of the same
/// formats are taken too.
pub const EXTENSIONS: [&str; 8] =
    [".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"];

fn by_name(file_name: &str) -> Option<Format> {
    let (_, extension) = file_name.rsplit_once('.')?;
    Some(match extension.trim().to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "tab" | "txt" => Format::Csv,
        "xlsx" | "xlsm" | "xltx" | "xltm" => Format::Xlsx,
        "xlsb" => Format::Xlsb,
        "xls" | "xlt" => Format::Xls,
        "ods" | "ots" => Format::Ods,
        _ => return None,
    })
}

/// `application/vnd.ms-excel` says nothing: browsers on machines with Excel send it for CSV, and
/// programs for every kind of workbook. `text/plain` is what many clients send for everything.
fn by_media_type(media_type: &str) -> Option<Format> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match essence.as_str() {
        "text/csv"
        | "application/csv"
        | "text/x-csv"
        | "application/x-csv"
        | "text/comma-separated-values"
        | "text/tab-separated-values" => Format::Csv,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        | "application/vnd.openxmlformats-officedocument.spreadsheetml.template"
        | "application/vnd.ms-excel.sheet.macroenabled.12"
        | "application/vnd.ms-excel.template.macroenabled.12" => Format::Xlsx,
        "application/vnd.ms-excel.sheet.binary.macroenabled.12" => Format::Xlsb,
        "application/vnd.oasis.opendocument.spreadsheet"
        | "application/vnd.oasis.opendocument.spreadsheet-template" => Format::Ods,
        _ => return None,
    })
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
        ] {
            assert!(check(name, media_type, content).is_ok(), "{name} {media_type:?}");
        }
    }

    #[test]
    fn every_extension_that_is_offered_is_known() {
        assert!(EXTENSIONS.iter().all(|extension| by_name(extension).is_some()));
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
