//! A best guess for a few bytes of text, such as the name of a file, which nobody can ask about.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

/// Text of `bytes`: UTF-8 if they are, else in the encoding called `label`, else in `home`, else in the
/// one that they look like. What fits none becomes replacement characters.
#[must_use]
pub fn short_text(bytes: &[u8], label: Option<&str>, home: Option<&str>) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let named = label.into_iter().chain(home);
    let mut named = named.filter_map(|label| Encoding::for_label(label.trim().as_bytes()));
    let encoding = named.next().unwrap_or_else(|| {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, true);
        detector.guess(None, Utf8Detection::Deny)
    });
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_read_in_the_code_page_that_they_look_like() {
        for (bytes, text) in [
            (&b"products.csv"[..], "products.csv"),
            ("gr\u{f6}\u{df}e.csv".as_bytes(), "größe.csv"),
            (b"gr\xF6\xDFe.csv", "größe.csv"),
            (b"Preisliste f\xFCr H\xE4ndler.xlsx", "Preisliste für Händler.xlsx"),
            (b"\xF2\xEE\xE2\xE0\xF0\xFB \xF6\xE5\xED\xFB.csv", "товары цены.csv"),
        ] {
            assert_eq!(short_text(bytes, None, None), text);
        }
        assert_eq!(short_text(b"\xB3\xF3d\xBC.csv", None, Some("windows-1250")), "łódĽ.csv");
        assert_eq!(short_text(b"\xE4.csv", Some("iso-8859-1"), Some("windows-1251")), "ä.csv");
    }
}
