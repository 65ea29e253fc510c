//! `Content-Disposition` (RFC 6266, RFC 7578) as programs write it: names in the code page of their
//! system, paths of Windows, quotation marks as they come. Knows no body.

use percent_encoding::percent_decode;

use crate::reader::short_text;

/// The parameters that an upload needs, as bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Disposition {
    name: Option<Vec<u8>>,
    file_name: Option<Vec<u8>>,
    extended: Option<ExtendedName>,
}

/// `filename*=iso-8859-1'en'%A3%20rates`.
#[derive(Debug, PartialEq, Eq)]
struct ExtendedName {
    charset: String,
    bytes: Vec<u8>,
}

impl Disposition {
    /// Reads the value of the header. What cannot be read is left out.
    #[must_use]
    pub fn parse(value: &[u8]) -> Self {
        let mut found = Self::default();
        let Some(start) = value.iter().position(|byte| *byte == b';') else { return found };
        let mut rest = value.get(start..).unwrap_or_default();
        while let Some((name, value, behind)) = parameter(rest) {
            rest = behind;
            match name.to_ascii_lowercase().as_slice() {
                b"name" => found.name = found.name.or(Some(value)),
                b"filename" => found.file_name = found.file_name.or(Some(value)),
                b"filename*" => found.extended = found.extended.or_else(|| extended(&value)),
                _ => {}
            }
        }
        found
    }

    /// The name of the field of a form.
    #[must_use]
    pub fn name(&self, home: Option<&str>) -> Option<String> {
        self.name.as_deref().map(|bytes| short_text(bytes, None, home))
    }

    /// The file name; the extended form wins (RFC 6266, 4.3).
    #[must_use]
    pub fn file_name(&self, home: Option<&str>) -> Option<String> {
        match (&self.extended, &self.file_name) {
            (Some(ExtendedName { charset, bytes }), _) => {
                Some(short_text(bytes, Some(charset), home))
            }
            (None, bytes) => bytes.as_deref().map(|bytes| short_text(bytes, None, home)),
        }
    }

    /// The file name of a part of a form. Browsers and curl write quotation marks and line breaks in it
    /// as `%22`, `%0D` and `%0A`, and nothing else (HTML Standard, 4.10.21.8 Multipart form data).
    #[must_use]
    pub fn file_name_of_part(&self, home: Option<&str>) -> Option<String> {
        let name = self.file_name(home)?;
        if self.extended.is_some() {
            return Some(name);
        }
        Some(name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
    }
}

/// The value of a parameter of a header such as `multipart/form-data; boundary=x`.
#[must_use]
pub fn parameter_named(value: &[u8], wanted: &str) -> Option<Vec<u8>> {
    let start = value.iter().position(|byte| *byte == b';')?;
    let mut rest = value.get(start..)?;
    while let Some((name, value, behind)) = parameter(rest) {
        if name.eq_ignore_ascii_case(wanted.as_bytes()) {
            return Some(value);
        }
        rest = behind;
    }
    None
}

/// The next `; name=value`: its name, its value and what is behind it.
fn parameter(text: &[u8]) -> Option<(&[u8], Vec<u8>, &[u8])> {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b";").unwrap_or(text).trim_ascii_start();
    let end = text.iter().position(|byte| matches!(byte, b'=' | b';'))?;
    let (name, rest) = text.split_at_checked(end)?;
    let Some(rest) = rest.strip_prefix(b"=") else {
        return Some((name.trim_ascii(), Vec::new(), rest));
    };
    let rest = rest.trim_ascii_start();
    let (value, behind) = if let Some(rest) = rest.strip_prefix(b"\"") {
        quoted(rest)
    } else {
        let end = rest.iter().position(|byte| *byte == b';').unwrap_or(rest.len());
        let (value, behind) = rest.split_at_checked(end)?;
        (value.trim_ascii_end().to_vec(), behind)
    };
    Some((name.trim_ascii(), value, behind))
}

/// A value up to its closing quotation mark. A backslash escapes only that mark and itself: in
/// `C:\Users\me` it is none of these.
fn quoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [b'"', behind @ ..] => return (value, behind),
            [b'\\', escaped @ (b'"' | b'\\'), behind @ ..] => {
                value.push(*escaped);
                behind
            }
            [byte, behind @ ..] => {
                value.push(*byte);
                behind
            }
            [] => return (value, rest),
        };
    }
}

fn extended(value: &[u8]) -> Option<ExtendedName> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let charset = String::from_utf8(parts.next()?.to_vec()).ok()?;
    let text = parts.nth(1)?;
    Some(ExtendedName { charset, bytes: percent_decode(text).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &[u8], name: &str) {
        let found = Disposition::parse(value).file_name_of_part(None);
        assert_eq!(found.as_deref(), Some(name), "{}", String::from_utf8_lossy(value));
    }

    #[test]
    fn names_are_read_as_programs_write_them() {
        check(b"form-data; name=\"file\"; filename=\"a.csv\"", "a.csv");
        check(b"form-data; name=file; FileName = a b.csv ; x=y", "a b.csv");
        check(
            b"form-data; filename=\"C:\\Users\\me\\p.csv\"; name=\"file\"",
            "C:\\Users\\me\\p.csv",
        );
        check(b"form-data; filename=\"C:\\\\Users\\\\p.csv\"", "C:\\Users\\p.csv");
        check(b"form-data; filename=\"5\\\" pipes; all.csv\"", "5\" pipes; all.csv");
        check(b"form-data; filename=\"gr\xF6\xDFe.csv\"", "größe.csv");
        check("form-data; filename=\"größe.csv\"".as_bytes(), "größe.csv");
        check(
            b"form-data; filename=\"5%22 pipes%0D%0A100%25 %2F.csv\"",
            "5\" pipes\r\n100%25 %2F.csv",
        );
        check(b"form-data; filename=\"open.csv", "open.csv");
    }

    #[test]
    fn the_extended_name_wins_in_its_own_encoding() {
        check(
            b"form-data; filename=\"x.csv\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%22.csv",
            "größe\".csv",
        );
        check(b"form-data; filename*=iso-8859-1'en'%A3%20rates.csv; filename=x", "£ rates.csv");
        check(b"form-data; filename*=UTF-8''a%2522.csv", "a%22.csv");
        check(b"form-data; filename*=nonsense; filename=x.csv", "x.csv");
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        for value in [&b"form-data"[..], b"", b";", b"form-data; name", b"attachment;;=;"] {
            let found = Disposition::parse(value);
            assert_eq!(found.file_name(None), None);
        }
        assert_eq!(Disposition::parse(b"form-data; name=\"a\"").name(None).as_deref(), Some("a"));
    }
}
