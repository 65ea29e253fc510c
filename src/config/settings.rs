//! The table of settings: name, flag, default and meaning of each, as `--help`, `.env.example` and the
//! documentation show them. How their values are read stands in [`super::Config`].

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

/// What a setting takes that is on or off.
pub(super) const SWITCH: &str = "true|false";

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
    setting("LOADBAY_REQUIRE_KEY", "require-key", SWITCH, Some("false"),
        "Whether requests need a key although there is none yet; once there is one they always do"),
    setting("LOADBAY_INSECURE", "insecure", SWITCH, Some("false"),
        "Whether a server without keys may listen where other machines reach it: everybody there may do everything"),
    setting("LOADBAY_HOSTS", "hosts", "NAMES", None,
        "Names by which clients call the server, separated by commas; IP addresses and localhost need no entry. Without it all, but on the loopback without keys none"),
    setting("LOADBAY_PATH_PREFIX", "path-prefix", "PATH", None,
        "The path below which a proxy shows the server, such as /loadbay; it may take the path away or leave it"),
    setting("LOADBAY_TRUSTED_PROXIES", "trusted-proxies", "ADDRESSES", None,
        "Proxies whose X-Forwarded-Prefix and X-Forwarded-For are believed: addresses and networks, separated by commas"),
    setting("LOADBAY_KEEP_ALIVE", "keep-alive", "TIME", Some("75s"),
        "How long an idle connection stays open, from 5s to 1h; longer than the proxy in front keeps it"),
    setting("LOADBAY_DRAIN", "drain", "TIME", Some("2s"),
        "How long a server that stops still answers new connections, from 0s to 10min; /readyz answers 503 then"),
    setting("DATABASE_URL", "database-url", "URL", None,
        "postgres://user:password@host/database or sqlite:///path/shop.db; without it an SQLite file in the data directory"),
    setting("LOADBAY_SCHEMA", "schema", "SCHEMA", Some("loadbay"),
        "The schema of Loadbay's own tables in a new PostgreSQL database; tables that are there already stay where they are"),
    setting("LOADBAY_CORS_ORIGINS", "cors-origins", "ORIGINS", Some("http://localhost:3000,http://localhost:5173"),
        "Other origins whose pages may use the API, separated by commas; empty for none, * for all"),
    setting("LOADBAY_DATA_DIR", "data-dir", "FOLDER", Some("./data"),
        "Uploads and the SQLite database; created with mode 0700, used by one server at a time"),
    setting("LOADBAY_STORAGE_URL", "storage-url", "URL", None,
        "Where servers that run each other's jobs keep the files: file:///folder or s3://bucket/prefix"),
    setting("LOADBAY_MIN_FREE", "min-free", "SIZE", Some("64MiB"),
        "Room that stays free on the disk of the data directory, from 0B to 1TiB; uploads and jobs wait for it. Uploads leave as much free in a shared folder"),
    setting("LOADBAY_MAX_UPLOAD", "max-upload", "SIZE", Some("1GiB"),
        "Bytes of one uploaded file at most, from 1KiB to 1TiB"),
    setting("LOADBAY_FETCH_NETWORKS", "fetch-networks", "ADDRESSES", None,
        "Private addresses and networks from which files may be downloaded, separated by commas; public ones need no entry"),
    setting("LOADBAY_FETCH_PORTS", "fetch-ports", "PORTS", Some("80,443"),
        "Ports from which files may be downloaded, separated by commas, or any"),
    setting("LOADBAY_FETCH_TIMEOUT", "fetch-timeout", "TIME", Some("1h"),
        "How long the download of a file may take in all, from 1s to 7days"),
    setting("LOADBAY_FETCH_IDLE", "fetch-idle", "TIME", Some("30s"),
        "How long the server of a file may be silent, from 1s to 1h"),
    setting("LOADBAY_FETCH_RETRIES", "fetch-retries", "TIMES", Some("8"),
        "How often a download that brings nothing new is tried again, from 0 to 100"),
    setting("LOADBAY_FETCH_CA_FILE", "fetch-ca-file", "FILE", None,
        "File in PEM format with certificates of authorities that downloads trust besides those of the system"),
    setting("LOADBAY_MEMORY_LIMIT", "memory-limit", "SIZE", None,
        "Memory of the server, from 32MiB to 1TiB; chunks shrink as it is used up. Without it that of the cgroup, else 1GiB"),
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
    setting("LOADBAY_SESSION_TIMEOUT", "session-timeout", "TIME", Some("10min"),
        "How long the stream of a session waits for its import, from 1s to 24h"),
    setting("LOADBAY_RETENTION", "retention", "TIME", Some("7days"),
        "How long the files and the undo journal of a finished job are kept, from 1s to 10years"),
    setting("LOADBAY_JOB_RETENTION", "job-retention", "TIME", Some("never"),
        "When a finished job is removed with its files, events and row errors, after 1s to 10years, or never"),
    setting("LOADBAY_MAX_STORED_ERRORS", "max-stored-errors", "ERRORS", Some("10000"),
        "Row errors of one job kept in the table, from 0 to 1000000; the file of failed rows has all"),
    setting("LOADBAY_MAX_EVENTS", "max-events", "EVENTS", Some("100000"),
        "Events of one job kept in the table, from 100 to 10000000; progress goes first, then rows"),
    setting("LOADBAY_WEBHOOK_RETRIES", "webhook-retries", "TIMES", Some("5s,5min,30min,2h,5h,10h,14h,20h,24h"),
        "The pauses after which a message to a webhook is tried again, separated by commas; a tenth is added at random"),
    setting("LOADBAY_WEBHOOK_TIMEOUT", "webhook-timeout", "TIME", Some("20s"),
        "How long a webhook may take to answer, from 1s to 30s"),
    setting("TYPESENSE_URL", "typesense-url", "URL", None,
        "The Typesense server that gets the records after each import, such as http://127.0.0.1:8108; without it there is no search sync"),
    setting("TYPESENSE_API_KEY", "typesense-api-key", "KEY", None,
        "The key of that server; it must be allowed to make collections, aliases and documents"),
    setting("TYPESENSE_DATASETS", "typesense-datasets", "NAMES", None,
        "The datasets whose records go there, separated by commas; without it all"),
    setting("TYPESENSE_COLLECTION_PREFIX", "typesense-collection-prefix", "TEXT", None,
        "What the names of its collections begin with, for several installations on one server"),
    setting("LOADBAY_DATASETS_DIR", "datasets-dir", "FOLDER", None,
        "A folder with dataset files (*.toml) of your own, in addition to the built-in ones"),
    setting("LOADBAY_BUILT_IN_DATASETS", "built-in-datasets", "DATASETS", Some("all"),
        "The built-in datasets that are offered, with their tables: all, none, or names separated by commas"),
    setting("LOADBAY_HOME_ENCODING", "home-encoding", "ENCODING", None,
        "The encoding of most text files that are not UTF-8, such as windows-1250; without it each is guessed"),
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
