//! The sources as text: which files there are, and their code without comments and texts.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file of the workspace.
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The names from the crate's root to this file: `["store", "chunk"]` for `src/store/chunk.rs`.
    pub(crate) fn module_path(&self) -> Vec<&str> {
        let inside = self.path.split_once("src/").map_or("", |(_, inside)| inside);
        let mut names: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
        if names.last() == Some(&"mod") {
            names.pop();
        }
        names
    }

    /// The module of [`ORDER`] or [`COMPOSITION`] that the file belongs to.
    pub(crate) fn top(&self) -> &str {
        self.module_path().first().copied().unwrap_or_default()
    }

    /// The numbered lines, with comments and texts in quotes taken out.
    pub(crate) fn code(&self) -> Vec<(usize, String)> {
        let code = without_texts(&self.text);
        code.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned())).collect()
    }

    /// The code without comments, texts and the tests at the end of the file.
    pub(crate) fn code_without_tests(&self) -> String {
        let mut code = without_texts(&self.text);
        for tests in ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(super) mod tests {"] {
            code.truncate(code.find(tests).unwrap_or(code.len()));
        }
        code
    }
}

/// Takes the texts in quotes and the comments out of a source; lines stay where they are.
pub(crate) fn without_texts(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let is_in_name = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => quoted(rest, 1, "\""),
            'r' if !is_in_name && raw_text(rest) > 0 => raw_text(rest),
            '\'' => character(rest),
            _ => 0,
        };
        let (gone, left) = rest.split_at(skipped.max(c.len_utf8()));
        if skipped == 0 {
            code.push(c);
        } else {
            code.extend(gone.chars().filter(|c| *c == '\n'));
        }
        rest = left;
    }
    code
}

/// The length of a text in quotes that begins after `from` bytes, with its end.
fn quoted(text: &str, from: usize, end: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(from) {
        if !is_escaped && text.get(at..).is_some_and(|rest| rest.starts_with(end)) {
            return at + end.len();
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

/// The length of a raw text; 0 when none begins here.
fn raw_text(text: &str) -> usize {
    let hashes = text.chars().skip(1).take_while(|c| *c == '#').count();
    if text.chars().nth(1 + hashes) != Some('"') {
        return 0;
    }
    let (from, end) = (hashes + 2, format!("\"{}", "#".repeat(hashes)));
    let inside = text.get(from..).unwrap_or_default();
    inside.find(&end).map_or(text.len(), |at| from + at + end.len())
}

/// The length of a character in quotes; 0 for a lifetime.
fn character(text: &str) -> usize {
    match (text.chars().nth(1), text.chars().nth(2)) {
        (Some('\\'), _) => quoted(text, 1, "'"),
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 0,
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below the folders, in the order of their paths.
pub(crate) fn sources(folders: &[&str]) -> Vec<Source> {
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("the folder can be listed");
            waiting.extend(entries.map(|entry| entry.expect("the entry can be read").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("the source is UTF-8");
            let path = path.strip_prefix(root()).expect("it is below the root");
            found.push(Source { path: path.to_string_lossy().replace('\\', "/"), text });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

pub(crate) fn own_code() -> Vec<Source> {
    sources(&["src", "entity/src", "migration/src"])
}

pub(crate) fn all_code() -> Vec<Source> {
    sources(&["src", "entity/src", "migration/src", "tests", "bench/src"])
}

/// Fails with the rule and every place that breaks it.
#[track_caller]
pub(crate) fn check(rule: &str, faults: &[String]) {
    let list: String = faults.iter().flat_map(|fault| ["\n  ", fault.as_str()]).collect();
    assert!(faults.is_empty(), "{rule}{list}");
}

/// The names that follow each `prefix` in a line: `crate::store::x` gives `store`, and
/// `crate::{files, store::x}` gives `files` and `store`.
pub(crate) fn names_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let after = code.get(at + prefix.len()..).unwrap_or_default();
        let listed = after.strip_prefix('{');
        let mut depth = 0;
        let end = listed.and_then(|list| {
            list.find(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth < 0
            })
        });
        let items = match listed {
            Some(list) => top_level_items(list.get(..end.unwrap_or(list.len())).unwrap_or(list)),
            None => vec![after],
        };
        names.extend(items.into_iter().map(first_name).filter(|name| !name.is_empty()));
    }
    names
}

/// The parts of a `use` list between the commas that are not inside inner braces.
pub(crate) fn top_level_items(list: &str) -> Vec<&str> {
    let mut depth = 0;
    list.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    })
    .collect()
}

pub(crate) fn first_name(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The code of a file with each `use` that spans lines joined into one.
pub(crate) fn statements(code: &str) -> Vec<(usize, String)> {
    let mut statements: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in code.lines().enumerate() {
        match statements.last_mut() {
            Some((_, statement)) if open => statement.push_str(line.trim()),
            _ => statements.push((index + 1, line.to_owned())),
        }
        let last = statements.last().map_or("", |(_, statement)| statement.trim());
        let is_use = last.starts_with("use ") || last.starts_with("pub") && last.contains(" use ");
        open = is_use && !last.ends_with(';');
    }
    statements
}
