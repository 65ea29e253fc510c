//! The key or the session that a request shows.

use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};

/// The cookie of the page's session. Browsers take a cookie of this beginning only from the host itself
/// and over a secure connection.
pub(super) const SESSION_COOKIE: &str = "__Host-loadbay";

/// The cookie in which older frontends send their key.
const KEY_COOKIE: &str = "token";

/// What a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credentials<'a> {
    /// Nothing.
    None,
    /// A key.
    Key(&'a str),
    /// What the cookie of a session holds.
    Session(&'a str),
}

/// Reads them. `Authorization` wins over cookies, and a session over the cookie of an older frontend.
pub(super) fn of(headers: &HeaderMap) -> Credentials<'_> {
    let text = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = text.and_then(|text| text.split_once(' '));
    if let Some((scheme, key)) = bearer
        && scheme.eq_ignore_ascii_case("bearer")
    {
        return Credentials::Key(key.trim());
    }
    if let Some(secret) = cookie(headers, SESSION_COOKIE) {
        return Credentials::Session(secret);
    }
    cookie(headers, KEY_COOKIE).map_or(Credentials::None, Credentials::Key)
}

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).filter_map(|value: &HeaderValue| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| known.trim() == name).map(|(_, value)| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_key_is_found_where_clients_put_it() {
        let shown = |pairs: &[(&'static str, &'static str)], expected: Credentials<'_>| {
            let mut request = TestRequest::get();
            for pair in pairs {
                request = request.append_header(*pair);
            }
            assert_eq!(of(request.to_http_request().headers()), expected, "{pairs:?}");
        };
        shown(&[], Credentials::None);
        shown(&[("authorization", "Bearer abc")], Credentials::Key("abc"));
        shown(&[("authorization", "bearer  abc "), ("cookie", "token=x")], Credentials::Key("abc"));
        shown(&[("authorization", "Basic abc")], Credentials::None);
        shown(&[("cookie", "a=b; token=\"abc\"; c=d")], Credentials::Key("abc"));
        let both = [("cookie", "token=abc"), ("cookie", "__Host-loadbay=s")];
        shown(&both, Credentials::Session("s"));
    }
}
