//! The files of the web page, embedded in the program: HTML, CSS and ES modules as they were
//! written, without a build step. Knows no HTTP.

use std::sync::LazyLock;

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub struct PageFile {
    /// The last part of its address.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// What it holds.
    pub bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! embedded {
    ($media_type:ident, $name:literal) => {
        PageFile { name: $name, media_type: $media_type, bytes: include_bytes!($name) }
    };
}

/// The shell of the start: its scripts look at the address. All addresses in the page are relative to
/// its `<base>`, so that it works below any path.
pub const SHELL: PageFile = embedded!(HTML, "index.html");

/// `SHELL.bytes` as text.
const SHELL_TEXT: &str = include_str!("index.html");

/// The shell of a job or a bulk, whose address is one part longer.
static JOB_SHELL: LazyLock<String> =
    LazyLock::new(|| SHELL_TEXT.replace(r#"<base href="./">"#, r#"<base href="../">"#));

/// What the shell loads.
pub const FILES: &[PageFile] = &[
    embedded!(SVG, "favicon.svg"),
    embedded!(CSS, "style.css"),
    embedded!(CSS, "home.css"),
    embedded!(JS, "main.js"),
    embedded!(JS, "text.js"),
    embedded!(JS, "api.js"),
    embedded!(JS, "sign-in.js"),
    embedded!(JS, "row-differences.js"),
    embedded!(JS, "stream.js"),
    embedded!(JS, "progress-bar.js"),
    embedded!(JS, "upload-card.js"),
    embedded!(JS, "drop-zone.js"),
    embedded!(JS, "upload-options.js"),
    embedded!(JS, "file-address.js"),
    embedded!(JS, "file-line.js"),
    embedded!(JS, "file-preview.js"),
    embedded!(JS, "warning-list.js"),
    embedded!(JS, "job-list.js"),
    embedded!(JS, "job-row.js"),
    embedded!(CSS, "job.css"),
    embedded!(JS, "job-page.js"),
    embedded!(JS, "unknown-page.js"),
    embedded!(JS, "job-state.js"),
    embedded!(JS, "job-kind.js"),
    embedded!(JS, "job-actions.js"),
    embedded!(JS, "job-priority.js"),
    embedded!(JS, "job-questions.js"),
    embedded!(JS, "ask-dialog.js"),
    embedded!(JS, "download-link.js"),
    embedded!(JS, "job-progress.js"),
    embedded!(JS, "rate-chart.js"),
    embedded!(JS, "job-counts.js"),
    embedded!(JS, "job-results.js"),
    embedded!(JS, "job-warnings.js"),
    embedded!(JS, "job-log.js"),
    embedded!(JS, "log-lines.js"),
    embedded!(JS, "error-groups.js"),
    embedded!(JS, "superseded-rows.js"),
    embedded!(JS, "created-references.js"),
    embedded!(JS, "name-search.js"),
    embedded!(JS, "new-references.js"),
    embedded!(JS, "job-new-references.js"),
    embedded!(JS, "job-facts.js"),
    embedded!(CSS, "bulk.css"),
    embedded!(JS, "bulk-page.js"),
    embedded!(JS, "bulk-files.js"),
    embedded!(JS, "bulk-actions.js"),
    embedded!(CSS, "datasets.css"),
    embedded!(JS, "dataset-maker.js"),
    embedded!(JS, "definition-form.js"),
    embedded!(JS, "dataset-page.js"),
    embedded!(JS, "row-corrector.js"),
    embedded!(JS, "csv.js"),
];

/// The page of the calls, which shows the description of the API.
pub const CALLS: PageFile = embedded!(HTML, "calls.html");

/// What that page loads besides.
pub const CALLS_FILES: &[PageFile] = &[embedded!(CSS, "calls.css"), embedded!(JS, "calls.js")];

/// The shell at the addresses of jobs and bulks.
#[must_use]
pub fn job_shell() -> PageFile {
    PageFile { bytes: JOB_SHELL.as_bytes(), ..SHELL }
}

/// The file with this name.
#[must_use]
pub fn file(name: &str) -> Option<&'static PageFile> {
    FILES.iter().chain(CALLS_FILES).find(|file| file.name == name)
}
