//! The shown name of a file. It never becomes a path: files lie under their own ids.

use crate::domain::limits::FILE_NAME_CHARS;
use crate::reader;

/// The last part of the name that the client sent, without control and direction characters, at most
/// 200 characters with its extension kept; else a name made of the dataset's.
#[must_use]
pub fn shown_name(sent: Option<&str>, dataset: &str, media_type: Option<&str>) -> String {
    let cleaned = sent.map(clean).filter(|name| !name.is_empty());
    cleaned.unwrap_or_else(|| format!("{dataset}{}", ending(media_type)))
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

/// The ending of a name that is made up. One that says something else than the content would be a
/// mismatch of our own making.
fn ending(media_type: Option<&str>) -> &'static str {
    media_type.and_then(reader::ending_of_media_type).unwrap_or(".upload")
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
