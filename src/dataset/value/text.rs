//! Texts: trimmed, in NFC, free of what databases refuse and people cannot see.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A character that a text may not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum TextFault {
    /// U+0000, which PostgreSQL cannot store.
    Nul,
    /// Another control character; in a key also tabs, line breaks and invisible characters.
    Control(char),
}

/// `raw` without white space around it, in NFC; `scratch` is used only when that changes a letter.
///
/// A tab or line break inside a text belongs to it. In a key it does not, and neither do zero-width
/// and bidirectional marks: two keys that look the same must be the same.
pub(in crate::dataset) fn clean<'a>(
    raw: &'a str,
    is_key: bool,
    scratch: &'a mut String,
) -> Result<&'a str, TextFault> {
    let text = trimmed(raw);
    // Without an early end, so that the compiler looks at many bytes at a time.
    if text.bytes().fold(true, |plain, byte| plain & matches!(byte, 0x20..=0x7e)) {
        return Ok(text);
    }
    if let Some(bad) = text.chars().find(|c| is_refused(*c, is_key)) {
        return Err(if bad == '\0' { TextFault::Nul } else { TextFault::Control(bad) });
    }
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Ok(text);
    }
    scratch.clear();
    scratch.extend(text.nfc());
    Ok(scratch.trim())
}

/// `raw` without Unicode white space around it; quick when there is none.
pub(in crate::dataset) fn trimmed(raw: &str) -> &str {
    let bytes = raw.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(0x21..=0x7e), Some(0x21..=0x7e)) => raw,
        _ => raw.trim(),
    }
}

fn is_refused(c: char, is_key: bool) -> bool {
    match c {
        '\t' | '\n' | '\r' => is_key,
        _ => c.is_control() || (is_key && is_invisible(c)),
    }
}

/// Zero-width characters, bidirectional marks, the soft hyphen: present, but not to be seen.
pub(in crate::dataset) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

/// True when `text` has more than `most` characters.
pub(in crate::dataset) fn is_longer(text: &str, most: u32) -> bool {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    text.len() > most && text.chars().nth(most).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, is_key: bool, expected: Result<&str, TextFault>) {
        assert_eq!(clean(raw, is_key, &mut String::new()), expected, "{raw:?}");
    }

    #[test]
    fn texts_are_trimmed_and_composed() {
        check("  Acid fluor. ", false, Ok("Acid fluor."));
        check("\u{a0}\u{3000}a\u{2003}", false, Ok("a"));
        check("Cafe\u{301}", true, Ok("Café"));
        check("\u{212b}", false, Ok("Å"));
        check("\u{7}", false, Err(TextFault::Control('\u{7}')));
        check("   ", true, Ok(""));
    }

    #[test]
    fn only_a_key_refuses_line_breaks_and_invisible_characters() {
        check("two\nlines\tand a tab", false, Ok("two\nlines\tand a tab"));
        check("two\nlines", true, Err(TextFault::Control('\n')));
        check("a\u{200b}b", false, Ok("a\u{200b}b"));
        check("a\u{200b}b", true, Err(TextFault::Control('\u{200b}')));
        check("a\u{202e}b", true, Err(TextFault::Control('\u{202e}')));
        check("a\0b", false, Err(TextFault::Nul));
        check("a\u{85}b", false, Err(TextFault::Control('\u{85}')));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(!is_longer("äöü", 3));
        assert!(is_longer("äöü", 2));
        assert!(!is_longer("", 0));
    }
}
