//! The file of a job that comes from an address instead of an upload: the address, and how far its
//! download is.
//!
//! An address may hold a secret (a signed link has it in its query), so it is shown without query.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An address as the client gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceUrl(String);

impl SourceUrl {
    /// An address that was checked before.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole address, for the one who asks there and for the table: never for a log or a client.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The address without what may be secret: its query.
    #[must_use]
    pub fn shown(&self) -> String {
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        let (shown, rest) = self.0.split_at_checked(end).unwrap_or((&self.0, ""));
        let rest = if rest.starts_with('?') { "?…" } else { "" };
        format!("{shown}{rest}")
    }
}

impl fmt::Debug for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// What a server says of the version of a file: the same answer later means the same content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileVersion {
    /// `ETag`, with its quotation marks and `W/` if it is weak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// `Last-Modified` as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl FileVersion {
    /// What `If-Range` takes: a strong tag, else the time. A weak tag says nothing about bytes.
    #[must_use]
    pub fn strong(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|tag| !tag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }

    /// True when both say a tag and it is not the same one.
    #[must_use]
    pub fn is_other_than(&self, other: &Self) -> bool {
        self.etag.is_some() && other.etag.is_some() && self.etag != other.etag
    }

    /// True when the server said nothing.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// How far a download is, as it is stored with the job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DownloadProgress {
    /// Bytes that came so far.
    pub received_bytes: u64,
    /// Bytes of the file, as far as the server said.
    pub total_bytes: Option<u64>,
    /// Of the last seconds while it runs, of the whole when it has ended.
    pub bytes_per_second: Option<u64>,
    /// Milliseconds that it took, in all runs; pauses do not count.
    pub millis: u64,
    /// Attempts in a row that brought nothing new.
    pub failures: u32,
    /// The version of the file.
    pub version: FileVersion,
    /// The client named the file, whatever its server calls it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_named: bool,
    /// The job that imported this content before, if that is why this one imported nothing.
    pub unchanged_since: Option<i64>,
}

/// The download of a job's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// From where.
    pub url: SourceUrl,
    /// How far.
    pub progress: DownloadProgress,
    /// The file is not here yet: the next run of the job downloads it.
    pub is_awaited: bool,
}

impl Download {
    /// A download that has not begun.
    #[must_use]
    pub fn of(url: SourceUrl) -> Self {
        Self { url, progress: DownloadProgress::default(), is_awaited: true }
    }

    /// The same download from its beginning.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut again = Self::of(self.url.clone());
        again.progress.is_named = self.progress.is_named;
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_not_shown() {
        for (text, shown) in [
            ("https://a.example/x.csv", "https://a.example/x.csv"),
            ("https://a.example/x.csv?sig=s3cret#part", "https://a.example/x.csv?…"),
            ("https://a.example/x.csv#s3cret", "https://a.example/x.csv"),
        ] {
            let url = SourceUrl::new(text);
            assert_eq!(url.shown(), shown);
            assert!(!format!("{url:?}").contains("s3cret"));
        }
    }

    #[test]
    fn only_a_strong_tag_or_a_time_resumes() {
        let version = |etag: &str, time: Option<&str>| FileVersion {
            etag: Some(etag.to_owned()),
            last_modified: time.map(str::to_owned),
        };
        assert_eq!(version("\"a\"", Some("now")).strong(), Some("\"a\""));
        assert_eq!(version("W/\"a\"", Some("now")).strong(), Some("now"));
        assert_eq!(version("W/\"a\"", None).strong(), None);
    }
}
