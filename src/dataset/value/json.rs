//! JSON cells, stored as they stand without the white space, and list cells, stored as JSON arrays.

/// Why a cell cannot be stored as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum JsonCellFault {
    /// It does not parse; where, counted in characters from 1.
    NotJson,
    /// It holds `\u0000`, which PostgreSQL cannot store.
    Nul,
}

/// Checks that `text` is JSON and writes it to `out` without white space between the tokens.
///
/// Numbers and the order of keys stay as they stand: nothing is parsed and written anew.
pub(in crate::dataset) fn compact(text: &str, out: &mut String) -> Result<(), JsonCellFault> {
    // Also refuses nesting over 128 levels, half surrogates and numbers that no float holds.
    if serde_json::from_str::<serde_json::Value>(text).is_err() {
        return Err(JsonCellFault::NotJson);
    }
    out.clear();
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if !in_string && matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        out.push(c);
        if escaped {
            escaped = false;
            continue;
        }
        escaped = in_string && c == '\\';
        in_string ^= c == '"';
    }
    if has_nul_escape(out) { Err(JsonCellFault::Nul) } else { Ok(()) }
}

fn has_nul_escape(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let before = json.bytes().take(at).rev().take_while(|byte| *byte == b'\\').count();
        before.is_multiple_of(2)
    })
}

/// Writes the items of `text`, separated by `,`, `;` or `|`, as a JSON array to `out`; false when
/// there is no item. A cell that is a JSON array of texts already is taken as that.
pub(in crate::dataset) fn list(text: &str, out: &mut String) -> bool {
    out.clear();
    match written_items(text) {
        Some(items) => array(items.iter().map(String::as_str), out),
        None => array(text.split(SEPARATORS), out),
    }
    !out.is_empty()
}

/// What stands between the items of a list.
pub(in crate::dataset) const SEPARATORS: [char; 3] = [',', ';', '|'];

/// The items of a cell that is a JSON array of texts.
pub(in crate::dataset) fn written_items(text: &str) -> Option<Vec<String>> {
    if !text.starts_with('[') {
        return None;
    }
    let items = serde_json::from_str::<Vec<String>>(text).ok()?;
    (!items.iter().any(|item| item.contains('\0'))).then_some(items)
}

/// Adds an item to the JSON array that `out` is without its last bracket.
pub(in crate::dataset) fn push_item(out: &mut String, item: &str) {
    out.push(if out.is_empty() { '[' } else { ',' });
    out.push('"');
    if item.bytes().all(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\')) {
        out.push_str(item);
    } else {
        escape(item, out);
    }
    out.push('"');
}

fn array<'a>(items: impl Iterator<Item = &'a str>, out: &mut String) {
    for item in items.map(str::trim).filter(|item| !item.is_empty()) {
        push_item(out, item);
    }
    if !out.is_empty() {
        out.push(']');
    }
}

fn escape(item: &str, out: &mut String) {
    for c in item.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if c < ' ' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_json(text: &str, expected: Result<&str, JsonCellFault>) {
        let mut out = String::new();
        let found = compact(text, &mut out).map(|()| out.as_str());
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn json_keeps_its_keys_and_digits() {
        check_json(r#"{ "b": 1.10, "a": [ 1, 2 ] }"#, Ok(r#"{"b":1.10,"a":[1,2]}"#));
        check_json(r#""a \" b  c\\""#, Ok(r#""a \" b  c\\""#));
        check_json("12345678901234567890123", Ok("12345678901234567890123"));
        check_json(r#""\\u0000""#, Ok(r#""\\u0000""#));
        check_json(r#"["\u0000"]"#, Err(JsonCellFault::Nul));
        for text in ["", "{", "{a:1}", "NaN", "[1,]", "\"\\ud800\"", "1 2", "\u{a0}1"] {
            check_json(text, Err(JsonCellFault::NotJson));
        }
        check_json(&"[".repeat(100_000), Err(JsonCellFault::NotJson));
    }

    #[test]
    fn a_list_is_an_array_of_what_is_not_empty() {
        for (text, expected) in [
            ("red, green;blue|", r#"["red","green","blue"]"#),
            ("a \"quoted\" \\ item", r#"["a \"quoted\" \\ item"]"#),
            (r#"["a, b", " c "]"#, r#"["a, b","c"]"#),
            ("[a, b]", r#"["[a","b]"]"#),
            (" ,;| ", ""),
            ("[]", ""),
        ] {
            let mut out = String::new();
            assert_eq!(list(text, &mut out), !expected.is_empty());
            assert_eq!(out, expected);
            let back = serde_json::from_str::<Vec<String>>(&out);
            assert_eq!(back.is_ok(), !expected.is_empty(), "{out}");
        }
    }
}
