//! Texts: trimmed, in NFC, free of what databases refuse and people cannot see. In keys and names
//! what looks the same becomes the same.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A character that a text may not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum TextFault {
    /// U+0000, which PostgreSQL cannot store.
    Nul,
    /// Another control character; in a key also tabs, line breaks and invisible characters.
    Control(char),
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum TextRole {
    /// Read by people: it stays as it is written.
    Text,
    /// Compared with others: the name of a record, one of the values that a column takes.
    Name,
    /// Compared with others, and it decides which record a row is.
    Key,
}

/// A text as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) struct CleanText<'a> {
    /// The text.
    pub(in crate::dataset) text: &'a str,
    /// A key or name that was written with other characters that look like these.
    pub(in crate::dataset) is_folded: bool,
}

/// `raw` without white space around it, in NFC; `scratch` is used only when that changes a letter.
///
/// In a name and a key each run of white space becomes one blank, hyphens and dashes become `-`,
/// and full-width characters the plain ones. Characters that cannot be seen are dropped from a name.
/// They fail a key, and so do tabs and line breaks: a record that is found by its key is worth a
/// second look.
pub(in crate::dataset) fn clean<'a>(
    raw: &'a str,
    role: TextRole,
    scratch: &'a mut String,
) -> Result<CleanText<'a>, TextFault> {
    let text = trimmed(raw);
    let as_it_is = CleanText { text, is_folded: false };
    // Without an early end, so that the compiler looks at many bytes at a time.
    if text.bytes().fold(true, |plain, byte| plain & matches!(byte, 0x20..=0x7e))
        && (role == TextRole::Text || !has_run_of_blanks(text))
    {
        return Ok(as_it_is);
    }
    if let Some(bad) = text.chars().find(|c| is_refused(*c, role)) {
        return Err(if bad == '\0' { TextFault::Nul } else { TextFault::Control(bad) });
    }
    if role != TextRole::Text && (has_run_of_blanks(text) || text.chars().any(is_folded)) {
        fold(text, scratch);
        let folded = scratch.trim_end();
        return Ok(CleanText { text: folded, is_folded: folded != text });
    }
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Ok(as_it_is);
    }
    scratch.clear();
    scratch.extend(text.nfc());
    Ok(CleanText { text: scratch.trim(), is_folded: false })
}

fn has_run_of_blanks(text: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| pair == b"  ")
}

/// `raw` without Unicode white space around it; quick when there is none.
pub(in crate::dataset) fn trimmed(raw: &str) -> &str {
    let bytes = raw.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(0x21..=0x7e), Some(0x21..=0x7e)) => raw,
        _ => raw.trim(),
    }
}

fn is_refused(c: char, role: TextRole) -> bool {
    match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => role == TextRole::Key,
        _ => c.is_control() || (role == TextRole::Key && is_invisible(c)),
    }
}

/// True for a character that stands for another one, or for none, in names and keys.
fn is_folded(c: char) -> bool {
    look_of(c) != Some(c)
}

/// The plain character that `c` looks like; `None` for one that cannot be seen.
fn look_of(c: char) -> Option<char> {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Some('-'),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        _ if c.is_whitespace() => Some(' '),
        _ if is_invisible(c) => None,
        _ => Some(c),
    }
}

/// Writes `text` to `out` as it looks, in NFC.
fn fold(text: &str, out: &mut String) {
    // A blank in front of the first letter is dropped like one behind another blank.
    let mut last = ' ';
    let plain = |c: char| {
        // Scripts from U+0600 on are written with joiners; there they change the letters.
        let joins = matches!(c, '\u{200c}' | '\u{200d}') && last >= '\u{600}';
        let look = if joins { Some(c) } else { look_of(c) };
        let kept = look.filter(|look| *look != ' ' || last != ' ');
        last = kept.unwrap_or(last);
        kept
    };
    out.clear();
    out.extend(text.chars().filter_map(plain).nfc());
}

/// Zero-width characters, bidirectional marks, the soft hyphen and the like: present, but not to be
/// seen.
pub(in crate::dataset) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// True when `text` has more than `most` characters.
pub(in crate::dataset) fn is_longer(text: &str, most: u32) -> bool {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    text.len() > most && text.chars().nth(most).is_some()
}

/// True for `4.00638E+12` and `4,00638E+12`: how a spreadsheet shows, and writes to text files, a
/// long number of which it keeps the first digits.
pub(in crate::dataset) fn is_exponent_form(text: &str) -> bool {
    let [first, second, rest @ ..] = text.as_bytes() else { return false };
    // Most texts end here.
    if !matches!(first, b'1'..=b'9') || !matches!(second, b'.' | b',' | b'e' | b'E') {
        return false;
    }
    let is_digits = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    let exponent = |bytes: &[u8]| match bytes {
        [b'+', digits @ ..] => matches!(digits.len(), 2 | 3) && is_digits(digits),
        _ => false,
    };
    if matches!(second, b'e' | b'E') {
        return exponent(rest);
    }
    let mut parts = rest.splitn(2, |byte| matches!(byte, b'e' | b'E'));
    let (digits, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    is_digits(digits) && exponent(rest)
}

/// True when `text` holds a character as HTML writes it: `&amp;`, `&#039;`, `&eacute;`.
pub(in crate::dataset) fn has_entity(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let name = text.get(at + 1..).and_then(|rest| rest.split_once(';')).map(|(name, _)| name);
        let is = |name: &str, of: fn(&u8) -> bool| {
            (1..=8).contains(&name.len()) && name.as_bytes().iter().all(of)
        };
        name.is_some_and(|name| match name.strip_prefix('#') {
            Some(number) => match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => is(hexadecimal, u8::is_ascii_hexdigit),
                None => is(number, u8::is_ascii_digit),
            },
            None => name.len() > 1 && is(name, u8::is_ascii_alphanumeric),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use TextRole::{Key, Name, Text};

    #[track_caller]
    fn check(raw: &str, role: TextRole, expected: Result<&str, TextFault>) {
        let mut scratch = String::new();
        assert_eq!(clean(raw, role, &mut scratch).map(|it| it.text), expected, "{raw:?}");
    }

    #[test]
    fn texts_are_trimmed_and_composed() {
        check("  Acid fluor. ", Text, Ok("Acid fluor."));
        check("\u{a0}\u{3000}a\u{2003}", Text, Ok("a"));
        check("Cafe\u{301}", Key, Ok("Caf\u{e9}"));
        check("\u{212b}", Text, Ok("\u{c5}"));
        check("\u{7}", Text, Err(TextFault::Control('\u{7}')));
        check("   ", Key, Ok(""));
        check("a  b\u{2011}\u{ff21}", Text, Ok("a  b\u{2011}\u{ff21}"));
    }

    #[test]
    fn only_a_key_refuses_line_breaks_and_invisible_characters() {
        check("two\nlines\tand a tab", Text, Ok("two\nlines\tand a tab"));
        check("two\nlines", Name, Ok("two lines"));
        check("two\nlines", Key, Err(TextFault::Control('\n')));
        check("a\u{200b}b", Text, Ok("a\u{200b}b"));
        check("a\u{200b}b", Name, Ok("ab"));
        for c in ['\u{200b}', '\u{202e}', '\u{ad}', '\u{34f}', '\u{fe0f}', '\u{2060}', '\u{2028}'] {
            check(&format!("a{c}b"), Key, Err(TextFault::Control(c)));
        }
        check("a\0b", Name, Err(TextFault::Nul));
        check("a\u{85}b", Text, Err(TextFault::Control('\u{85}')));
    }

    #[test]
    fn keys_and_names_that_look_the_same_are_the_same() {
        for role in [Key, Name] {
            for raw in ["AB 1", "AB  1", "AB\u{a0}1", "AB\u{2009} 1", "AB\u{3000}1", "\u{ff21}B 1"]
            {
                check(raw, role, Ok("AB 1"));
            }
            for hyphen in ["\u{2010}", "\u{2011}", "\u{2013}", "\u{2014}", "\u{2212}", "\u{ff0d}"] {
                check(&format!("A{hyphen}1"), role, Ok("A-1"));
            }
            // What people tell apart stays apart.
            for raw in ["\u{410}\u{412}1", "ab 1", "AB\u{b2}", "Stra\u{df}e", "\u{e9}"] {
                check(raw, role, Ok(raw));
            }
        }
        check("\u{feff} Food &\u{200b} Drink \u{200b}", Name, Ok("Food & Drink"));
        check("\u{200b}", Name, Ok(""));
        // The joiner makes another letter of it.
        check("\u{915}\u{94d}\u{200d}\u{937}", Name, Ok("\u{915}\u{94d}\u{200d}\u{937}"));
        check("A\u{200d}B", Name, Ok("AB"));
    }

    #[test]
    fn what_was_folded_is_said() {
        let mut scratch = String::new();
        let mut folded = |raw| clean(raw, Name, &mut scratch).unwrap().is_folded;
        assert!(folded("A  B") && folded("A\u{a0}B") && folded("A\u{2011}B"));
        assert!(!folded(" A B ") && !folded("Cafe\u{301}") && !folded("Caf\u{e9}"));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(!is_longer("\u{e4}\u{f6}\u{fc}", 3));
        assert!(is_longer("\u{e4}\u{f6}\u{fc}", 2));
        assert!(!is_longer("", 0));
    }

    #[test]
    fn a_shortened_number_is_known_by_its_exponent() {
        for text in ["4.00638E+12", "4,00638E+12", "3E+07", "1.2e+100"] {
            assert!(is_exponent_form(text), "{text}");
        }
        for text in
            ["12E10", "1E10", "1E+1", "12E+10", "4.00638E-12", "1.5", "E+12", "1.E+12", "4.0E+12x"]
        {
            assert!(!is_exponent_form(text), "{text}");
        }
    }

    #[test]
    fn entities_are_known_by_their_semicolon() {
        for text in ["Food &amp; Drink", "Men&#039;s", "&#x27;", "a & b &eacute;", "&frac12;"] {
            assert!(has_entity(text), "{text}");
        }
        for text in ["Food & Drink", "a&b", "AT&T; more", "&;", "&#;", "x &a; y", "R&D (a;b)"] {
            assert!(!has_entity(text), "{text}");
        }
    }
}
