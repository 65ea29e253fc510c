//! The name under which an upload is shown. It never becomes a path: files lie under their own ids.

use crate::domain::limits::FILE_NAME_CHARS;

/// The last part of the name that the client sent, without control and direction characters, at most
/// 200 characters with its extension kept; else a name made of the dataset's.
pub(super) fn shown_name(sent: Option<&str>, dataset: &str, media_type: Option<&str>) -> String {
    let cleaned = sent.map(clean).filter(|name| !name.is_empty());
    cleaned.unwrap_or_else(|| format!("{dataset}.{}", extension(media_type)))
}

fn clean(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control() && !is_invisible(*c)).collect();
    let name = name.trim();
    if matches!(name, "." | "..") { String::new() } else { shorten(name) }
}

/// Characters that change the direction of the text around them, or that nobody sees.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}')
}

fn shorten(name: &str) -> String {
    if name.chars().count() <= FILE_NAME_CHARS {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let extension = if extension.chars().count() > 10 { "" } else { extension };
    let room = FILE_NAME_CHARS - extension.chars().count() - 1;
    let stem: String = name.chars().take(room).collect();
    if extension.is_empty() { stem } else { format!("{stem}.{extension}") }
}

fn extension(media_type: Option<&str>) -> &'static str {
    match media_type {
        Some("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet") => "xlsx",
        Some("application/vnd.ms-excel.sheet.macroenabled.12") => "xlsm",
        Some("application/vnd.ms-excel.sheet.binary.macroenabled.12") => "xlsb",
        Some("application/vnd.ms-excel") => "xls",
        Some("application/vnd.oasis.opendocument.spreadsheet") => "ods",
        Some("text/tab-separated-values") => "tsv",
        Some("text/csv" | "text/plain" | "application/csv") => "csv",
        // An extension that says something else than the content would make a lie of ours.
        _ => "upload",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &str, shown: &str) {
        assert_eq!(shown_name(Some(sent), "products", None), shown);
    }

    #[test]
    fn paths_and_invisible_characters_are_taken_away() {
        check("../../etc/passwd.csv", "passwd.csv");
        check("C:\\fakepath\\größe list.xlsx", "größe list.xlsx");
        check("a\u{202e}vsc.exe\0\n.csv", "avsc.exe.csv");
        check(" \u{feff}x.csv ", "x.csv");
        check("CON", "CON");
    }

    #[test]
    fn a_name_that_is_none_is_made_up() {
        for sent in ["", "/", "..", "a/", "\u{200b}"] {
            check(sent, "products.upload");
        }
        assert_eq!(shown_name(None, "products", Some("text/csv")), "products.csv");
        let ods = "application/vnd.oasis.opendocument.spreadsheet";
        assert_eq!(shown_name(Some(""), "dealers", Some(ods)), "dealers.ods");
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let shown = shown_name(Some(&format!("{}.xlsx", "ä".repeat(5000))), "products", None);
        assert_eq!(shown.chars().count(), FILE_NAME_CHARS);
        assert!(shown.ends_with("ä.xlsx"));
        let shown = shown_name(Some(&"b".repeat(5000)), "products", None);
        assert_eq!(shown.chars().count(), FILE_NAME_CHARS - 1);
    }
}
