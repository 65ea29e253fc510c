//! No file needs a file that needs it: the files of `src` as a graph of the names that they use. A
//! name that a module only hands on (`pub use`) is followed to the file that has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{check, sources, statements, top_level_items};

type Path = Vec<String>;

/// A path that a file names.
struct Use {
    path: Path,
    is_handed_on: bool,
}

/// What each file names, by the path of its module.
struct Graph(BTreeMap<Path, Vec<Use>>);

impl Graph {
    fn of_the_sources() -> Self {
        let files: Vec<(Path, String)> = sources(&["src"])
            .iter()
            .filter(|source| source.path != "src/main.rs")
            .map(|source| {
                let path = source.module_path().into_iter().filter(|name| *name != "lib");
                (path.map(str::to_owned).collect(), source.code_without_tests())
            })
            .collect();
        let children = |of: &Path| -> BTreeSet<&str> {
            let inside =
                files.iter().filter(|(path, _)| path.split_last().is_some_and(|it| it.1 == of));
            inside.filter_map(|(path, _)| path.last().map(String::as_str)).collect()
        };
        Self(files.iter().map(|(path, code)| (path.clone(), uses(code, &children(path)))).collect())
    }

    /// The path from the root of the crate; none for another crate.
    fn path_from_root(&self, file: &[String], path: &[String]) -> Option<Path> {
        let first = path.first()?;
        let (base, rest) = match first.as_str() {
            "crate" => (&[][..], path.get(1..)?),
            "self" => (file, path.get(1..)?),
            "super" => {
                let outward = path.iter().take_while(|name| *name == "super").count();
                (file.get(..file.len().checked_sub(outward)?)?, path.get(outward..)?)
            }
            _ => (file, path),
        };
        let whole: Path = base.iter().chain(rest).cloned().collect();
        let is_ours = matches!(first.as_str(), "crate" | "self" | "super");
        let child = whole.get(..=file.len()).unwrap_or_default();
        (is_ours || self.0.contains_key(child)).then_some(whole)
    }

    /// The file in which the thing of this path stands.
    fn file_of(&self, file: &[String], path: &[String], depth: usize) -> Option<Path> {
        let whole = self.path_from_root(file, path)?;
        let length = (0..=whole.len()).rev().find(|n| self.0.contains_key(&whole[..*n]))?;
        let (module, inside) = whole.split_at(length);
        let name = inside.first();
        let handed_on = name.filter(|_| depth < 8).and_then(|name| {
            let uses = self.0.get(module)?.iter().filter(|it| it.path.last() == Some(name));
            let mut targets = uses.filter_map(|it| self.file_of(module, &it.path, depth + 1));
            targets.find(|target| target != module)
        });
        Some(handed_on.unwrap_or_else(|| module.to_vec()))
    }

    /// The files that each file needs.
    fn needs(&self) -> BTreeMap<Path, BTreeSet<Path>> {
        let needed = |(file, uses): (&Path, &Vec<Use>)| {
            let own = uses.iter().filter(|it| !it.is_handed_on);
            let targets = own.filter_map(|it| self.file_of(file, &it.path, 0));
            (file.clone(), targets.filter(|target| target != file).collect())
        };
        self.0.iter().map(needed).collect()
    }
}

/// The paths of a `use` tree.
fn leaves(tree: &str) -> Vec<Path> {
    let names = |text: &str| -> Path {
        let text = text.split(" as ").next().unwrap_or_default();
        text.split("::").map(|name| name.trim().to_owned()).filter(|it| !it.is_empty()).collect()
    };
    let Some((before, list)) = tree.split_once('{') else { return vec![names(tree)] };
    let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
    let items = top_level_items(list).into_iter().filter(|item| !item.trim().is_empty());
    let whole = |inner: Path| {
        let inner = inner.into_iter().filter(|name| name != "self");
        names(before).into_iter().chain(inner).collect()
    };
    items.flat_map(|item| leaves(item.trim())).map(whole).collect()
}

/// Who may see a thing is not what it needs: `pub(in crate::a) fn` becomes `fn`.
fn without_visibility(statement: &str) -> &str {
    let inside = statement.strip_prefix("pub(in ");
    inside.and_then(|text| text.split_once(')')).map_or(statement, |(_, rest)| rest.trim_start())
}

/// What a file names by `use` and by paths in its code; `children` are the modules inside of it.
fn uses(code: &str, children: &BTreeSet<&str>) -> Vec<Use> {
    let mut found = Vec::new();
    for (_, statement) in statements(code) {
        let text = without_visibility(statement.trim().trim_end_matches(';'));
        let (start, tree) = text.split_once("use ").unwrap_or((text, ""));
        if text != start && (start.is_empty() || start.starts_with("pub")) {
            let is_handed_on = !start.is_empty();
            found.extend(leaves(tree).into_iter().map(|path| Use { path, is_handed_on }));
            continue;
        }
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
            let path: Path = word.split("::").map(str::to_owned).collect();
            let first = path.first().map_or("", String::as_str);
            let is_ours = matches!(first, "crate" | "super" | "self") || children.contains(first);
            if path.len() > 1 && is_ours {
                found.push(Use { path, is_handed_on: false });
            }
        }
    }
    found
}

/// Everything that can be come to from a file.
fn reached(needs: &BTreeMap<Path, BTreeSet<Path>>, from: &Path) -> BTreeSet<Path> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(file) = waiting.pop() {
        for next in needs.get(file).into_iter().flatten() {
            if reached.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    reached
}

#[test]
fn no_file_needs_a_file_that_needs_it() {
    let needs = Graph::of_the_sources().needs();
    let reach: BTreeMap<_, _> = needs.keys().map(|file| (file, reached(&needs, file))).collect();
    let mut faults = Vec::new();
    for (file, needed) in &needs {
        let back = needed.iter().filter(|next| reach.get(next).is_some_and(|it| it.contains(file)));
        let names: Vec<_> = back.map(|next| next.join("::")).collect();
        if !names.is_empty() {
            faults.push(format!("{} needs {}", file.join("::"), names.join(", ")));
        }
    }
    check("Files must not need each other in a circle; these do:", &faults);
}

#[test]
fn the_graph_sees_what_files_name() {
    let paths = |tree| leaves(tree).into_iter().map(|it| it.join("::")).collect::<Vec<_>>();
    assert_eq!(
        paths("crate::a::{B, c::{self, D as E}}"),
        ["crate::a::B", "crate::a::c", "crate::a::c::D"]
    );
    let code = "pub(crate) use chunk::Chunk;\nuse super::log;\nlet a = chunk::of(crate::x::Y);\n";
    let found = uses(code, &BTreeSet::from(["chunk"]));
    let found: Vec<_> = found.iter().map(|it| (it.path.join("::"), it.is_handed_on)).collect();
    let expected = [
        ("chunk::Chunk", true),
        ("super::log", false),
        ("chunk::of", false),
        ("crate::x::Y", false),
    ];
    assert_eq!(found, expected.map(|(path, is_handed_on)| (path.to_owned(), is_handed_on)));
}
