//! One text as a JSON object: its members in their order, each with the text that stands for
//! its value. Numbers are never parsed, so that no digit is lost. Knows nothing of rows.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// The value of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JsonValue<'a> {
    Null,
    Boolean(bool),
    /// As it stands in the text: `1.50`, `-2e3`.
    Number(&'a str),
    Text(Cow<'a, str>),
    /// An object or an array, as it stands in the text.
    Nested(&'a str),
}

/// Why a text is no JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ObjectFault {
    /// What was expected.
    pub(super) expected: &'static str,
    /// The character of the text, from 1, where something else stands.
    pub(super) at: usize,
}

/// Gives each member of the object in `line` to `take`.
///
/// # Errors
/// Where the line breaks the rules of JSON. Members before that were given already.
pub(super) fn members<'a>(
    line: &'a str,
    mut take: impl FnMut(Cow<'a, str>, JsonValue<'a>),
) -> Result<(), ObjectFault> {
    let mut scanner = Scanner { line, at: 0 };
    scanner.expect(b'{', "`{`")?;
    if scanner.peek() != Some(b'}') {
        loop {
            let key = scanner.text("a key in quotes")?;
            scanner.expect(b':', "`:`")?;
            take(key, scanner.value()?);
            if scanner.peek() != Some(b',') {
                break;
            }
            scanner.at += 1;
        }
    }
    scanner.expect(b'}', "`,` or `}`")?;
    match scanner.peek() {
        None => Ok(()),
        Some(_) => Err(scanner.fault("the end of the object")),
    }
}

struct Scanner<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.at += rest.len() - trimmed.len();
        trimmed.bytes().next()
    }

    fn fault(&self, expected: &'static str) -> ObjectFault {
        let before = self.line.get(..self.at).unwrap_or_default();
        ObjectFault { expected, at: before.chars().count() + 1 }
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), ObjectFault> {
        if self.peek() != Some(byte) {
            return Err(self.fault(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<JsonValue<'a>, ObjectFault> {
        match self.peek() {
            Some(b'"') => self.text("a text").map(JsonValue::Text),
            Some(b'{' | b'[') => self.nested(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<JsonValue<'a>, ObjectFault> {
        for (word, value) in [
            ("null", JsonValue::Null),
            ("true", JsonValue::Boolean(true)),
            ("false", JsonValue::Boolean(false)),
        ] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.fault("a value"))
    }

    /// A text in quotes, with its escapes resolved.
    fn text(&mut self, expected: &'static str) -> Result<Cow<'a, str>, ObjectFault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault(expected));
        }
        let rest = self.rest();
        let Some((length, is_plain)) = text_end(rest) else {
            return Err(self.fault("a text that is closed"));
        };
        let quoted = rest.get(..length).unwrap_or_default();
        let text = if is_plain {
            Cow::Borrowed(quoted.get(1..length - 1).unwrap_or_default())
        } else {
            let resolved = serde_json::from_str(quoted);
            Cow::Owned(resolved.map_err(|_| self.fault("a text with valid escapes"))?)
        };
        self.at += length;
        Ok(text)
    }

    fn number(&mut self) -> Result<JsonValue<'a>, ObjectFault> {
        let rest = self.rest();
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.bytes().take_while(|byte| is_part(byte)).count();
        let number = rest.get(..length).unwrap_or_default();
        if !is_number(number) {
            return Err(self.fault("a number"));
        }
        self.at += length;
        Ok(JsonValue::Number(number))
    }

    /// An object or an array. Brackets are counted, not followed by recursion: depth costs nothing.
    fn nested(&mut self) -> Result<JsonValue<'a>, ObjectFault> {
        let rest = self.rest();
        let length = nested_end(rest).ok_or_else(|| self.fault("a value that is closed"))?;
        let nested = rest.get(..length).unwrap_or_default();
        // The parser of the library skips without recursion, too.
        if serde_json::from_str::<IgnoredAny>(nested).is_err() {
            return Err(self.fault("a valid object or array"));
        }
        self.at += length;
        Ok(JsonValue::Nested(nested))
    }
}

/// Bytes of the text in quotes at the start of `rest`, quotes included, and whether it stands as it
/// is: without escapes and control characters.
fn text_end(rest: &str) -> Option<(usize, bool)> {
    let bytes = rest.as_bytes();
    let (mut at, mut is_plain) = (1, true);
    loop {
        match bytes.get(at)? {
            b'"' => return Some((at + 1, is_plain)),
            b'\\' => (at, is_plain) = (at + 2, false),
            byte => (at, is_plain) = (at + 1, is_plain && *byte >= b' '),
        }
    }
}

/// Bytes of the object or array at the start of `text`, if it ends there.
pub(super) fn first_value_end(text: &str) -> Option<usize> {
    nested_end(text)
}

fn nested_end(rest: &str) -> Option<usize> {
    let (mut at, mut depth) = (0_usize, 0_usize);
    loop {
        match rest.as_bytes().get(at)? {
            b'"' => at += text_end(rest.get(at..)?)?.0,
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' if depth <= 1 => return Some(at + 1),
            b'}' | b']' => (at, depth) = (at + 1, depth - 1),
            _ => at += 1,
        }
    }
}

/// RFC 8259, section 6.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<(String, JsonValue<'_>)>, ObjectFault> {
        let mut found = Vec::new();
        members(line, |key, value| found.push((key.into_owned(), value)))?;
        Ok(found)
    }

    #[test]
    fn members_come_in_their_order_with_every_digit() {
        let line = " {\"sku\" : \"A\\u00e4\\n\", \"price\":1.50,\"n\":-2e3, \"on\":true,\"off\":false,\
                    \"x\":null,\"tags\":[\"a]\", {\"b\":1}] , \"sku\":\"B\"} ";
        let text = |text: &'static str| JsonValue::Text(text.into());
        let expected = [
            ("sku", text("Aä\n")),
            ("price", JsonValue::Number("1.50")),
            ("n", JsonValue::Number("-2e3")),
            ("on", JsonValue::Boolean(true)),
            ("off", JsonValue::Boolean(false)),
            ("x", JsonValue::Null),
            ("tags", JsonValue::Nested("[\"a]\", {\"b\":1}]")),
            ("sku", text("B")),
        ];
        assert_eq!(read(line).unwrap(), expected.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(read("{}").unwrap(), []);
    }

    #[test]
    fn what_breaks_the_rules_is_told_with_its_character() {
        for (line, expected, at) in [
            ("[1]", "`{`", 1),
            ("", "`{`", 1),
            ("{ä:1}", "a key in quotes", 2),
            ("{\"ä\" 1}", "`:`", 6),
            ("{\"a\":}", "a value", 6),
            ("{\"a\":nul}", "a value", 6),
            ("{\"a\":01}", "a number", 6),
            ("{\"a\":1.}", "a number", 6),
            ("{\"a\":-}", "a number", 6),
            ("{\"a\":1 \"b\":2}", "`,` or `}`", 8),
            ("{\"a\":1,}", "a key in quotes", 8),
            ("{\"a\":\"x", "a text that is closed", 6),
            ("{\"a\":\"\\ud800\"}", "a text with valid escapes", 6),
            ("{\"a\":\"\u{1}\"}", "a text with valid escapes", 6),
            ("{\"a\":[1,", "a value that is closed", 6),
            ("{\"a\":[1,}", "a valid object or array", 6),
            ("{\"a\":[1,]}", "a valid object or array", 6),
            ("{\"a\":1} {\"b\":2}", "the end of the object", 9),
        ] {
            assert_eq!(read(line), Err(ObjectFault { expected, at }), "{line}");
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert!(matches!(read(&deep).unwrap()[..], [(_, JsonValue::Nested(_))]));
        let open = format!("{{\"a\":{}", "[{\"b\":".repeat(500_000));
        assert_eq!(read(&open).unwrap_err().expected, "a value that is closed");
    }

    proptest::proptest! {
        #[test]
        fn serde_json_finds_the_same(line in "[{}\\[\\]\",:a1e.+\\- \\\\n]{0,24}") {
            let theirs = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&line);
            // Only numbers that no float holds are compared as texts, and those have a large exponent.
            let ours = read(&line);
            if !line.contains('e') {
                proptest::prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}", line);
            }
        }
    }
}
