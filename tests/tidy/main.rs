//! Keeps the shape of the code as the architecture says: which module may name which, where the
//! database libraries stay, and a few habits that no lint knows. Reads the sources as text.

#![expect(clippy::expect_used, reason = "test code")]

mod docs;
mod links;
mod migrations;
mod routes;

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the library; each may name those that follow it, never those before it.
///
/// `faults` is the last: places at which tests make the server fail stand in all of them.
const ORDER: [&str; 11] = [
    "cli", "http", "page", "jobs", "after", "store", "files", "reader", "dataset", "domain",
    "faults",
];

/// What puts the modules together and may name them all.
const COMPOSITION: [&str; 4] = ["app", "config", "main", "lib"];

/// Libraries that only the store, the entities and the migrations may name.
const DATABASE_CRATES: [&str; 6] =
    ["sea_orm", "sea_query", "sea_orm_migration", "sqlx", "rusqlite", "entity"];

const LINES_MAX: usize = 500;

/// A source file of the workspace.
struct Source {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The names from the crate's root to this file: `["store", "chunk"]` for `src/store/chunk.rs`.
    fn module_path(&self) -> Vec<&str> {
        let inside = self.path.split_once("src/").map_or("", |(_, inside)| inside);
        let mut names: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
        if names.last() == Some(&"mod") {
            names.pop();
        }
        names
    }

    /// The module of [`ORDER`] or [`COMPOSITION`] that the file belongs to.
    fn top(&self) -> &str {
        self.module_path().first().copied().unwrap_or_default()
    }

    /// The numbered lines, with comments and texts in quotes taken out.
    fn code(&self) -> impl Iterator<Item = (usize, String)> + '_ {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, without_texts(line)))
    }
}

/// Takes the texts in double quotes and the comment at the end out of a line.
fn without_texts(line: &str) -> String {
    let mut code = String::new();
    let mut in_text = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_text => drop(chars.next()),
            '\'' if !in_text && chars.peek() == Some(&'"') => drop(chars.next()),
            '"' => in_text = !in_text,
            '/' if !in_text && chars.peek() == Some(&'/') => break,
            c if !in_text => code.push(c),
            _ => {}
        }
    }
    code
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below the folders, in the order of their paths.
fn sources(folders: &[&str]) -> Vec<Source> {
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

fn own_code() -> Vec<Source> {
    sources(&["src", "entity/src", "migration/src"])
}

fn all_code() -> Vec<Source> {
    sources(&["src", "entity/src", "migration/src", "tests", "bench/src"])
}

/// Fails with the rule and every place that breaks it.
#[track_caller]
fn check(rule: &str, faults: &[String]) {
    let list: String = faults.iter().flat_map(|fault| ["\n  ", fault.as_str()]).collect();
    assert!(faults.is_empty(), "{rule}{list}");
}

/// The names that follow each `prefix` in a line: `crate::store::x` gives `store`, and
/// `crate::{files, store::x}` gives `files` and `store`.
fn names_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
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
fn top_level_items(list: &str) -> Vec<&str> {
    let mut depth = 0;
    list.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    })
    .collect()
}

fn first_name(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// True when code in the module `from` may name the module `to`.
fn may_name(from: &str, to: &str) -> bool {
    let place = |name| ORDER.iter().position(|known| *known == name);
    match (from, place(from), place(to)) {
        ("main" | "lib", ..) => true,
        ("app", ..) => to != "cli",
        // Settings are handed down as plain structs, so nothing below reads the configuration.
        ("config", _, to) => to.is_some(),
        ("cli", ..) if matches!(to, "app" | "config") => true,
        (_, Some(_), _) if from == to => true,
        (_, Some(from), Some(to)) => from < to,
        _ => false,
    }
}

/// The code of a file with each `use` that spans lines joined into one.
fn statements(source: &Source) -> Vec<(usize, String)> {
    let mut statements: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, code) in source.code() {
        match statements.last_mut() {
            Some((_, statement)) if open => statement.push_str(code.trim()),
            _ => statements.push((number, code)),
        }
        let last = statements.last().map_or("", |(_, statement)| statement.trim());
        let is_use = last.starts_with("use ") || last.starts_with("pub") && last.contains(" use ");
        open = is_use && !last.ends_with(';');
    }
    statements
}

#[test]
fn modules_name_only_modules_below_them() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        let top = source.top();
        if !ORDER.contains(&top) && !COMPOSITION.contains(&top) {
            faults.push(format!("{}: `{top}` is not in the order; add it there", source.path));
        }
        for (number, code) in statements(&source) {
            for name in names_after(&code, "crate::") {
                let is_module = ORDER.contains(&name) || COMPOSITION.contains(&name);
                if is_module && !may_name(top, name) {
                    faults.push(format!("{}:{number}: `{top}` names `{name}`", source.path));
                }
            }
        }
    }
    let order = ORDER.join(", ");
    check(
        &format!(
            "A module may name only the modules that follow it in: {order}. \
             Only `app`, `cli` and `main` name `config`."
        ),
        &faults,
    );
}

#[test]
fn no_module_reaches_its_neighbours_by_super() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        let depth = source.module_path().len();
        if COMPOSITION.contains(&source.top()) {
            continue;
        }
        let outward = "super::".repeat(depth);
        for (number, code) in source.code() {
            // The tests of a file are one module deeper.
            if code.contains("#[cfg(test)]") {
                break;
            }
            if code.contains(&outward) {
                faults.push(format!("{}:{number}: {}", source.path, code.trim()));
            }
        }
    }
    check("Another module is named by `crate::`, so that its direction can be seen.", &faults);
}

#[test]
fn only_the_store_names_a_database_library() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        if source.top() == "store" {
            continue;
        }
        for (number, code) in source.code() {
            for name in DATABASE_CRATES {
                let names = [format!("{name}::"), format!("use {name};"), format!("use {name} as")];
                let is_named = names.iter().any(|text| {
                    code.match_indices(text.as_str()).any(|(at, _)| {
                        let before = code.get(..at).and_then(|text| text.chars().next_back());
                        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
                    })
                });
                if is_named {
                    faults.push(format!("{}:{number}: names `{name}`", source.path));
                }
            }
        }
    }
    check(
        "Only src/store, the entities and the migrations name sea-orm, sqlx, rusqlite or an \
         entity; everyone else asks the store.",
        &faults,
    );
}

#[test]
fn every_file_says_what_it_owns() {
    let faults: Vec<_> = all_code()
        .iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path.clone())
        .collect();
    check("Every file begins with `//!`: what it owns and what it must not know.", &faults);
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let faults: Vec<_> = all_code()
        .iter()
        .map(|source| (source, source.text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(source, lines)| format!("{}: {lines} lines", source.path))
        .collect();
    check("A file has at most 500 lines; find the seam and divide it.", &faults);
}

#[test]
fn modules_are_called_after_what_they_own() {
    let mut faults = Vec::new();
    for source in all_code() {
        let names = source.path.trim_end_matches(".rs").split('/').filter(|name| *name != "src");
        for name in names {
            let vague = matches!(name, "common" | "data" | "info")
                || name.split('_').any(|word| {
                    matches!(word, "manager" | "managers" | "helper" | "helpers" | "util" | "utils")
                });
            if vague && source.path != "src/jobs/manager.rs" {
                faults.push(format!("{}: `{name}`", source.path));
            }
        }
    }
    check(
        "No module is called manager (but that of the jobs), helper, util, common, data or info: \
         such a name says nothing of what it owns.",
        &faults,
    );
}

#[test]
fn nothing_unfinished_is_left() {
    let mut faults = Vec::new();
    for source in all_code() {
        for (number, code) in source.code() {
            for word in ["todo!(", "unimplemented!(", "dbg!(", "#[ignore"] {
                if code.contains(word) {
                    faults.push(format!("{}:{number}: {word}", source.path));
                }
            }
        }
    }
    check("Nothing unfinished, no debugging output and no ignored test is kept.", &faults);
}

#[test]
fn tests_wait_for_facts_and_never_sleep() {
    let mut faults = Vec::new();
    for source in own_code().into_iter().chain(sources(&["tests"])) {
        let is_test_file = source.path.starts_with("tests/");
        let is_the_wait = source.path == "tests/support/waiting.rs";
        let mut in_tests = is_test_file;
        for (number, code) in source.code() {
            in_tests |= code.contains("#[cfg(test)]");
            let sleeps = ["thread::sleep(", "time::sleep(", " sleep("];
            if in_tests && !is_the_wait && sleeps.iter().any(|call| code.contains(call)) {
                faults.push(format!("{}:{number}: {}", source.path, code.trim()));
            }
        }
    }
    check("A test waits for a fact with a time limit; it never sleeps for a while.", &faults);
}

#[test]
fn the_rules_see_what_they_should() {
    assert_eq!(names_after("use crate::store::Chunk;", "crate::"), ["store"]);
    assert_eq!(names_after("use crate::{files, store::{A, B}, jobs};", "crate::").len(), 3);
    assert_eq!(names_after("let x = crate::jobs::run(crate::files::A);", "crate::").len(), 2);
    assert!(names_after("other_crate::store", "crate::").is_empty());
    assert_eq!(without_texts(r#"let a = "sqlx::query \" crate::x"; // crate::y"#), "let a = ; ");
    assert!(may_name("jobs", "store") && may_name("app", "config") && may_name("cli", "config"));
    assert!(!may_name("store", "jobs") && !may_name("domain", "dataset"));
    assert!(!may_name("http", "config") && !may_name("domain", "app"));
}
