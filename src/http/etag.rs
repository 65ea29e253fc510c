//! Entity tags and `If-None-Match` (RFC 9110, 8.8.3 and 13.1.2).

use actix_web::HttpRequest;
use actix_web::http::header::IF_NONE_MATCH;
use xxhash_rust::xxh3::xxh3_64;

/// The weak tag of a body.
pub(super) fn weak_tag(body: &[u8]) -> String {
    format!("W/\"{:016x}\"", xxh3_64(body))
}

/// The tags that a client knows.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownTags(Vec<String>);

impl KnownTags {
    /// Reads `If-None-Match`; invalid tags are ignored.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let tags = request.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
        Self(tags.flat_map(|tags| tags.split(',')).map(|tag| opaque(tag).to_owned()).collect())
    }

    /// True when the client named any tag.
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Weak comparison, as the header demands; `*` matches everything.
    pub(super) fn contains(&self, tag: &str) -> bool {
        self.0.iter().any(|seen| seen == "*" || seen == opaque(tag))
    }
}

fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        let tag = weak_tag(b"{}");
        let strong = tag.trim_start_matches("W/").to_owned();
        for (header, matches) in [
            (tag.clone(), true),
            (strong, true),
            (format!("\"x\", {tag}"), true),
            ("*".to_owned(), true),
            (weak_tag(b"{ }"), false),
            (String::new(), false),
        ] {
            let request = actix_web::test::TestRequest::default()
                .insert_header((IF_NONE_MATCH, header.clone()))
                .to_http_request();
            assert_eq!(KnownTags::of(&request).contains(&tag), matches, "{header}");
        }
    }
}
