//! The web page as files: each is served as what it is and only when it changed, nothing comes from
//! elsewhere, nothing is inline, and whatever one file names is there.

use std::collections::BTreeSet;

use crate::support::{Answer, Kind, Server};
use loadbay::page::{FILES, PageFile, SHELL, file, job_shell};
use reqwest::Method;
use reqwest::header::{ACCEPT, IF_NONE_MATCH};

/// What a browser says when somebody types an address.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const LINES_MAX: usize = 500;

fn text(file: &PageFile) -> &'static str {
    std::str::from_utf8(file.bytes).unwrap()
}

fn all() -> impl Iterator<Item = &'static PageFile> {
    std::iter::once(&SHELL).chain(FILES)
}

fn scripts() -> impl Iterator<Item = &'static PageFile> {
    FILES.iter().filter(|file| file.media_type.starts_with("text/javascript"))
}

/// What stands in `text` between each `before` and the next double quote.
fn quoted_after<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
}

/// The files below `/page/` that a file needs.
fn needed(file: &PageFile) -> Vec<&'static str> {
    let text = text(file);
    let mut names: Vec<&str> = quoted_after(text, "\"page/").collect();
    for before in ["from \"./", "import \"./", "import(\"./"] {
        names.extend(quoted_after(text, before));
    }
    names
}

async fn browse(server: &Server, path: &str) -> Answer {
    server.send(server.request(Method::GET, path).header(ACCEPT, BROWSER)).await
}

#[track_caller]
fn assert_served(answer: &Answer, file: &PageFile, path: &str) {
    assert_eq!(answer.status, 200, "{path}");
    assert_eq!(answer.bytes, file.bytes, "{path}");
    assert_eq!(answer.header("content-type"), Some(file.media_type), "{path}");
    assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    let policy = answer.header("content-security-policy").unwrap();
    for rule in ["default-src 'none'", "script-src 'self'", "style-src 'self'"] {
        assert!(policy.contains(rule), "{path}: {policy}");
    }
    for rule in ["frame-ancestors 'none'", "base-uri 'self'", "connect-src 'self'"] {
        assert!(policy.contains(rule), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
}

#[tokio::test]
async fn every_file_is_served_as_what_it_is_and_only_when_it_changed() {
    let server = Server::start(Kind::Sqlite).await;
    let files = FILES.iter().map(|file| (format!("/page/{}", file.name), file));
    let job_shell = job_shell();
    let shells = [
        ("/", &SHELL),
        ("/?dataset=products&status=failed", &SHELL),
        ("/jobs/123", &job_shell),
        ("/bulks/0b7c5d1e-64a1-4c53-9c6a-9f3a0e0d7a11", &job_shell),
    ];
    let shells = shells.map(|(path, shell)| (path.to_owned(), shell));
    for (path, file) in files.chain(shells) {
        let answer = browse(&server, &path).await;
        assert_served(&answer, file, &path);

        let tag = answer.header("etag").unwrap();
        let again = server.request(Method::GET, &path).header(ACCEPT, BROWSER);
        let again = server.send(again.header(IF_NONE_MATCH, tag)).await;
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(tag), "{path}");

        let head = server.request(Method::HEAD, &path).header(ACCEPT, BROWSER);
        let head = server.send(head).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0), "{path}");
    }
}

#[tokio::test]
async fn addresses_that_are_not_of_the_page_are_refused() {
    let server = Server::start(Kind::Sqlite).await;
    for path in ["/page/index.html", "/page/none.js", "/page/..%2Fmod.rs", "/page/", "/jobs/"] {
        browse(&server, path).await.assert_problem(404, "not_found");
    }
    browse(&server, "/jobs/abc").await.assert_problem(404, "job_not_found");
    browse(&server, "/bulks/7").await.assert_problem(404, "bulk_not_found");
    let post = server.send(server.request(Method::POST, "/page/main.js")).await;
    post.assert_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn those_without_a_browser_get_a_few_lines_of_text() {
    let server = Server::start(Kind::Sqlite).await;
    for accept in [None, Some("*/*"), Some("application/json")] {
        let mut request = server.request(Method::GET, "/");
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        let answer = server.send(request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("vary"), Some("Accept"));
        assert!(answer.text().contains("curl -F file=@products.csv"), "{}", answer.text());
    }
    assert_eq!(browse(&server, "/").await.header("vary"), Some("Accept"));
}

#[tokio::test]
async fn the_address_of_before_leads_to_the_page() {
    let server = Server::start(Kind::Sqlite).await;
    let policy = reqwest::redirect::Policy::none();
    let client = crate::support::http_client().redirect(policy).build().unwrap();
    let address = format!("{}/products/import-export-advanced", server.address());
    let answer = client.get(address).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], "/?dataset=products");
}

#[test]
fn nothing_comes_from_elsewhere() {
    for file in all() {
        // The name of SVG's vocabulary is no address, and nobody opens the example of one.
        let text = text(file).replace("http://www.w3.org/2000/svg", "");
        let text = text.replace("placeholder: \"https://supplier.example/", "");
        for scheme in ["http://", "https://", "ws://", "wss://", "\"//", "url(//", "@import"] {
            assert!(!text.contains(scheme), "{} names `{scheme}`", file.name);
        }
    }
}

/// The page works below any path: its addresses are relative to its base.
#[test]
fn no_address_begins_with_a_slash() {
    assert!(text(&SHELL).contains("<base href=\"./\">"));
    assert!(text(&job_shell()).contains("<base href=\"../\">"));
    for file in all() {
        for address in ["\"/page", "\"/jobs", "\"/api", "`/jobs", "`/api", "href: \"/", "href=\"/"]
        {
            assert!(!text(file).contains(address), "{} has an address `{address}…`", file.name);
        }
    }
}

#[test]
fn nothing_is_inline() {
    let shell = text(&SHELL);
    for (element, end) in [("<script", "</script>"), ("<style", "</style>")] {
        for part in shell.split(element).skip(1) {
            let (_, inside) = part.split_once('>').unwrap();
            let inside = inside.split(end).next().unwrap();
            assert!(inside.trim().is_empty(), "{element}> holds `{inside}`");
        }
    }
    assert!(!shell.contains(" style="), "a style attribute");
    let attributes = shell.split_whitespace().filter(|word| word.contains("=\""));
    let listeners: Vec<_> = attributes.filter(|word| word.starts_with("on")).collect();
    assert!(listeners.is_empty(), "{listeners:?}");
    // Texts that become HTML are how values of a file would become scripts.
    for file in scripts() {
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!text(file).contains(word), "{} uses {word}", file.name);
        }
        assert!(!text(file).contains("style=\""), "{} has a style attribute", file.name);
    }
}

#[test]
fn whatever_a_file_names_is_there_and_nothing_is_there_in_vain() {
    let mut named = BTreeSet::new();
    let mut waiting = vec![&SHELL];
    while let Some(from) = waiting.pop() {
        for name in needed(from) {
            let found = file(name);
            assert!(found.is_some(), "{} needs {name}, which is not there", from.name);
            if named.insert(name) {
                waiting.extend(found);
            }
        }
    }
    let embedded: BTreeSet<&str> = FILES.iter().map(|file| file.name).collect();
    assert_eq!(named, embedded);
    assert_eq!(embedded.len(), FILES.len(), "a file is listed twice");
}

#[test]
fn the_shell_announces_every_module_at_once() {
    let preloaded = quoted_after(text(&SHELL), "rel=\"modulepreload\" href=\"page/");
    let mut preloaded: Vec<&str> = preloaded.chain(["main.js"]).collect();
    preloaded.sort_unstable();
    let mut modules: Vec<&str> = scripts().map(|file| file.name).collect();
    modules.sort_unstable();
    assert_eq!(preloaded, modules);
}

#[test]
fn every_file_says_what_it_owns_and_is_short() {
    for file in FILES.iter().filter(|file| file.media_type.starts_with("text/")) {
        let beginning = if file.media_type.starts_with("text/css") { "/* " } else { "// " };
        assert!(text(file).starts_with(beginning), "{} does not say what it owns", file.name);
        let lines = text(file).lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", file.name);
    }
}
