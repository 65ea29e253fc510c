//! Names that a reader must not mistake: of types, and of what the log says.

use std::collections::BTreeMap;

use crate::sources::{Source, check, first_name, sources};

/// The types that stand at the left edge of a file, outside of its tests.
fn types(source: &Source) -> Vec<String> {
    let mut names = Vec::new();
    for line in source.code_without_tests().lines() {
        let item = line.strip_prefix("pub").map_or(line, |rest| {
            let rest =
                rest.strip_prefix('(').and_then(|it| it.split_once(')')).map_or(rest, |it| it.1);
            rest.trim_start()
        });
        for keyword in ["struct ", "enum ", "trait ", "type ", "union "] {
            let name = item.strip_prefix(keyword).map(first_name);
            names.extend(name.filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    names
}

#[test]
fn a_type_name_stands_for_one_thing() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources(&["src"]) {
        for name in types(&source) {
            places.entry(name).or_default().push(source.path.clone());
        }
    }
    let faults: Vec<_> = places
        .into_iter()
        .filter(|(_, paths)| paths.len() > 1)
        .map(|(name, paths)| format!("{name}: {}", paths.join(", ")))
        .collect();
    check("A type name stands for one thing in all of src.", &faults);
}

/// What stands between the parentheses that open at the start of `text`.
fn arguments(text: &str) -> &str {
    let mut depth = 0;
    let end = text.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

#[test]
fn a_log_line_says_which_event_it_is() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        let code = source.code_without_tests();
        for level in ["trace!", "debug!", "info!", "warn!", "error!"] {
            for (at, call) in code.match_indices(level) {
                let before = code.get(..at).unwrap_or_default();
                let is_other = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let after = code.get(at + call.len()..).unwrap_or_default();
                if !is_other && after.starts_with('(') && !arguments(after).contains("event = ") {
                    let line = before.matches('\n').count() + 1;
                    faults.push(format!("{}:{line}", source.path));
                }
            }
        }
    }
    faults.sort();
    check("A log line carries `event = \"…\"`, so that it can be filtered.", &faults);
}
