//! Keeps the shape of the code as the architecture says: which module may name which, where the
//! database libraries stay, and a few habits that no lint knows. Reads the sources as text.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "test code")]

mod circles;
mod docs;
mod links;
mod migrations;
mod names;
mod openapi;
mod routes;
mod sources;

use sources::{all_code, check, names_after, own_code, sources, statements, without_texts};

/// The modules of the library; each may name those that follow it, never those before it.
///
/// `faults` is the last: places at which tests make the server fail stand in all of them.
const ORDER: [&str; 16] = [
    "cli",
    "client",
    "http",
    "page",
    "access",
    "jobs",
    "after",
    "metrics",
    "telemetry",
    "definitions",
    "store",
    "files",
    "reader",
    "dataset",
    "domain",
    "faults",
];

/// What puts the modules together and may name them all.
const COMPOSITION: [&str; 4] = ["app", "config", "main", "lib"];

/// Libraries that only the store, the entities and the migrations may name.
const DATABASE_CRATES: [&str; 6] =
    ["sea_orm", "sea_query", "sea_orm_migration", "sqlx", "rusqlite", "entity"];

const LINES_MAX: usize = 500;

/// True when code in the module `from` may name the module `to`.
fn may_name(from: &str, to: &str) -> bool {
    let place = |name| ORDER.iter().position(|known| *known == name);
    match (from, place(from), place(to)) {
        ("main" | "lib", ..) => true,
        ("app", ..) => to != "cli",
        // Settings are handed down as plain structs, so nothing below reads the configuration.
        ("config", _, to) => to.is_some(),
        ("cli", ..) if matches!(to, "app" | "config") => true,
        // It knows what every client of the API knows.
        ("client", ..) => matches!(to, "client" | "domain"),
        (_, Some(_), _) if from == to => true,
        (_, Some(from), Some(to)) => from < to,
        _ => false,
    }
}

#[test]
fn modules_name_only_modules_below_them() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        let top = source.top();
        if !ORDER.contains(&top) && !COMPOSITION.contains(&top) {
            faults.push(format!("{}: `{top}` is not in the order; add it there", source.path));
        }
        for (number, code) in statements(&without_texts(&source.text)) {
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
    assert!(
        may_name("cli", "client") && !may_name("client", "http") && !may_name("jobs", "client")
    );
    assert!(!may_name("http", "config") && !may_name("domain", "app"));
}
