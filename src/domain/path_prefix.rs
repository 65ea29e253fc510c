//! The path below which clients see the addresses of the server. Knows no address and no proxy.

use std::fmt;
use std::sync::Arc;

/// The longest prefix, in bytes.
const BYTES_MAX: usize = 200;

/// Nothing, or a path such as `/loadbay`: it begins with a slash and does not end with one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathPrefix(Arc<str>);

impl PathPrefix {
    /// Reads a prefix; a slash at its end is left out, and a single slash is no prefix.
    ///
    /// # Errors
    /// What a prefix looks like. Whatever could lead to another host is refused.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let is_segment = |segment: &str| {
            let is_plain = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
            !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain)
        };
        let segments = path.strip_prefix('/');
        let is_path = segments.is_some_and(|rest| rest.split('/').all(is_segment));
        if path.is_empty() || (is_path && path.len() <= BYTES_MAX) {
            return Ok(Self(path.into()));
        }
        Err(format!(
            "`{}` is not a path of letters, digits and - . _ ~; write it like /loadbay",
            super::row_error::shown(text)
        ))
    }

    /// An address of the server, which begins with a slash, as clients write it.
    #[must_use]
    pub fn to(&self, address: impl fmt::Display) -> String {
        format!("{}{address}", self.0)
    }

    /// The address of the server in one that clients write; nothing for one that is not below the
    /// prefix. The prefix itself gives nothing but the empty text.
    #[must_use]
    pub fn strip<'a>(&self, address: &'a str) -> Option<&'a str> {
        let rest = address.strip_prefix(&*self.0)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_path_without_a_slash_at_its_end() {
        for (text, prefix) in [
            ("/loadbay", "/loadbay"),
            ("/loadbay/", "/loadbay"),
            ("/a/b-c.d_e~f", "/a/b-c.d_e~f"),
            ("/", ""),
            ("", ""),
        ] {
            assert_eq!(PathPrefix::parse(text).unwrap().to("/x"), format!("{prefix}/x"), "{text}");
        }
        let long = format!("/{}", "x".repeat(BYTES_MAX));
        for text in
            ["loadbay", "//evil.example", "/a//b", "/..", "/a/./b", "/a b", "/ä", "/a?b", "/a%2f"]
                .into_iter()
                .chain([long.as_str()])
        {
            assert!(PathPrefix::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_whole_segments_are_taken_away() {
        let prefix = PathPrefix::parse("/loadbay").unwrap();
        assert_eq!(prefix.strip("/loadbay/jobs/1"), Some("/jobs/1"));
        assert_eq!(prefix.strip("/loadbay"), Some(""));
        assert_eq!(prefix.strip("/loadbay2/jobs/1"), None);
        assert_eq!(prefix.strip("/jobs/1"), None);
        assert_eq!(PathPrefix::default().strip("/jobs/1"), Some("/jobs/1"));
    }
}
