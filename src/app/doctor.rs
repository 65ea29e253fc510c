//! What keeps a server from working, or will: each part is looked at without changing anything, and
//! what is wrong comes with how to mend it.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::store_settings;
use crate::access;
use crate::config::{Config, SecretsSource};
use crate::definitions::{fitting_faults, read_definitions};
use crate::domain::error_chain::error_chain;
use crate::domain::webhook::Webhook;
use crate::files::{DataDir, DirectoryState, Storage, StorageUrl, free_bytes};
use crate::http::{CertificateFiles, ServerCertificate, Validity};
use crate::store::{DatabaseState, Store};

/// Clocks that differ more than this make times in lists wrong.
const CLOCK_SECONDS_MAX: i64 = 5;

/// A certificate that ends sooner should have been renewed.
const CERTIFICATE_DAYS_MIN: TimeDelta = TimeDelta::days(14);

/// Files that a busy server has open: connections of clients and of the database, files of jobs.
const OPEN_FILES_MIN: u64 = 1_024;

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// As it should be.
    Good,
    /// It works, and a person should look.
    Doubtful,
    /// The server does not start, or does not work.
    Bad,
}

/// What was found about one part.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The part.
    pub part: &'static str,
    /// How serious it is.
    pub gravity: Gravity,
    /// What was found.
    pub what: String,
    /// How to mend it; empty when nothing is to be done.
    pub mend: String,
}

fn good(part: &'static str, what: impl Into<String>) -> Finding {
    Finding { part, gravity: Gravity::Good, what: what.into(), mend: String::new() }
}

fn doubtful(part: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { part, gravity: Gravity::Doubtful, what: what.into(), mend: mend.into() }
}

fn bad(part: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { part, gravity: Gravity::Bad, what: what.into(), mend: mend.into() }
}

/// Looks at everything that a server with these settings needs.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![data_folder(config), disk(config)];
    let settings = store_settings(config, DataDir::sqlite_in(&config.data_dir));
    match DatabaseState::of(&settings).await {
        Ok(state) => {
            findings.push(good("database", state.name.clone()));
            findings.push(migrations(&state));
            findings.extend(state.clock_ahead.map(clock));
            findings.extend(inside(config, &state).await);
        }
        Err(fault) => {
            let mend = "start the database, or correct DATABASE_URL or the rights of its role; \
                        docs/deployment.md shows both";
            findings.push(bad("database", error_chain(&fault), mend));
            findings.extend(inside_nothing(config));
        }
    }
    findings.push(storage(config).await);
    findings.extend(config.tls.clone().map(certificate));
    findings.push(open_files());
    findings.push(address(config));
    findings
}

fn data_folder(config: &Config) -> Finding {
    let (part, root) = ("data folder", config.data_dir.as_path());
    let path = root.display();
    match DirectoryState::of(root) {
        DirectoryState::Missing => {
            good(part, format!("{path} is not there; the first start makes it"))
        }
        DirectoryState::Used => good(part, format!("{path} is used by a server")),
        DirectoryState::Free => good(part, format!("{path} can be used, and no server uses it")),
        DirectoryState::Strange { owner } => doubtful(
            part,
            format!("{path} belongs to the user {owner}"),
            "run the server and this command as that user",
        ),
        DirectoryState::Open { mode } => bad(
            part,
            format!("others may write to {path} (mode {mode:04o}); a server refuses it"),
            format!("chmod 700 {path}"),
        ),
        DirectoryState::Closed { fault } => bad(
            part,
            format!("{path} cannot be used: {fault}"),
            format!("give it to the user of the server: chown -R USER {path} && chmod 700 {path}"),
        ),
    }
}

fn disk(config: &Config) -> Finding {
    let part = "disk";
    let there = config.data_dir.ancestors().find(|folder| folder.exists());
    let shown = |bytes: u64| bytesize::ByteSize(bytes).display().iec().to_string();
    match free_bytes(there.unwrap_or(Path::new("."))) {
        Err(fault) => bad(
            part,
            format!("the free space cannot be asked for: {fault}"),
            "look at the disk of the data folder",
        ),
        Ok(free) if free < config.min_free => bad(
            part,
            format!(
                "{} are free, less than LOADBAY_MIN_FREE ({}): uploads are refused, jobs wait",
                shown(free),
                shown(config.min_free)
            ),
            "free space, or lower LOADBAY_MIN_FREE",
        ),
        Ok(free) if free < config.min_free.saturating_add(config.max_upload) => doubtful(
            part,
            format!("{} are free, and a file may have {}", shown(free), shown(config.max_upload)),
            "free space, or lower LOADBAY_MAX_UPLOAD",
        ),
        Ok(free) => good(part, format!("{} are free", shown(free))),
    }
}

fn migrations(state: &DatabaseState) -> Finding {
    let part = "migrations";
    match (&state.unknown, state.pending.len()) {
        (Some(newer), _) => bad(
            part,
            format!("a newer program made `{newer}`"),
            "run that program, or restore the backup from before the update",
        ),
        (None, 0) => good(part, "all are done"),
        (None, count) => doubtful(
            part,
            format!("{count} are to be done"),
            "make a backup, then run `loadbay migrate up` or start the server",
        ),
    }
}

fn clock(ahead: TimeDelta) -> Finding {
    let seconds = ahead.num_seconds();
    if seconds.abs() <= CLOCK_SECONDS_MAX {
        return good("clock", "as that of the database");
    }
    let what = format!("the clock of the database is {seconds} s ahead of this machine's");
    doubtful("clock", what, "let chrony or ntpd set both clocks")
}

/// What only a database with the tables of this program can say.
async fn inside(config: &Config, state: &DatabaseState) -> Vec<Finding> {
    if !state.is_current() {
        return inside_nothing(config);
    }
    let settings = store_settings(config, DataDir::sqlite_in(&config.data_dir));
    let store = match Store::open_as_it_is(&settings).await {
        Ok(store) => store,
        Err(fault) => return vec![bad("database", error_chain(&fault), "look at the database")],
    };
    let mut findings = definitions(config, &store).await;
    findings.push(match access::list(&store).await {
        Ok(keys) => {
            let valid = keys.iter().filter(|key| key.is_valid(Utc::now())).count();
            keys_of(config, keys.len(), valid)
        }
        Err(fault) => bad("keys", error_chain(&fault), "look at the database"),
    });
    findings.push(match store.webhooks().await {
        Ok(webhooks) => secrets(config, &webhooks),
        Err(fault) => bad("secrets", error_chain(&fault), "look at the database"),
    });
    store.close().await;
    findings
}

fn inside_nothing(config: &Config) -> Vec<Finding> {
    let read = match read_definitions(&config.built_in, config.datasets_dir.as_deref()) {
        Ok(datasets) => good("definitions", format!("{} can be read", datasets.names().count())),
        Err(fault) => bad("definitions", error_chain(&fault), FIT),
    };
    vec![read]
}

const FIT: &str =
    "correct what the message names; `loadbay datasets check` shows one file by itself";

/// Whether the definitions fit the tables, and the rights on these.
async fn definitions(config: &Config, store: &Store) -> Vec<Finding> {
    let part = "definitions";
    let found = async {
        let datasets = read_definitions(&config.built_in, config.datasets_dir.as_deref())?;
        let checked = fitting_faults(datasets, store).await?;
        anyhow::Ok(checked)
    };
    let checked = match found.await {
        Ok(checked) => checked,
        Err(fault) => return vec![bad(part, format!("{fault:#}"), FIT)],
    };
    let (fit, unfit): (Vec<_>, Vec<_>) =
        checked.into_iter().partition(|(_, faults)| faults.is_empty());
    let mut findings = Vec::new();
    for (compiled, faults) in &unfit {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        let what = format!("{}: {}", compiled.dataset.name, faults.join("; "));
        findings.push(if compiled.is_built_in {
            let mend = "it is not offered; name the others in LOADBAY_BUILT_IN_DATASETS";
            doubtful(part, what, mend)
        } else {
            bad(part, what, FIT)
        });
    }
    let tables: Vec<String> = fit.iter().flat_map(|(it, _)| it.dataset.tables()).collect();
    let joins = fit.iter().flat_map(|(it, _)| it.dataset.joins());
    let joins: Vec<String> = joins.map(|join| join.table.clone()).collect();
    let names: Vec<_> = fit.iter().map(|(it, _)| it.dataset.name.as_str()).collect();
    findings.push(match store.check_rights(&tables, &joins).await {
        Ok(()) => good(part, format!("fit their tables: {}", names.join(", "))),
        Err(fault) => bad(part, error_chain(&fault), "grant what the message names"),
    });
    findings
}

fn keys_of(config: &Config, all: usize, valid: usize) -> Finding {
    let (part, make) = ("keys", "make one with `loadbay keys create NAME --scope admin`");
    if valid > 0 {
        return good(part, format!("{valid} of {all} open something"));
    }
    if all > 0 || config.require_key {
        return bad(part, "none opens anything, and requests need one", make);
    }
    if config.listen.ip().is_loopback() {
        return good(part, "there is none; the server answers its own machine only");
    }
    if config.insecure {
        return doubtful(part, "there is none, and other machines may do everything", make);
    }
    bad(part, "there is none, and the server refuses to listen to other machines", make)
}

/// Whether the secrets of webhooks are sealed, and can be opened.
fn secrets(config: &Config, webhooks: &[Webhook]) -> Finding {
    let part = "secrets";
    let state = match config.secrets.keys() {
        Ok(keys) => keys.state_of(webhooks),
        Err(fault) => return bad(part, fault, "correct the file"),
    };
    if let Some((webhook, fault)) = state.closed.first() {
        let what = format!("{} cannot be opened; webhook {webhook}: {fault}", state.closed.len());
        let mend = "set LOADBAY_SECRETS_KEY to the key with which they were sealed; several are \
                    separated by commas";
        return bad(part, what, mend);
    }
    let (sealed, clear) = (state.sealed, state.clear);
    if clear == 0 {
        return good(part, format!("{sealed} of webhooks are sealed and can be opened"));
    }
    let mend = if config.secrets == SecretsSource::None {
        "set LOADBAY_SECRETS_KEY, and the next start seals them"
    } else {
        "the next start of the server seals them"
    };
    doubtful(part, format!("{clear} of webhooks lie in clear text in the database"), mend)
}

async fn storage(config: &Config) -> Finding {
    let part = "storage";
    let mend = "correct LOADBAY_STORAGE_URL or the variables AWS_…; docs/deployment.md names them";
    let url = match &config.storage_url {
        None => return good(part, "the data folder"),
        Some(StorageUrl::Folder(path)) => return shared_folder(path),
        Some(url) => url,
    };
    match asked(config, url).await {
        Ok(()) => good(part, format!("{url} answers")),
        Err(fault) => bad(part, format!("{url}: {fault:#}"), mend),
    }
}

/// Asks a bucket, with a data folder that is there only for that.
async fn asked(config: &Config, url: &StorageUrl) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data_dir = Arc::new(DataDir::open(folder.path())?);
    Ok(Storage::connect(data_dir, Some(url), &config.bucket_access)?.answers().await?)
}

fn shared_folder(path: &Path) -> Finding {
    let (part, shown) = ("storage", path.display());
    match DirectoryState::of(path) {
        DirectoryState::Missing => {
            bad(part, format!("the folder {shown} is not there"), "create or mount it")
        }
        DirectoryState::Closed { fault } => bad(
            part,
            format!("the folder {shown} cannot be used: {fault}"),
            "give it to the user of the server",
        ),
        _ => good(part, format!("the folder {shown} can be used")),
    }
}

fn certificate(files: CertificateFiles) -> Finding {
    let (part, path) = ("certificate", files.certificate.display().to_string());
    match ServerCertificate::read(files) {
        Ok(certificate) => valid(&path, certificate.validity(), Utc::now()),
        Err(fault) => {
            bad(part, error_chain(&fault), "correct the files; docs/deployment.md says more")
        }
    }
}

/// Whether a certificate that fits its key is valid, and for how long.
fn valid(path: &str, validity: Validity, now: DateTime<Utc>) -> Finding {
    let (part, renew) = ("certificate", "renew it; the server reads the new files by itself");
    let day = |time: DateTime<Utc>| time.format("%Y-%m-%d").to_string();
    let (begin, end) = (day(validity.begin), day(validity.end));
    if now >= validity.end {
        return bad(part, format!("{path} ended on {end}; clients refuse it"), renew);
    }
    if now < validity.begin {
        let mend = "correct the clock, or use a certificate that is valid";
        return bad(part, format!("{path} begins on {begin}; clients refuse it"), mend);
    }
    let what = format!("{path} fits its key and ends on {end}");
    if validity.end - now < CERTIFICATE_DAYS_MIN {
        return doubtful(part, what, renew);
    }
    good(part, what)
}

fn open_files() -> Finding {
    let part = "limits";
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(files) if files < OPEN_FILES_MIN => doubtful(
            part,
            format!("the process may open {files} files"),
            "raise it with `ulimit -n 4096`, or LimitNOFILE=4096 in the unit of systemd",
        ),
        Some(files) => good(part, format!("the process may open {files} files")),
        None => good(part, "the process may open any number of files"),
    }
}

fn address(config: &Config) -> Finding {
    let (part, listen) = ("address", config.listen);
    match TcpListener::bind(listen) {
        Ok(_) => good(part, format!("{listen} is free")),
        Err(fault) if fault.kind() == std::io::ErrorKind::AddrInUse => {
            good(part, format!("{listen} is in use, as by a server that runs"))
        }
        Err(fault) => bad(
            part,
            format!("{listen} cannot be listened on: {fault}"),
            "correct LOADBAY_LISTEN; ports below 1024 need CAP_NET_BIND_SERVICE",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_said_to_end_before_it_does() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (begin, end) = (time("2026-01-01T00:00:00Z"), time("2026-12-01T00:00:00Z"));
        let found = |now: &str| valid("server.crt", Validity { begin, end }, time(now));
        assert_eq!(found("2026-06-01T00:00:00Z").gravity, Gravity::Good);
        assert_eq!(found("2026-11-16T23:59:00Z").gravity, Gravity::Good);
        assert_eq!(found("2026-11-17T00:01:00Z").gravity, Gravity::Doubtful);
        let ended = found("2026-12-01T00:00:00Z");
        assert_eq!(ended.gravity, Gravity::Bad);
        assert_eq!(ended.what, "server.crt ended on 2026-12-01; clients refuse it");
        assert_eq!(found("2025-12-31T00:00:00Z").gravity, Gravity::Bad);
    }
}
