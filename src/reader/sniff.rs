//! What a file is, by its first bytes. Only the archive formats are left open here: what is inside
//! a ZIP or a compound file is looked up by the child process.

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Text, as far as its bytes show.
    Text,
    /// A ZIP archive: perhaps XLSX, XLSB or ODS.
    Zip,
    /// A compound file: perhaps XLS, perhaps an encrypted workbook.
    Compound,
    /// Something that cannot be imported, with its article.
    Other(&'static str),
}

/// First bytes that are those of no format we read.
const OTHERS: &[(&[u8], &str)] = &[
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xFF\xD8\xFF", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1F\x8B", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xFD7zXZ\0", "an xz archive"),
    (b"\x28\xB5\x2F\xFD", "a Zstandard archive"),
    (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive"),
    (b"Rar!\x1A\x07", "a RAR archive"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7FELF", "a program"),
    (b"MZ\x90\0", "a program"),
    (b"ID;P", "a SYLK file"),
    (b"TABLE\r\n0,1", "a DIF file"),
    (b"TABLE\n0,1", "a DIF file"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x09\x00\x04\x00", "a workbook of Excel 2"),
    (b"\x09\x02\x06\x00", "a workbook of Excel 3"),
    (b"\x09\x04\x06\x00", "a workbook of Excel 4"),
    (b"\x09\x08\x08\x00", "a bare stream of Excel 5"),
    (b"\x00\x00\x02\x00\x06\x04", "a Lotus 1-2-3 worksheet"),
    (b"\x00\x00\x1A\x00", "a Lotus 1-2-3 worksheet"),
];

/// Tags at the start of mark-up that spreadsheet programs save under the name `.xls`.
const MARKUP: &[(&str, &str)] = &[
    ("<!doctype html", "an HTML page"),
    ("<html", "an HTML page"),
    ("<head", "an HTML page"),
    ("<meta", "an HTML page"),
    ("<table", "an HTML table"),
    ("<?xml", "an XML document"),
    ("<workbook", "an XML document"),
    ("<!doctype", "an XML document"),
];

/// Says what a file is that starts with `head`.
pub(crate) fn content(head: &[u8]) -> Content {
    if head.starts_with(b"PK\x03\x04") {
        return Content::Zip;
    }
    if head.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Content::Compound;
    }
    for (magic, name) in OTHERS {
        if head.starts_with(magic) {
            return Content::Other(name);
        }
    }
    if head.get(257..262) == Some(b"ustar") {
        return Content::Other("a tar archive");
    }
    if is_dbase(head) {
        return Content::Other("a dBASE table");
    }
    if let Some(name) = markup(head) {
        return Content::Other(name);
    }
    if is_binary(head) { Content::Other("binary data of an unknown kind") } else { Content::Text }
}

fn markup(head: &[u8]) -> Option<&'static str> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let (_, name) = MARKUP.iter().find(|(tag, _)| {
        head.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    })?;
    let excel = b"urn:schemas-microsoft-com:office:spreadsheet";
    if memchr::memmem::find(head, excel).is_some() && *name == "an XML document" {
        return Some("an XML spreadsheet of Excel 2003");
    }
    Some(name)
}

/// dBASE: a version byte, the date of the last change, and a header of 32-byte fields that ends
/// with 0x0D.
fn is_dbase(head: &[u8]) -> bool {
    let [version, _, month, day, _, _, _, _, low, high, ..] = head else { return false };
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    matches!(version, 0x03 | 0x04 | 0x30 | 0x31 | 0x83 | 0x8B | 0xF5)
        && (1..=12).contains(month)
        && (1..=31).contains(day)
        && length >= 65
        && length
            .checked_sub(1)
            .and_then(|last| head.get(last))
            .is_none_or(|byte| *byte == 0x0D || length % 32 != 1)
}

/// Control characters that no text holds in numbers. A few may stand in the cells of a text: those
/// are faults of their rows. NULs tell nothing, since UTF-16 is full of them.
fn is_binary(head: &[u8]) -> bool {
    let control = |byte: &&u8| matches!(**byte, 1..=8 | 0x0E..=0x1A | 0x1C..=0x1F | 0x7F);
    let controls = head.iter().filter(control).count();
    let nuls = memchr::memchr_iter(0, head).count();
    let percent = if head.len() < 512 { 30 } else { 5 };
    controls * 100 > head.len() * percent || nuls * 100 > head.len() * 70
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_table_is_named() {
        for (head, name) in [
            (&b"%PDF-1.7"[..], "a PDF document"),
            (b"\x89PNG\r\n\x1a\n", "a PNG image"),
            (b"\x1f\x8b\x08\0", "a gzip archive"),
            (b"  \n<HTML><body>", "an HTML page"),
            (b"\xEF\xBB\xBF<table>", "an HTML table"),
            (b"<?xml version=\"1.0\"?><a/>", "an XML document"),
            (
                b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'",
                "an XML spreadsheet of Excel 2003",
            ),
            (b"ID;PWXL;N;E", "a SYLK file"),
        ] {
            assert_eq!(content(head), Content::Other(name));
        }
        let mut dbase = vec![3, 126, 11, 22, 1, 0, 0, 0, 65, 0];
        dbase.resize(64, 0);
        dbase.extend(b"\x0DA");
        assert_eq!(content(&dbase), Content::Other("a dBASE table"));
        let noise: Vec<u8> = (0..4096_u32).map(|n| (n * n % 251) as u8).collect();
        assert!(matches!(content(&noise), Content::Other(_)));
    }

    #[test]
    fn text_stays_text() {
        for head in [
            &b"sku,name\n1,a\n"[..],
            b"s\0k\0u\0,\0",
            b"<sku>,name",
            b"sku,name\nA\0,x\n",
            b"\xEF\xBB\xBFsku",
            b"K\xE4se;\x80",
            b"",
        ] {
            assert_eq!(content(head), Content::Text, "{head:?}");
        }
    }
}
