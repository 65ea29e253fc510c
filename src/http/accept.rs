//! Which kind of answer a client wants, by its `Accept`.

use actix_web::http::header::{ACCEPT, HeaderMap};

/// True when the client wants a stream of events: `Accept` names `text/event-stream` and does not
/// prefer JSON.
pub(super) fn accepts_events(headers: &HeaderMap) -> bool {
    let events = weight_of(headers, "text/event-stream");
    events > 0.0 && events >= weight_of(headers, "application/json")
}

/// True when the client wants a line of text: `Accept` names `text/plain` and prefers it to JSON.
/// Libraries of browsers name both, with the same weight, and mean JSON.
pub(super) fn accepts_text(headers: &HeaderMap) -> bool {
    weight_of(headers, "text/plain") > weight_of(headers, "application/json")
}

/// The weight that `Accept` gives a media type by name (RFC 9110, 12.5.1); 0 without the name.
fn weight_of(headers: &HeaderMap, media_type: &str) -> f32 {
    let ranges = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let mut weights = ranges.flat_map(|text| text.split(',')).filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_named = parts.next()?.eq_ignore_ascii_case(media_type);
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        // An invalid weight does not change that the type was named.
        is_named.then(|| weight.and_then(|text| text.parse().ok()).unwrap_or(1.0))
    });
    weights.next().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn accept(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn events_are_the_answer_for_those_who_name_them() {
        let events = |value: &str| accepts_events(&accept(value));
        for wanted in [
            "text/event-stream",
            "Text/Event-Stream; charset=utf-8",
            "application/json, text/event-stream",
            "application/json;q=0.5, text/event-stream ; q=0.9",
            "text/event-stream;q=0.1, */*",
        ] {
            assert!(events(wanted), "{wanted}");
        }
        for other in [
            "*/*",
            "text/*",
            "application/json",
            "text/event-stream;q=0",
            "application/json, text/event-stream;q=0.5",
        ] {
            assert!(!events(other), "{other}");
        }
        assert!(!accepts_events(&HeaderMap::new()));
    }

    #[test]
    fn a_line_is_the_answer_for_those_who_prefer_it() {
        let text = |value: &str| accepts_text(&accept(value));
        for wanted in [
            "text/plain",
            "Text/Plain; charset=utf-8",
            "text/plain, */*",
            "application/json;q=0.1, text/plain",
        ] {
            assert!(text(wanted), "{wanted}");
        }
        for other in ["*/*", "text/*", "application/json, text/plain, */*", "text/plain;q=0"] {
            assert!(!text(other), "{other}");
        }
        assert!(!accepts_text(&HeaderMap::new()));
    }
}
