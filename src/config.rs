//! Every setting: a flag of `loadbay serve`, an environment variable, a line of `.env`, with its
//! bounds, default and meaning in one table. Read once at start; all faults are told together.
//!
//! Knows no database and no HTTP: it turns text into checked values.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use crate::files::{BucketAccess, StorageUrl};
use crate::http::Origins;

/// A setting as users see it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable and the word of a `.env` line.
    pub variable: &'static str,
    /// The flag of `loadbay serve`, without the dashes.
    pub flag: &'static str,
    /// What stands for the value in `--help`.
    pub takes: &'static str,
    /// The value when nothing is said; `None` for a setting that may be absent.
    pub default: Option<&'static str>,
    /// What it does, with its bounds.
    pub meaning: &'static str,
}

const fn setting(
    variable: &'static str,
    flag: &'static str,
    takes: &'static str,
    default: Option<&'static str>,
    meaning: &'static str,
) -> Setting {
    Setting { variable, flag, takes, default, meaning }
}

/// Every setting, in the order of `.env.example`.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    setting("LOADBAY_LISTEN", "listen", "ADDRESS:PORT", Some("127.0.0.1:8080"),
        "Where HTTP is served; port 0 takes a free one and prints it"),
    setting("DATABASE_URL", "database-url", "URL", None,
        "postgres://user:password@host/database; without it an SQLite file in the data directory"),
    setting("LOADBAY_CORS_ORIGINS", "cors-origins", "ORIGINS", Some("http://localhost:3000,http://localhost:5173"),
        "Other origins whose pages may use the API, separated by commas; empty for none, * for all"),
    setting("LOADBAY_DATA_DIR", "data-dir", "FOLDER", Some("./data"),
        "Uploads and the SQLite database; created with mode 0700, used by one server at a time"),
    setting("LOADBAY_STORAGE_URL", "storage-url", "URL", None,
        "Where servers that run each other's jobs keep the files: file:///folder or s3://bucket/prefix"),
    setting("LOADBAY_MIN_FREE", "min-free", "SIZE", Some("64MiB"),
        "Room that stays free on the disk of the data directory, from 0B to 1TiB; uploads and jobs wait for it"),
    setting("LOADBAY_MAX_UPLOAD", "max-upload", "SIZE", Some("1GiB"),
        "Bytes of one uploaded file at most, from 1KiB to 1TiB"),
    setting("LOADBAY_CHUNK_ROWS", "chunk-rows", "ROWS", Some("10000"),
        "Rows committed in one transaction, from 1 to 100000"),
    setting("LOADBAY_MAX_RUNNING_JOBS", "max-running-jobs", "JOBS", Some("2"),
        "Jobs that run at the same time, from 1 to 64"),
    setting("LOADBAY_WRITERS", "writers", "WRITERS", Some("2"),
        "Chunk writers of one job on PostgreSQL, from 1 to 8; SQLite has one"),
    setting("LOADBAY_LEASE", "lease", "TIME", Some("30s"),
        "How long a silent server keeps its jobs, from 1s to 1h"),
    setting("LOADBAY_JOB_TTL", "job-ttl", "TIME", Some("1h"),
        "How long a finished job stays in memory, from 0s to 7days; the table keeps it"),
    setting("LOADBAY_RETENTION", "retention", "TIME", Some("7days"),
        "How long the files and the undo journal of a finished job are kept, from 1s to 10years"),
    setting("LOADBAY_MAX_STORED_ERRORS", "max-stored-errors", "ERRORS", Some("10000"),
        "Row errors of one job kept in the table, from 0 to 1000000; the file of failed rows has all"),
    setting("LOADBAY_MAX_EVENTS", "max-events", "EVENTS", Some("100000"),
        "Events of one job kept in the table, from 100 to 10000000; progress goes first, then rows"),
    setting("LOADBAY_DATASETS_DIR", "datasets-dir", "FOLDER", None,
        "A folder with dataset files (*.toml) of your own, in addition to the built-in ones"),
    setting("LOADBAY_CONVERT_MEMORY", "convert-memory", "SIZE", Some("1GiB"),
        "Memory of the process that reads a workbook, from 64MiB to 64GiB"),
    setting("LOADBAY_CONVERT_CPU", "convert-cpu", "TIME", Some("10min"),
        "Processor time of the process that reads a workbook, from 1s to 24h"),
    setting("LOADBAY_CONVERT_TIMEOUT", "convert-timeout", "TIME", Some("15min"),
        "How long reading a workbook may take, from 1s to 24h"),
    setting("LOADBAY_LOG", "log", "FILTER", Some("info"),
        "What is logged: error, warn, info, debug, trace, or a filter like info,loadbay::jobs=debug"),
    setting("LOADBAY_LOG_FORMAT", "log-format", "FORMAT", Some("text"),
        "How it is logged: text or json, one line each"),
];

/// The setting for which nothing is a value of its own; for all others it means the default.
const MAY_BE_EMPTY: &str = "LOADBAY_CORS_ORIGINS";

/// Seconds of ten years, as `humantime` counts them.
const TEN_YEARS: u64 = 315_576_000;

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

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Limits of the process that reads workbooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvertLimits {
    /// `LOADBAY_CONVERT_MEMORY`, bytes.
    pub memory_bytes: u64,
    /// `LOADBAY_CONVERT_CPU`, seconds.
    pub cpu_seconds: u64,
    /// `LOADBAY_CONVERT_TIMEOUT`, seconds.
    pub wall_seconds: u64,
}

/// The checked settings. Each field names its variable; bounds and defaults stand in [`SETTINGS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `LOADBAY_LISTEN`.
    pub listen: SocketAddr,
    /// `DATABASE_URL`.
    pub database_url: Option<DatabaseUrl>,
    /// `LOADBAY_CORS_ORIGINS`.
    pub cors_origins: Origins,
    /// `LOADBAY_DATA_DIR`.
    pub data_dir: PathBuf,
    /// `LOADBAY_STORAGE_URL`.
    pub storage_url: Option<StorageUrl>,
    /// `AWS_…` lines of `.env` whose variables the environment does not set.
    pub bucket_access: BucketAccess,
    /// `LOADBAY_MIN_FREE`, bytes.
    pub min_free: u64,
    /// `LOADBAY_MAX_UPLOAD`, bytes.
    pub max_upload: u64,
    /// `LOADBAY_CHUNK_ROWS`.
    pub chunk_rows: u32,
    /// `LOADBAY_MAX_RUNNING_JOBS`.
    pub max_running_jobs: u32,
    /// `LOADBAY_WRITERS`.
    pub writers: u32,
    /// `LOADBAY_LEASE`.
    pub lease: Duration,
    /// `LOADBAY_JOB_TTL`.
    pub job_ttl: Duration,
    /// `LOADBAY_RETENTION`.
    pub retention: Duration,
    /// `LOADBAY_MAX_STORED_ERRORS`.
    pub max_stored_errors: u64,
    /// `LOADBAY_MAX_EVENTS`.
    pub max_events: u64,
    /// `LOADBAY_DATASETS_DIR`.
    pub datasets_dir: Option<PathBuf>,
    /// The three `LOADBAY_CONVERT_…` settings.
    pub convert: ConvertLimits,
    /// `LOADBAY_LOG`.
    pub log: String,
    /// `LOADBAY_LOG_FORMAT`.
    pub log_format: LogFormat,
}

/// Settings that cannot be used: one line a fault, each with the name of its variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<String>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} setting(s) cannot be used:", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigFaults {}

/// Adds a flag for every setting to `command`. Values from the environment are not shown in the
/// help: one of them may hold a password.
#[must_use]
pub fn flags(command: Command) -> Command {
    SETTINGS.iter().fold(command, |command, setting| {
        let default = setting.default.map_or(String::new(), |d| format!(" [default: {d}]"));
        command.arg(
            Arg::new(setting.variable)
                .long(setting.flag)
                .env(setting.variable)
                .hide_env_values(true)
                .value_name(setting.takes)
                .help(format!("{}{default}", setting.meaning)),
        )
    })
}

impl Config {
    /// Reads the settings: a flag wins over the environment, that over `.env`, that over the default.
    ///
    /// # Errors
    /// Every setting that cannot be used, and an unreadable `.env`.
    pub fn read(matches: &ArgMatches) -> Result<Self, ConfigFaults> {
        let file = dot_env().map_err(|fault| ConfigFaults(vec![fault]))?;
        let config = Self::from_lookup(|variable| {
            matches.get_one::<String>(variable).or_else(|| file.get(variable)).cloned()
        })?;
        let mut file = file;
        for (name, _) in std::env::vars_os() {
            file.remove(&*name.to_string_lossy());
        }
        Ok(Self { bucket_access: BucketAccess::among(file), ..config })
    }

    /// Reads the settings from any source of text by variable name.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        let mut from = Source { lookup, faults: Vec::new() };
        let config = Self {
            listen: from.read("LOADBAY_LISTEN", ([127, 0, 0, 1], 8080).into(), address),
            database_url: from.read("DATABASE_URL", None, |text| database_url(text).map(Some)),
            cors_origins: from.read("LOADBAY_CORS_ORIGINS", Origins::default(), Origins::parse),
            data_dir: from.read("LOADBAY_DATA_DIR", PathBuf::new(), |text| Ok(text.into())),
            storage_url: from
                .read("LOADBAY_STORAGE_URL", None, |text| StorageUrl::parse(text).map(Some)),
            bucket_access: BucketAccess::default(),
            min_free: from.read("LOADBAY_MIN_FREE", 0, |t| bytes(t, 0, 1 << 40)),
            max_upload: from.read("LOADBAY_MAX_UPLOAD", 0, |t| bytes(t, 1 << 10, 1 << 40)),
            chunk_rows: from.read("LOADBAY_CHUNK_ROWS", 1, |t| number(t, 1, 100_000)),
            max_running_jobs: from.read("LOADBAY_MAX_RUNNING_JOBS", 1, |t| number(t, 1, 64)),
            writers: from.read("LOADBAY_WRITERS", 1, |t| number(t, 1, 8)),
            lease: from.read("LOADBAY_LEASE", Duration::ZERO, |t| time(t, 1, 3_600)),
            job_ttl: from.read("LOADBAY_JOB_TTL", Duration::ZERO, |t| time(t, 0, 7 * 86_400)),
            retention: from.read("LOADBAY_RETENTION", Duration::ZERO, |t| time(t, 1, TEN_YEARS)),
            max_stored_errors: from
                .read("LOADBAY_MAX_STORED_ERRORS", 0, |t| number(t, 0, 1_000_000).map(u64::from)),
            max_events: from
                .read("LOADBAY_MAX_EVENTS", 0, |t| number(t, 100, 10_000_000).map(u64::from)),
            datasets_dir: from
                .read("LOADBAY_DATASETS_DIR", None, |text| Ok(Some(PathBuf::from(text)))),
            convert: ConvertLimits {
                memory_bytes: from
                    .read("LOADBAY_CONVERT_MEMORY", 0, |t| bytes(t, 64 << 20, 64 << 30)),
                cpu_seconds: from.read("LOADBAY_CONVERT_CPU", 0, |t| seconds(t, 1, 86_400)),
                wall_seconds: from.read("LOADBAY_CONVERT_TIMEOUT", 0, |t| seconds(t, 1, 86_400)),
            },
            log: from.read("LOADBAY_LOG", String::new(), log_filter),
            log_format: from.read("LOADBAY_LOG_FORMAT", LogFormat::Text, log_format),
        };
        if from.faults.is_empty() { Ok(config) } else { Err(ConfigFaults(from.faults)) }
    }
}

struct Source<F> {
    lookup: F,
    faults: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Source<F> {
    /// The value of `variable`, else its default; `otherwise` after a fault or where both are absent.
    fn read<T>(
        &mut self,
        variable: &str,
        otherwise: T,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let is_value = |text: &String| variable == MAY_BE_EMPTY || !text.trim().is_empty();
        let given = (self.lookup)(variable).filter(is_value);
        let default = SETTINGS.iter().find(|s| s.variable == variable).and_then(|s| s.default);
        let Some(text) = given.as_deref().or(default) else { return otherwise };
        match parse(text.trim()) {
            Ok(value) => value,
            Err(fault) => {
                self.faults.push(format!("{variable}: {fault}"));
                otherwise
            }
        }
    }
}

fn dot_env() -> Result<BTreeMap<String, String>, String> {
    match dotenvy::from_path_iter(".env") {
        Err(fault) if fault.not_found() => Ok(BTreeMap::new()),
        Err(_) => Err("`.env`: the file cannot be read".to_owned()),
        // The fault's own text repeats the line, and a line may hold a password.
        Ok(lines) => lines
            .collect::<Result<_, _>>()
            .map_err(|_| "`.env`: a line is not of the form NAME=value".to_owned()),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| format!("`{text}` is not an address and port; write it like 127.0.0.1:8080"))
}

fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(DatabaseUrl(text.to_owned()));
    }
    Err("the address begins with neither postgres:// nor postgresql://; \
         leave it out to use the SQLite file in the data directory"
        .to_owned())
}

fn number(text: &str, least: u32, most: u32) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("`{text}` is not a whole number from {least} to {most}"))
}

/// Bytes with an optional unit of 1024. `GB` and `Gb` are refused: they mean different things to
/// different people.
fn bytes(text: &str, least: u64, most: u64) -> Result<u64, String> {
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

fn time(text: &str, least: u64, most: u64) -> Result<Duration, String> {
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

fn seconds(text: &str, least: u64, most: u64) -> Result<u64, String> {
    time(text, least, most).map(|time| time.as_secs())
}

fn log_filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|_| {
        format!("`{text}` is not a log filter; write it like info or info,loadbay=debug")
    })
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("`{text}` is not a log format; it takes text or json")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
        let pairs: BTreeMap<_, _> = pairs.iter().copied().collect();
        Config::from_lookup(|name| pairs.get(name).map(|text| (*text).to_owned()))
    }

    #[test]
    fn without_a_setting_the_defaults_hold() {
        let config = config(&[("LOADBAY_DATASETS_DIR", " ")]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.max_upload, 1 << 30);
        assert_eq!(config.chunk_rows, 10_000);
        assert_eq!(config.lease, Duration::from_secs(30));
        assert_eq!(config.convert.wall_seconds, 900);
        assert_eq!((config.database_url, config.datasets_dir), (None, None));
        let origins = Origins::parse("http://localhost:3000,http://localhost:5173");
        assert_eq!(Ok(config.cors_origins), origins);
    }

    #[test]
    fn all_faults_are_told_together_with_their_variable() {
        let faults = config(&[
            ("LOADBAY_LISTEN", "nowhere"),
            ("DATABASE_URL", "mysql://root:secret@host/db"),
            ("LOADBAY_CORS_ORIGINS", "localhost:3000"),
            ("LOADBAY_MAX_UPLOAD", "5Gb"),
            ("LOADBAY_CHUNK_ROWS", "0"),
            ("LOADBAY_LEASE", "1ms"),
            ("LOADBAY_LOG_FORMAT", "xml"),
        ])
        .unwrap_err()
        .to_string();
        insta::assert_snapshot!(faults, @r"
        7 setting(s) cannot be used:
          LOADBAY_LISTEN: `nowhere` is not an address and port; write it like 127.0.0.1:8080
          DATABASE_URL: the address begins with neither postgres:// nor postgresql://; leave it out to use the SQLite file in the data directory
          LOADBAY_CORS_ORIGINS: `localhost:3000` is not an origin; write it like https://shop.example:8443, without a path
          LOADBAY_MAX_UPLOAD: `5Gb` is not a size from 1.0 KiB to 1.0 TiB; write it in bytes or like 512MiB (B, KiB, MiB, GiB, TiB)
          LOADBAY_CHUNK_ROWS: `0` is not a whole number from 1 to 100000
          LOADBAY_LEASE: `1ms` is not a time from 1s to 1h; write it like 30s, 10min or 1h
          LOADBAY_LOG_FORMAT: `xml` is not a log format; it takes text or json
        ");
    }

    #[test]
    fn no_origin_at_all_is_a_setting_too() {
        let origins = config(&[("LOADBAY_CORS_ORIGINS", " ")]).map(|c| c.cors_origins);
        assert_eq!(origins, Ok(Origins::default()));
    }

    #[test]
    fn sizes_are_bytes_in_units_of_1024() {
        let size = |text: &str| config(&[("LOADBAY_MAX_UPLOAD", text)]).map(|c| c.max_upload);
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64 MiB"), Ok(64 << 20));
        for refused in ["1GB", "1gb", "8Mbit", "1.5GiB", "-1", "99999999999999999999", "17TiB"] {
            assert!(size(refused).is_err(), "{refused}");
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

    #[test]
    fn every_setting_has_its_own_flag_and_the_help_builds() {
        let command = flags(Command::new("serve"));
        command.clone().debug_assert();
        let matches = command.try_get_matches_from(["serve", "--chunk-rows", "7"]).unwrap();
        assert_eq!(Config::read(&matches).unwrap().chunk_rows, 7);
    }
}
