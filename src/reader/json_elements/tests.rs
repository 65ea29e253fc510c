//! Arrays as programs write them, cut and broken.

use std::io::BufReader;

use super::*;

/// Elements with their lines, and the key of their array or why they broke off.
type ElementsRead = (Vec<(u64, String)>, Result<Option<String>, String>);

/// The elements with their lines, and how the reading ended.
fn read(text: &str, wanted: Option<&str>) -> ElementsRead {
    let mut all = None;
    for capacity in [1, 3, 64 << 10] {
        let input = BufReader::with_capacity(capacity, text.as_bytes());
        let mut elements = JsonElements::new(input, wanted);
        let mut found = Vec::new();
        let ended = loop {
            match elements.next() {
                Ok(true) => {
                    let object = elements.object();
                    assert_eq!(object.number, found.len() as u64 + 1);
                    found.push((object.line, String::from_utf8_lossy(&object.bytes).into_owned()));
                }
                Ok(false) => break Ok(elements.key.clone()),
                Err(fault) => break Err(fault.to_string()),
            }
        };
        let result = (found, ended);
        assert!(all.as_ref().is_none_or(|all| *all == result), "reads of {capacity} bytes differ");
        all = Some(result);
    }
    all.unwrap()
}

fn elements(text: &str) -> Vec<(u64, String)> {
    let (found, ended) = read(text, None);
    assert!(ended.is_ok(), "{ended:?}");
    found
}

fn fault(text: &str) -> String {
    read(text, None).1.unwrap_err()
}

#[test]
fn elements_of_an_array_come_with_their_lines() {
    let text = "\n[ {\"a\": [1, {\"b\": \"]}\\\"\"}]}\n,\n {\"a\":\n2},3 ,\"x,y\", null]\n ";
    let expected = [
        (2, "{\"a\": [1, {\"b\": \"]}\\\"\"}]}"),
        (4, "{\"a\":\n2}"),
        (5, "3"),
        (5, "\"x,y\""),
        (5, "null"),
    ];
    assert_eq!(elements(text), expected.map(|(line, text)| (line, text.to_owned())));
    assert_eq!(elements("[]"), []);
}

#[test]
fn the_only_array_of_objects_is_found_among_other_members() {
    let text = r#"{"count": 2, "page": {"next": null, "of": ["a", [1]], "none": []},
        "data": {"products": [{"a": 1}, {"a": 2}], "x": {"y": []}}, "ok": true}"#;
    let (found, ended) = read(text, None);
    assert_eq!(ended, Ok(Some("products".to_owned())));
    assert_eq!(found.len(), 2);
    let two = r#"{"new": [{"a": 1}], "old": [{"a": 2}, {"a": 3}]}"#;
    assert_eq!(
        fault(two),
        "the arrays `new` and `old` have objects; name the one to import with the option `sheet`"
    );
    assert_eq!(read(two, Some("new")).0.len(), 1);
    assert_eq!(read(two, Some("old")).0.len(), 2);
    assert_eq!(
        read(two, Some("other")).1.unwrap_err(),
        "the file has no array of objects with the key `other`"
    );
}

#[test]
fn what_breaks_off_or_breaks_the_rules_is_told_with_its_line() {
    for (text, expected) in [
        ("[{\"a\":1},\n{\"a\":", "the file ends in line 2 before its array does; it was cut off"),
        ("[{\"a\":1}\n", "the file ends in line 1 before its array does; it was cut off"),
        ("{\"a\":[{\"b\":1}]", "the file ends in line 1 before its array does; it was cut off"),
        (
            "[{\"a\":1}\n{\"a\":2}]",
            "the file breaks the rules of JSON in line 2: `,` or `]` is missing",
        ),
        ("[{\"a\":1},]", "the file breaks the rules of JSON in line 1: a value is missing"),
        (
            "[{\"a\":1}]]",
            "the file breaks the rules of JSON in line 1: the end of the file is missing",
        ),
        ("{\"a\" 1}", "the file breaks the rules of JSON in line 1: `:` is missing"),
        ("{a: 1}", "the file breaks the rules of JSON in line 1: a key in quotes is missing"),
        ("{\"a\": 1, }", "the file breaks the rules of JSON in line 1: a key in quotes is missing"),
        (
            "{\"a\": 1 \"b\": 2}",
            "the file breaks the rules of JSON in line 1: `,` or `}` is missing",
        ),
        ("{\"a\": 1}", "the file is one JSON object without an array of objects"),
        ("{\"a\": []}", "the file is empty: it has no header and no rows"),
    ] {
        assert!(fault(text).starts_with(expected), "{text}: {}", fault(text));
    }
}

#[test]
fn depth_and_length_take_bounded_memory() {
    let deep = format!("[{}{}]", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(elements(&deep).len(), 1);
    let around = format!("{}[{{}}]{}", "{\"a\":".repeat(300_000), "}".repeat(300_000));
    assert_eq!(elements(&around).len(), 1);
    let long = format!("[\"{}\",{{}}]", "x".repeat(3 * ROW_BYTES_MAX));
    let mut elements = JsonElements::new(long.as_bytes(), None);
    assert!(elements.next().unwrap());
    assert!(elements.object().is_too_long && elements.object().bytes.len() <= ROW_BYTES_MAX);
    assert!(elements.next().unwrap());
    assert_eq!(elements.object().bytes, b"{}");
}
