//! The origins whose pages may use the API, as the setting lists them.

use std::collections::BTreeSet;

use url::Url;

/// The origins whose pages may use the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// These, as browsers write them.
    Listed(BTreeSet<String>),
    /// All there are.
    Any,
}

impl Default for Origins {
    fn default() -> Self {
        Self::Listed(BTreeSet::new())
    }
}

impl Origins {
    /// Reads origins that are separated by commas; `*` alone stands for all.
    ///
    /// # Errors
    /// What is not an origin.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',').map(str::trim).filter(|part| !part.is_empty()).peekable();
        if parts.peek() == Some(&"*") {
            parts.next();
            return match parts.next() {
                None => Ok(Self::Any),
                Some(_) => Err("`*` stands alone: it means all origins".to_owned()),
            };
        }
        parts.map(origin).collect::<Result<_, _>>().map(Self::Listed)
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Listed(listed) if listed.is_empty())
    }

    /// True when pages of this origin may use the API.
    pub(super) fn has(&self, origin: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => {
                std::str::from_utf8(origin).is_ok_and(|origin| listed.contains(origin))
            }
        }
    }
}

/// An origin as browsers write it: `HTTP://Example.com:80/` gives `http://example.com`.
fn origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && !text.contains('*')
            && (url.path(), url.query(), url.fragment()) == ("/", None, None)
            && (url.username(), url.password()) == ("", None)
    });
    url.map(|url| url.origin().ascii_serialization()).ok_or_else(|| {
        format!(
            "`{text}` is not an origin; write it like https://shop.example:8443, without a path"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_do() {
        let origins = Origins::parse("HTTP://LocalHost:3000/, https://shop.example:443,").unwrap();
        assert!(origins.has(b"http://localhost:3000"));
        assert!(origins.has(b"https://shop.example"));
        for other in ["http://localhost", "https://localhost:3000", "null", "https://x.example"] {
            assert!(!origins.has(other.as_bytes()), "{other}");
        }
        assert!(Origins::parse(" , ").unwrap().is_empty());
        assert!(Origins::parse("*").unwrap().has(b"https://anything.example"));
    }

    #[test]
    fn what_is_not_an_origin_is_refused() {
        for text in [
            "localhost:3000",
            "//localhost",
            "ftp://localhost",
            "http://",
            "http://localhost/app",
            "http://localhost?x",
            "http://me@localhost",
            "http://localhost:99999",
            "http://*.example",
            "null",
            "*,http://localhost",
            "http://localhost,*",
        ] {
            assert!(Origins::parse(text).is_err(), "{text}");
        }
    }
}
