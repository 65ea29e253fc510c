//! Every setting: a flag of `loadbay serve`, an environment variable, a line of `.env`, with its
//! bounds, default and meaning in one table. Read once at start; all faults are reported together.
//!
//! Knows no database and no HTTP: it turns text into checked values.

mod database_parameters;
mod settings;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use crate::access::KeyLimits;
use crate::after::search::TypesenseUrl;
use crate::after::webhooks::{Schedule, SecretsKeys};
use crate::dataset::BuiltIn;
use crate::domain::networks::Networks;
use crate::domain::path_prefix::PathPrefix;
use crate::files::{BucketAccess, Ports, StorageUrl};
use crate::http::{CertificateFiles, Hosts, Origins};
use settings::SWITCH;
pub use settings::{SETTINGS, Setting};
pub use values::{DatabaseUrl, LogFormat, Secret};
use values::{
    address, bytes, database_url, encoding, folder, log_filter, log_format, name_prefix, names,
    number, or_none, schema, seconds, switch, time, time_or_never,
};

/// The setting for which nothing is a value of its own; for all others it means the default.
const MAY_BE_EMPTY: &str = "LOADBAY_CORS_ORIGINS";

/// Seconds of ten years, as `humantime` counts them.
const TEN_YEARS: u64 = 315_576_000;

/// Seconds of two years, as `humantime` counts them.
const TWO_YEARS: u64 = 63_115_200;

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

/// What is fetched from addresses, and how long that may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSettings {
    /// `LOADBAY_FETCH_NETWORKS`.
    pub networks: Networks,
    /// `LOADBAY_FETCH_PORTS`.
    pub ports: Ports,
    /// `LOADBAY_FETCH_TIMEOUT`.
    pub timeout: Duration,
    /// `LOADBAY_FETCH_IDLE`.
    pub idle: Duration,
    /// `LOADBAY_FETCH_RETRIES`.
    pub retries: u32,
    /// `LOADBAY_FETCH_CA_FILE`.
    pub authorities: Option<PathBuf>,
}

/// Where records go after an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypesenseConfig {
    /// `TYPESENSE_URL`; `None` is no search sync.
    pub url: Option<TypesenseUrl>,
    /// `TYPESENSE_API_KEY`.
    pub api_key: Option<Secret>,
    /// `TYPESENSE_DATASETS`; `None` is all.
    pub datasets: Option<BTreeSet<String>>,
    /// `TYPESENSE_COLLECTION_PREFIX`.
    pub prefix: String,
}

/// Where the keys are that seal secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretsSource {
    /// There are none.
    None,
    /// In the setting.
    Setting(Secret),
    /// In a file.
    File(PathBuf),
}

impl SecretsSource {
    /// The keys.
    ///
    /// # Errors
    /// What is wrong with the file, in a sentence that does not repeat its text.
    pub fn keys(&self) -> Result<SecretsKeys, String> {
        let fault = |path: &Path, why: &str| {
            format!("LOADBAY_SECRETS_KEY_FILE: `{}`: {why}", path.display())
        };
        match self {
            Self::None => Ok(SecretsKeys::default()),
            Self::Setting(key) => SecretsKeys::parse(key.reveal()),
            Self::File(path) => std::fs::read_to_string(path)
                .map_err(|error| fault(path, &error.to_string()))
                .and_then(|text| SecretsKeys::parse(&text).map_err(|why| fault(path, &why))),
        }
    }
}

/// The checked settings. Each field names its variable; bounds and defaults stand in [`SETTINGS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `LOADBAY_LISTEN`.
    pub listen: SocketAddr,
    /// `LOADBAY_REQUIRE_KEY`.
    pub require_key: bool,
    /// `LOADBAY_INSECURE`.
    pub insecure: bool,
    /// `LOADBAY_TLS_CERT` and `LOADBAY_TLS_KEY`.
    pub tls: Option<CertificateFiles>,
    /// `LOADBAY_HSTS`; `None` is never.
    pub hsts: Option<Duration>,
    /// `LOADBAY_HOSTS`.
    pub hosts: Hosts,
    /// The `LOADBAY_KEY_…` limits.
    pub key_limits: KeyLimits,
    /// `LOADBAY_PATH_PREFIX`.
    pub path_prefix: PathPrefix,
    /// `LOADBAY_TRUSTED_PROXIES`.
    pub trusted_proxies: Networks,
    /// `LOADBAY_KEEP_ALIVE`.
    pub keep_alive: Duration,
    /// `LOADBAY_DRAIN`.
    pub drain: Duration,
    /// `DATABASE_URL`.
    pub database_url: Option<DatabaseUrl>,
    /// `LOADBAY_SCHEMA`.
    pub schema: String,
    /// `LOADBAY_CORS_ORIGINS`.
    pub cors_origins: Origins,
    /// `LOADBAY_DATA_DIR`.
    pub data_dir: PathBuf,
    /// `LOADBAY_STORAGE_URL`.
    pub storage_url: Option<StorageUrl>,
    /// Variables `AWS_…` of the environment and of `.env`.
    pub bucket_access: BucketAccess,
    /// `LOADBAY_MIN_FREE`, bytes.
    pub min_free: u64,
    /// `LOADBAY_MAX_UPLOAD`, bytes.
    pub max_upload: u64,
    /// The `LOADBAY_FETCH_…` settings.
    pub fetch: FetchSettings,
    /// `LOADBAY_MEMORY_LIMIT`, bytes; `None` is what the cgroup allows, else 1 GiB.
    pub memory_limit: Option<u64>,
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
    /// `LOADBAY_SESSION_TIMEOUT`.
    pub session_timeout: Duration,
    /// `LOADBAY_RETENTION`.
    pub retention: Duration,
    /// `LOADBAY_JOB_RETENTION`; `None` is never.
    pub job_retention: Option<Duration>,
    /// `LOADBAY_MAX_STORED_ERRORS`.
    pub max_stored_errors: u64,
    /// `LOADBAY_MAX_EVENTS`.
    pub max_events: u64,
    /// `LOADBAY_SECRETS_KEY`, or what `LOADBAY_SECRETS_KEY_FILE` holds.
    pub secrets: SecretsSource,
    /// `LOADBAY_WEBHOOK_RETRIES`.
    pub webhook_retries: Schedule,
    /// `LOADBAY_WEBHOOK_TIMEOUT`.
    pub webhook_timeout: Duration,
    /// The `TYPESENSE_…` settings.
    pub typesense: TypesenseConfig,
    /// `LOADBAY_DATASETS_DIR`.
    pub datasets_dir: Option<PathBuf>,
    /// `LOADBAY_BUILT_IN_DATASETS`.
    pub built_in: BuiltIn,
    /// `LOADBAY_HOME_ENCODING`, a label that the WHATWG lists.
    pub home_encoding: Option<String>,
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
        let arg = Arg::new(setting.variable)
            .long(setting.flag)
            .env(setting.variable)
            .hide_env_values(true)
            .value_name(setting.takes)
            .help(format!("{}{default}", setting.meaning));
        command.arg(if setting.takes == SWITCH {
            // The flag alone says yes.
            arg.num_args(0..=1).require_equals(true).default_missing_value("true")
        } else {
            arg
        })
    })
}

impl Config {
    /// Reads the settings: a flag wins over the environment, that over `.env`, that over the default.
    ///
    /// # Errors
    /// Every setting that cannot be used, and an unreadable `.env`.
    pub fn read(matches: &ArgMatches) -> Result<Self, ConfigFaults> {
        Self::read_with(|variable| matches.get_one::<String>(variable).cloned())
    }

    /// Reads the settings for a command that takes few of them as flags: these win over the
    /// environment, that over `.env`, that over the default.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn read_beside(flags: &[(&str, Option<&str>)]) -> Result<Self, ConfigFaults> {
        Self::read_with(|variable| {
            let flag = flags.iter().find(|(name, _)| *name == variable).and_then(|flag| flag.1);
            flag.map(str::to_owned).or_else(|| variable_of_process(variable))
        })
    }

    /// Reads the settings from `first`, then from `.env`.
    fn read_with(first: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        let file = dot_env().map_err(|fault| ConfigFaults(vec![fault]))?;
        let config =
            Self::from_lookup(|variable| first(variable).or_else(|| file.get(variable).cloned()))?;
        // Names and values that are no text are nobody's.
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let environment = std::env::vars_os().filter_map(text).collect();
        Ok(Self { bucket_access: BucketAccess::among(file, environment), ..config })
    }

    /// Reads the settings from any source of text by variable name.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        let mut from = Lookup { lookup, faults: Vec::new() };
        let config = Self {
            listen: from.read("LOADBAY_LISTEN", ([127, 0, 0, 1], 8080).into(), address),
            require_key: from.read("LOADBAY_REQUIRE_KEY", false, switch),
            insecure: from.read("LOADBAY_INSECURE", false, switch),
            tls: from.tls(),
            hsts: from.read("LOADBAY_HSTS", None, |t| or_none(t, |t| time(t, 60, TWO_YEARS))),
            hosts: from.read("LOADBAY_HOSTS", Hosts::default(), Hosts::parse),
            key_limits: from.key_limits(),
            path_prefix: from.read("LOADBAY_PATH_PREFIX", PathPrefix::default(), PathPrefix::parse),
            trusted_proxies: from.read(
                "LOADBAY_TRUSTED_PROXIES",
                Networks::default(),
                Networks::parse,
            ),
            keep_alive: from.read("LOADBAY_KEEP_ALIVE", Duration::ZERO, |t| time(t, 5, 3_600)),
            drain: from.read("LOADBAY_DRAIN", Duration::ZERO, |t| time(t, 0, 600)),
            database_url: from.read("DATABASE_URL", None, |text| database_url(text).map(Some)),
            schema: from.read("LOADBAY_SCHEMA", String::new(), schema),
            cors_origins: from.read("LOADBAY_CORS_ORIGINS", Origins::default(), Origins::parse),
            data_dir: from.read("LOADBAY_DATA_DIR", PathBuf::new(), folder),
            storage_url: from
                .read("LOADBAY_STORAGE_URL", None, |text| StorageUrl::parse(text).map(Some)),
            bucket_access: BucketAccess::default(),
            min_free: from.read("LOADBAY_MIN_FREE", 0, |t| bytes(t, 0, 1 << 40)),
            max_upload: from.read("LOADBAY_MAX_UPLOAD", 0, |t| bytes(t, 1 << 10, 1 << 40)),
            fetch: from.fetch(),
            memory_limit: from
                .read("LOADBAY_MEMORY_LIMIT", None, |t| bytes(t, 32 << 20, 1 << 40).map(Some)),
            chunk_rows: from.read("LOADBAY_CHUNK_ROWS", 1, |t| number(t, 1, 100_000)),
            max_running_jobs: from.read("LOADBAY_MAX_RUNNING_JOBS", 1, |t| number(t, 1, 64)),
            writers: from.read("LOADBAY_WRITERS", 1, |t| number(t, 1, 8)),
            lease: from.read("LOADBAY_LEASE", Duration::ZERO, |t| time(t, 1, 3_600)),
            job_ttl: from.read("LOADBAY_JOB_TTL", Duration::ZERO, |t| time(t, 0, 7 * 86_400)),
            session_timeout: from
                .read("LOADBAY_SESSION_TIMEOUT", Duration::ZERO, |t| time(t, 1, 86_400)),
            retention: from.read("LOADBAY_RETENTION", Duration::ZERO, |t| time(t, 1, TEN_YEARS)),
            job_retention: from
                .read("LOADBAY_JOB_RETENTION", None, |t| time_or_never(t, 1, TEN_YEARS)),
            max_stored_errors: from
                .read("LOADBAY_MAX_STORED_ERRORS", 0, |t| number(t, 0, 1_000_000).map(u64::from)),
            max_events: from
                .read("LOADBAY_MAX_EVENTS", 0, |t| number(t, 100, 10_000_000).map(u64::from)),
            secrets: from.secrets(),
            webhook_retries: from.read(
                "LOADBAY_WEBHOOK_RETRIES",
                Schedule::default(),
                Schedule::parse,
            ),
            webhook_timeout: from
                .read("LOADBAY_WEBHOOK_TIMEOUT", Duration::ZERO, |t| time(t, 1, 30)),
            typesense: from.typesense(),
            datasets_dir: from.read("LOADBAY_DATASETS_DIR", None, |text| folder(text).map(Some)),
            built_in: from.read("LOADBAY_BUILT_IN_DATASETS", BuiltIn::default(), BuiltIn::parse),
            home_encoding: from.read("LOADBAY_HOME_ENCODING", None, |t| encoding(t).map(Some)),
            convert: ConvertLimits {
                memory_bytes: from
                    .read("LOADBAY_CONVERT_MEMORY", 0, |t| bytes(t, 64 << 20, 64 << 30)),
                cpu_seconds: from.read("LOADBAY_CONVERT_CPU", 0, |t| seconds(t, 1, 86_400)),
                wall_seconds: from.read("LOADBAY_CONVERT_TIMEOUT", 0, |t| seconds(t, 1, 86_400)),
            },
            log: from.read("LOADBAY_LOG", String::new(), log_filter),
            log_format: from.read("LOADBAY_LOG_FORMAT", LogFormat::Text, log_format),
        };
        from.faults.extend(config.misfits());
        if from.faults.is_empty() { Ok(config) } else { Err(ConfigFaults(from.faults)) }
    }

    /// Settings that need another one.
    fn misfits(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.hsts.is_some() && self.tls.is_none() {
            let fault = "LOADBAY_HSTS: browsers would find no TLS here; set LOADBAY_TLS_CERT, or let \
                         the proxy that speaks TLS send the header";
            faults.push(fault.to_owned());
        }
        if self.typesense.url.is_some() && self.typesense.api_key.is_none() {
            faults.push("TYPESENSE_API_KEY: TYPESENSE_URL needs its key".to_owned());
        }
        faults
    }
}

struct Lookup<F> {
    lookup: F,
    faults: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Lookup<F> {
    /// The files of the server's certificate: both or none.
    fn tls(&mut self) -> Option<CertificateFiles> {
        let [certificate, key] = ["LOADBAY_TLS_CERT", "LOADBAY_TLS_KEY"]
            .map(|variable| self.read(variable, None, |text| Ok(Some(PathBuf::from(text)))));
        if certificate.is_some() != key.is_some() {
            let fault = "LOADBAY_TLS_CERT, LOADBAY_TLS_KEY: a certificate needs its key, and a key its certificate";
            self.faults.push(fault.to_owned());
        }
        Some(CertificateFiles { certificate: certificate?, key: key? })
    }

    /// How much each key may do.
    fn key_limits(&mut self) -> KeyLimits {
        let count = |text: &str| or_none(text, |text| number(text, 1, 10_000_000));
        KeyLimits {
            requests: self.read("LOADBAY_KEY_REQUESTS", None, count),
            uploads: self.read("LOADBAY_KEY_UPLOADS", None, count),
            bytes: self.read("LOADBAY_KEY_BYTES", None, |text| {
                or_none(text, |text| bytes(text, 1 << 10, 1 << 50))
            }),
            jobs: self.read("LOADBAY_KEY_JOBS", None, count),
        }
    }

    /// What may be fetched, and for how long.
    fn fetch(&mut self) -> FetchSettings {
        FetchSettings {
            networks: self.read("LOADBAY_FETCH_NETWORKS", Networks::default(), Networks::parse),
            ports: self.read("LOADBAY_FETCH_PORTS", Ports::Any, Ports::parse),
            timeout: self.read("LOADBAY_FETCH_TIMEOUT", Duration::ZERO, |t| time(t, 1, 7 * 86_400)),
            idle: self.read("LOADBAY_FETCH_IDLE", Duration::ZERO, |t| time(t, 1, 3_600)),
            retries: self.read("LOADBAY_FETCH_RETRIES", 0, |t| number(t, 0, 100)),
            authorities: self.read("LOADBAY_FETCH_CA_FILE", None, |t| Ok(Some(t.into()))),
        }
    }

    /// The keys of secrets, from one place.
    fn secrets(&mut self) -> SecretsSource {
        let checked = |text: &str| SecretsKeys::parse(text).map(|_| Some(Secret::new(text)));
        let key = self.read("LOADBAY_SECRETS_KEY", None, checked);
        let file = self.read("LOADBAY_SECRETS_KEY_FILE", None, |t| Ok(Some(PathBuf::from(t))));
        if key.is_some() && file.is_some() {
            let fault = "LOADBAY_SECRETS_KEY, LOADBAY_SECRETS_KEY_FILE: set one of them";
            self.faults.push(fault.to_owned());
        }
        match (key, file) {
            (Some(key), _) => SecretsSource::Setting(key),
            (None, Some(file)) => SecretsSource::File(file),
            (None, None) => SecretsSource::None,
        }
    }

    /// The `TYPESENSE_…` settings.
    fn typesense(&mut self) -> TypesenseConfig {
        TypesenseConfig {
            url: self.read("TYPESENSE_URL", None, |text| TypesenseUrl::parse(text).map(Some)),
            api_key: self.read("TYPESENSE_API_KEY", None, |text| Ok(Some(Secret::new(text)))),
            datasets: self.read("TYPESENSE_DATASETS", None, |text| names(text).map(Some)),
            prefix: self.read("TYPESENSE_COLLECTION_PREFIX", String::new(), name_prefix),
        }
    }

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
                let fault = if may_quote(variable, text) { fault } else { unquoted(variable) };
                self.faults.push(format!("{variable}: {fault}"));
                otherwise
            }
        }
    }
}

/// True when the fault of a value may quote it. An address may hold a password; the settings that take
/// one never quote it themselves.
fn may_quote(variable: &str, text: &str) -> bool {
    let takes_address = matches!(variable, "DATABASE_URL" | "LOADBAY_STORAGE_URL");
    takes_address || !(text.contains("://") && text.contains(['@', '?']))
}

/// A fault that does not quote the value.
fn unquoted(variable: &str) -> String {
    let setting = SETTINGS.iter().find(|setting| setting.variable == variable);
    let takes = setting.map_or("", |setting| setting.takes);
    format!("the value is an address, which is not shown here; the setting takes {takes}")
}

/// A variable of the environment that is text.
#[expect(clippy::disallowed_methods, reason = "this module is the one that may")]
pub(crate) fn variable_of_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The key with which a command asks a server (`LOADBAY_KEY`). It is no flag: others see those.
#[must_use]
pub fn client_key() -> Option<String> {
    variable_of_process("LOADBAY_KEY").filter(|key| !key.trim().is_empty())
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

#[cfg(test)]
mod tests;
