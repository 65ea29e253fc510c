//! `GET /docs/files`: what files may look like, for those who fill them in. It is made from
//! `docs/files.md`, so that both say the same.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::page;

const TEXT: &str = include_str!("../../docs/files.md");

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Files · Loadbay</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <link rel="icon" href="../page/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="../page/style.css">
  <link rel="stylesheet" href="../page/datasets.css">
</head>
<body>
<main class="wide document">
"#;

const FOOT: &str = "</main>\n</body>\n</html>\n";

static HTML: LazyLock<String> = LazyLock::new(|| HEAD.to_owned() + rendered(TEXT).as_str() + FOOT);

/// The page, or 304 when the client has it.
pub(super) async fn files(request: HttpRequest) -> HttpResponse {
    page::served(&request, "text/html; charset=utf-8", HTML.as_bytes())
}

/// The text as HTML. Links to other files of the documentation lead nowhere here, and are left out.
fn rendered(text: &str) -> String {
    let mut events: Vec<Event<'_>> = Vec::new();
    // Links cannot stand in each other.
    let mut is_left_out = false;
    let mut heading: Option<(usize, HeadingLevel, String)> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match &event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                is_left_out = !dest_url.starts_with('#');
                if is_left_out {
                    continue;
                }
            }
            Event::End(TagEnd::Link) if is_left_out => continue,
            Event::Start(Tag::Heading { level, .. }) => {
                heading = Some((events.len(), *level, String::new()));
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some((_, _, title)) = &mut heading {
                    title.push_str(words);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((at, level, title)) = heading.take()
                    && let Some(start) = events.get_mut(at)
                {
                    let id = Some(CowStr::from(anchor(&title)));
                    let (classes, attrs) = (Vec::new(), Vec::new());
                    *start = Event::Start(Tag::Heading { level, id, classes, attrs });
                }
            }
            _ => {}
        }
        events.push(event);
    }
    let mut html = String::with_capacity(text.len() * 2);
    html::push_html(&mut html, events.into_iter());
    html
}

/// The anchor of a heading, as the links of the documentation have it.
fn anchor(title: &str) -> String {
    let letters = title.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    letters.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_what_is_there() {
        let html = rendered("# Of *files*\n\nSee [it](#of-files), and [all](api.md#x).\n");
        assert_eq!(
            html,
            "<h1 id=\"of-files\">Of <em>files</em></h1>\n<p>See <a href=\"#of-files\">it</a>, and all.</p>\n"
        );
        for link in HTML.split("href=\"#").skip(1) {
            let anchor = link.split('"').next().unwrap_or_default();
            assert!(HTML.contains(&format!("id=\"{anchor}\"")), "{anchor}");
        }
    }
}
