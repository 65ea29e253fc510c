//! The links of the documentation: each leads to a file, a heading, a route or an error code.

use std::collections::BTreeSet;
use std::path::Path;

use loadbay::domain::error_code::ErrorCode;

use super::docs::text;
use super::routes::{REGISTERED, plain};
use super::sources::{check, root};

/// The pages that readers begin with, and every page of `docs`.
fn pages() -> Vec<String> {
    let mut pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned).to_vec();
    let docs = std::fs::read_dir(root().join("docs")).expect("the folder can be listed");
    let names = docs.map(|it| it.expect("the entry can be read").file_name());
    let pages_of_docs = names.map(|name| format!("docs/{}", name.to_string_lossy()));
    let is_page = |page: &String| Path::new(page).extension().is_some_and(|it| it == "md");
    pages.extend(pages_of_docs.filter(is_page));
    pages
}

/// The lines outside blocks of code.
fn prose(page: &str) -> String {
    let mut in_code = false;
    let mut prose = String::new();
    for line in page.lines() {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        if !in_code && !is_fence {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// The anchors that GitHub makes of a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(page).lines() {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let slug = slug(heading.trim());
        let again = (1..).map(|number| format!("{slug}-{number}"));
        let mut names = std::iter::once(slug.clone()).chain(again);
        anchors.extend(names.find(|name| !anchors.contains(name)));
    }
    anchors
}

/// In lower case, without punctuation, blanks as hyphens.
fn slug(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    heading.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// What a link of a page leads to and is not there.
fn fault(page: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    if link.starts_with('/') {
        return (!is_served(link)).then(|| format!("{page}: no route answers {link}"));
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let target = if file.is_empty() { Path::new(page).to_owned() } else { folder.join(file) };
    if !root().join(&target).exists() {
        return Some(format!("{page}: no file {link}"));
    }
    let has_anchor =
        anchor.is_empty() || anchors(&text(&target.to_string_lossy())).contains(anchor);
    (!has_anchor).then(|| format!("{page}: no heading {link}"))
}

/// True for an address that a route answers, and for an error code of the page of errors.
fn is_served(address: &str) -> bool {
    if let Some(code) = address.strip_prefix("/docs/errors#") {
        return ErrorCode::ALL.iter().any(|known| known.as_str() == code);
    }
    let address = plain(address);
    REGISTERED.iter().any(|route| {
        let path = route.split(' ').nth(1).unwrap_or_default();
        let (route, given) = (path.split('/'), address.split('/'));
        let fits = |(of_route, given): (&str, &str)| {
            of_route == given || of_route == "{}" && !given.is_empty() || given == "{}"
        };
        route.clone().count() == given.clone().count() && route.zip(given).all(fits)
    })
}

/// Addresses of the API and of the page of errors, wherever a page names one.
fn addresses(page: &str) -> Vec<String> {
    let mut addresses = Vec::new();
    for start in ["/api/", "/docs/errors"] {
        for (at, _) in page.match_indices(start) {
            let rest = page.get(at..).unwrap_or_default();
            let is_part = |c: char| c.is_alphanumeric() || "/{}-_.#…".contains(c);
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let address = rest.get(..end).unwrap_or_default().trim_end_matches('.');
            // `/api/v1` itself is where the addresses begin.
            if address != "/api/v1" {
                addresses.push(address.to_owned());
            }
        }
    }
    addresses
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    let mut faults = Vec::new();
    for page in pages() {
        let prose = prose(&text(&page));
        for opening in ["](", "src=\"", "srcset=\""] {
            let links = prose.split(opening).skip(1);
            let links = links.map(|rest| rest.split([')', '"']).next().unwrap_or_default());
            faults.extend(links.filter_map(|link| fault(&page, link)));
        }
    }
    check("A link leads to a file, a heading or a route.", &faults);
}

#[test]
fn every_address_of_the_server_in_the_documentation_is_served() {
    let mut faults = Vec::new();
    for page in pages() {
        let named = addresses(&text(&page)).into_iter().filter(|address| !is_served(address));
        faults.extend(named.map(|address| format!("{page}: {address}")));
    }
    check("An address of the server is that of a route, or of an error code.", &faults);
}

#[test]
fn a_link_that_leads_nowhere_is_seen() {
    let page = "# `import_log` is the queue\n## Errors (all)\n## Errors, all\n```\n# no\n```\n";
    let found: Vec<_> = anchors(page).into_iter().collect();
    assert_eq!(found, ["errors-all", "errors-all-1", "import_log-is-the-queue"]);
    for link in ["gone.md", "api.md#gone", "#gone", "/gone", "/docs/errors#gone"] {
        assert!(fault("docs/compat.md", link).is_some(), "{link}");
    }
    for link in ["api.md#upload", "../README.md", "/docs/errors#empty_file", "/jobs/7"] {
        assert_eq!(fault("docs/compat.md", link), None);
    }
    assert!(is_served("/api/v1/import/jobs/{jobId}/{action}") && !is_served("/api/v1/limit"));
}
