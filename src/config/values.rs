//! Text to checked values: one function a kind of value, with a sentence for what it is not.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use super::database_parameters;

/// A database address. Its password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address with its password, for the one who connects.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    /// `postgres://user:***@host/database`; query parameters may hold a password too and are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.split(['?', '#']).next().unwrap_or_default();
        let Some((scheme, rest)) = shown.split_once("://") else { return f.write_str("***") };
        match rest.rsplit_once('@') {
            Some((user, host)) => {
                let name = user.split(':').next().unwrap_or_default();
                let secret = if user.contains(':') { ":***" } else { "" };
                write!(f, "{scheme}://{name}{secret}@{host}")
            }
            None => f.write_str(shown),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key or a password. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, for the one who needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| format!("`{text}` is not an address and port; write it like 127.0.0.1:8080"))
}

pub(super) fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    let after = |scheme| text.strip_prefix(scheme);
    if let Some(address) = after("postgres://").or_else(|| after("postgresql://")) {
        // First: what it cuts off would look like a parameter.
        check_password(address)?;
        database_parameters::check(text)?;
        return Ok(DatabaseUrl(text.to_owned()));
    }
    if let Some(path) = after("sqlite://").or_else(|| after("sqlite:")) {
        return sqlite_url(path).map(|()| DatabaseUrl(text.to_owned()));
    }
    Err("the address begins with none of postgres://, postgresql:// and sqlite:///; \
         leave it out to use the SQLite file in the data directory"
        .to_owned())
}

/// A file that more than one connection can open. It is read as a path, not as an address.
fn sqlite_url(path: &str) -> Result<(), String> {
    if path.is_empty() || path.starts_with(":memory:") {
        return Err("sqlite: needs the path of a file, as in sqlite:///srv/shop.db".to_owned());
    }
    if path.contains(['?', '#', '%']) {
        return Err(
            "the path of an SQLite file is taken as it stands, so it can have no `?`, `#` \
                    or `%`, and no parameters"
                .to_owned(),
        );
    }
    Ok(())
}

/// A schema of PostgreSQL.
pub(super) fn schema(text: &str) -> Result<String, String> {
    let is_name = text.len() <= 63 && !text.chars().any(char::is_control);
    if is_name && !text.starts_with("pg_") {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` cannot be the name of a schema: it has at most 63 bytes and does not begin with pg_"
    ))
}

/// Refuses a password that ends the address too early. The error never quotes a part of it.
fn check_password(address: &str) -> Result<(), String> {
    let end = address.find(['/', '?', '#']).unwrap_or(address.len());
    let (authority, rest) = address.split_at_checked(end).unwrap_or((address, ""));
    // A query may hold an `@` in a value; its first name cannot.
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let name = query.split(['=', '&']).next().unwrap_or_default();
    let has_fragment = rest.contains('#');
    let is_cut = has_fragment || path.contains('@') || name.contains('@');
    let user = authority.rsplit_once('@').map_or(authority, |(user, _)| user);
    let password = user.split_once(':').map_or("", |(_, password)| password);
    let is_broken_escape = authority.contains('@')
        && password.split('%').skip(1).any(|escape| {
            !escape.get(..2).is_some_and(|it| it.chars().all(|c| c.is_ascii_hexdigit()))
        });
    if !is_cut && !is_broken_escape {
        return Ok(());
    }
    Err("the user or the password has a character that means something else in an address; write \
         `#` as %23, `/` as %2F, `?` as %3F, `@` as %40, `:` as %3A and `%` as %25"
        .to_owned())
}

/// An encoding whose lines end with the bytes of ASCII, so that its files can be searched for lines.
pub(super) fn encoding(label: &str) -> Result<String, String> {
    encoding_rs::Encoding::for_label(label.as_bytes())
        .filter(|encoding| encoding.is_ascii_compatible() && *encoding != encoding_rs::UTF_8)
        .map(|encoding| encoding.name().to_ascii_lowercase())
        .ok_or_else(|| {
            format!(
                "`{label}` is not an encoding of text files beside UTF-8; write it like \
                 windows-1250, iso-8859-15 or shift_jis"
            )
        })
}

/// Names separated by commas.
pub(super) fn names(text: &str) -> Result<BTreeSet<String>, String> {
    let names: BTreeSet<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    if names.contains("") {
        return Err(format!("`{text}` is no list of names; write it like products,dealers"));
    }
    Ok(names)
}

/// The beginning of a name.
pub(super) fn name_prefix(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if text.len() > 64 || !text.chars().all(is_plain) {
        return Err(format!("`{text}` is not made of at most 64 letters, digits, - and _"));
    }
    Ok(text.to_owned())
}

/// A limit, or the word `none`.
pub(super) fn or_none<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if text == "none" {
        return Ok(None);
    }
    parse(text).map(Some).map_err(|fault| format!("{fault}, or none"))
}

/// Yes or no.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

/// A folder. An address in its place would become a folder of that name.
pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    if text.contains("://") {
        return Err(format!("`{text}` is an address; the setting takes a folder"));
    }
    Ok(PathBuf::from(text))
}

pub(super) fn number(text: &str, least: u32, most: u32) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("`{text}` is not a whole number from {least} to {most}"))
}

/// Bytes with an optional unit of 1024. `GB` and `Gb` are refused: they mean different things to
/// different people.
pub(super) fn bytes(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.strip_prefix(digits).unwrap_or_default().trim();
    let factor: Option<u64> = match unit {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    };
    let size = digits.parse::<u64>().ok().zip(factor).and_then(|(n, f)| n.checked_mul(f));
    size.filter(|size| (least..=most).contains(size)).ok_or_else(|| {
        let (least, most) = (bytesize::ByteSize(least), bytesize::ByteSize(most));
        format!(
            "`{text}` is not a size from {} to {}; write it in bytes or like 512MiB (B, KiB, MiB, GiB, TiB)",
            least.display().iec(),
            most.display().iec()
        )
    })
}

pub(super) fn time(text: &str, least: u64, most: u64) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|time| (Duration::from_secs(least)..=Duration::from_secs(most)).contains(time))
        .ok_or_else(|| {
            format!(
                "`{text}` is not a time from {} to {}; write it like 30s, 10min or 1h",
                humantime::format_duration(Duration::from_secs(least)),
                humantime::format_duration(Duration::from_secs(most))
            )
        })
}

/// A time, or the word `never`.
pub(super) fn time_or_never(text: &str, least: u64, most: u64) -> Result<Option<Duration>, String> {
    if text == "never" {
        return Ok(None);
    }
    time(text, least, most).map(Some).map_err(|fault| format!("{fault}, or never"))
}

pub(super) fn seconds(text: &str, least: u64, most: u64) -> Result<u64, String> {
    time(text, least, most).map(|time| time.as_secs())
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|_| {
        format!("`{text}` is not a log filter; write it like info or info,loadbay=debug")
    })
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("`{text}` is not a log format; it takes text or json")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bytes_in_units_of_1024() {
        let size = |text: &str| bytes(text, 1 << 10, 1 << 40);
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64 MiB"), Ok(64 << 20));
        for refused in ["1GB", "1gb", "8Mbit", "1.5GiB", "-1", "99999999999999999999", "17TiB"] {
            assert!(size(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_password_that_must_be_encoded_is_told_without_it() {
        for url in [
            "postgres://me:s3#cret@db/x",
            "postgres://me:s3/cret@db/x",
            "postgres://me:s3?cret@db/x",
            "postgres://me:12/34@db:5432/x",
            "postgres://me:a@b/cret@db/x",
            "postgresql://me:100%@db/x",
            "postgres://me:s3cret@db/x#",
        ] {
            let fault = database_url(url).unwrap_err();
            assert!(fault.contains("`#` as %23"), "{fault}");
            assert!(!fault.contains("cret") && !fault.contains("34"), "{fault}");
        }
        for url in [
            "postgres://me:s3%23cret@db/x",
            "postgres://me:s3c@ret@db/x",
            "postgres://me:a:b@db:5432/x?sslmode=require",
            "postgres:///x?host=/run/postgresql&user=me@home",
            "postgres://db",
            "postgres://[::1]:5432/x",
        ] {
            assert!(database_url(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://me:s3cret@db:5432/x?password=s3cret", "postgres://me:***@db:5432/x"),
            ("postgres://me:s3c@ret@db/x", "postgres://me:***@db/x"),
            ("postgres://me@db/x", "postgres://me@db/x"),
            ("postgres:///x", "postgres:///x"),
        ] {
            let url = DatabaseUrl(url.to_owned());
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }
}
