//! Texts: the table of shared strings, and what a text element holds.

use quick_xml::events::Event;

use super::xml::{PackagePart, attributes};
use crate::reader::error::WorkbookFault;

/// The shared strings, one after another in one buffer.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    pub(super) fn read(part: &mut PackagePart<'_>) -> Result<Self, WorkbookFault> {
        let (mut strings, mut scratch) = (Self::default(), String::new());
        loop {
            match part.event()? {
                Event::Start(element) if element.local_name().as_ref() == "si" => {
                    read_rich(part, "si", &mut strings.text, &mut scratch)?;
                    strings.ends.push(strings.text.len());
                }
                Event::Empty(element) if element.local_name().as_ref() == "si" => {
                    strings.ends.push(strings.text.len());
                }
                Event::Empty(element) if element.local_name().as_ref() == "sst" => {
                    return Ok(strings);
                }
                Event::End(element) if element.local_name().as_ref() == "sst" => {
                    return Ok(strings);
                }
                Event::Eof => return Err(part.breaks_off("sst")),
                _ => {}
            }
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..end)
    }
}

/// Appends the texts of all runs up to the end of `element`, without the phonetic ones.
pub(super) fn read_rich(
    part: &mut PackagePart<'_>,
    element: &'static str,
    text: &mut String,
    scratch: &mut String,
) -> Result<(), WorkbookFault> {
    let mut is_phonetic = false;
    loop {
        match part.event()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "rPh" => is_phonetic = true,
                "t" if !is_phonetic => {
                    let keeps = attributes(&start)
                        .any(|(name, value)| (name, value) == ("space", "preserve"));
                    scratch.clear();
                    part.text("t", scratch)?;
                    let plain = if keeps {
                        scratch.as_str()
                    } else {
                        scratch.trim_matches([' ', '\t', '\r', '\n'])
                    };
                    push_unescaped(plain, text);
                }
                _ => {}
            },
            Event::End(end) => match end.local_name().as_ref() {
                "rPh" => is_phonetic = false,
                name if name == element => return Ok(()),
                _ => {}
            },
            Event::Eof => return Err(part.breaks_off(element)),
            _ => {}
        }
    }
}

/// Appends `raw` with its escapes resolved: `_x000D_` is the character of that UTF-16 code unit
/// (ECMA-376, 22.9.2.19).
pub(super) fn push_unescaped(raw: &str, text: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let Some(unit) = code_unit(escape) else {
            text.push_str("_x");
            rest = escape.get(2..).unwrap_or_default();
            continue;
        };
        rest = escape.get(7..).unwrap_or_default();
        let low = code_unit(rest).filter(|low| (0xDC00..0xE000).contains(low));
        let units = match low {
            Some(low) if (0xD800..0xDC00).contains(&unit) => {
                rest = rest.get(7..).unwrap_or_default();
                [Some(unit), Some(low)]
            }
            _ => [Some(unit), None],
        };
        let signs = char::decode_utf16(units.into_iter().flatten());
        text.extend(signs.map(|sign| sign.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
    text.push_str(rest);
}

/// The code unit of an escape at the start of `text`.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("_x")?.get(..5)?.strip_suffix('_')?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_characters() {
        for (raw, plain) in [
            ("plain", "plain"),
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_xD83D__xDCF7_!", "\u{1F4F7}!"),
            ("_xD83D_!", "\u{fffd}!"),
            ("a_x12", "a_x12"),
            ("_xZZZZ_", "_xZZZZ_"),
            ("_x_x0041_", "_xA"),
        ] {
            let mut text = String::new();
            push_unescaped(raw, &mut text);
            assert_eq!(text, plain, "{raw}");
        }
    }
}
