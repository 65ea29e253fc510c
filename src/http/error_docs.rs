//! `GET /docs/errors`: the page that the `type` of every refusal leads to, with one anchor a code.
//!
//! It is made from the table of error codes, as the tables in `docs/api.md` are. Knows no job.

use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web};

use super::page;
use super::problem::ERROR_DOCS;
use super::resource::get;
use crate::domain::error_code::ErrorCode;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Error codes · Loadbay</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <link rel="icon" href="../page/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="../page/style.css">
</head>
<body>
<main class="wide">
<h1>Error codes</h1>
<p>A refused request has the code in <code>code</code>, a failed job in <code>errorCode</code>.
The status is that of a refused request.</p>
<table>
<thead><tr><th>Code</th><th>Status</th><th>Retry</th><th>Meaning</th><th>What to do</th></tr></thead>
<tbody>
"#;

const FOOT: &str = "</tbody>\n</table>\n</main>\n</body>\n</html>\n";

static HTML: LazyLock<String> = LazyLock::new(html);

/// The page, or 304 when the client has it.
pub(super) async fn error_codes(request: HttpRequest) -> HttpResponse {
    page::served(&request, "text/html; charset=utf-8", HTML.as_bytes())
}

/// Registers the page.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(get(ERROR_DOCS, web::to(error_codes)));
}

fn html() -> String {
    let mut html = HEAD.to_owned();
    for code in ErrorCode::ALL {
        let name = code.as_str();
        let retry = if code.is_retryable() { "yes" } else { "no" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            html,
            "<tr id=\"{name}\"><td><code>{name}</code></td><td>{}</td><td>{retry}</td>\
             <td>{}</td><td>{}</td></tr>",
            code.status(),
            text(code.title()),
            text(code.remedy()),
        );
    }
    html.push_str(FOOT);
    html
}

/// The texts of the table as HTML; what stands between backticks becomes code.
fn text(plain: &str) -> String {
    let escaped = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut html = String::with_capacity(escaped.len());
    for (index, part) in escaped.split('`').enumerate() {
        if index > 0 {
            html.push_str(if index % 2 == 1 { "<code>" } else { "</code>" });
        }
        html.push_str(part);
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_anchor_with_its_status_and_remedy() {
        let html = html();
        for code in ErrorCode::ALL {
            let row = format!(
                "<tr id=\"{0}\"><td><code>{0}</code></td><td>{1}</td>",
                code.as_str(),
                code.status()
            );
            assert!(html.contains(&row), "{row}");
            assert!(html.contains(&text(code.remedy())), "{}", code.as_str());
        }
    }

    #[test]
    fn texts_become_html() {
        assert_eq!(text("give `a<b` & c"), "give <code>a&lt;b</code> &amp; c");
    }
}
