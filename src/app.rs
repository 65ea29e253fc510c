//! The composition root: settings → data directory, datasets, store, jobs, HTTP; started in this
//! order and stopped in the opposite one.

mod doctor;
mod migrate;
mod search;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::access::{Access, Meters};
use crate::after::search::SearchWorker;
use crate::after::webhooks::{WebhookWorker, Webhooks};
use crate::config::Config;
use crate::definitions::Definitions;
use crate::files::{DataDir, FetchRules, Fetcher, FileError, Sender, Storage};
pub use crate::http::Listener;
use crate::http::{Api, Server, ServerCertificate};
use crate::jobs::{Jobs, JobsSettings};
use crate::reader::Child;
use crate::store::{Store, StoreSettings};
pub use doctor::{Finding, Gravity, examine};
pub use migrate::{database_state, migrate};
pub use search::rebuild_search;
use search::{start_search, synced_datasets};

/// Lists of unprocessed rows that are made at a time.
const LIST_SLOTS: usize = 2;

/// How long everything may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(24);

/// What is left of it for the requests that are open at the end of a long drain.
const AFTER_DRAIN: Duration = Duration::from_secs(12);

/// Serves until the process is asked to stop. `ready` gets the address once uploads are taken.
///
/// # Errors
/// Whatever keeps the server from starting, in words for the one who starts it.
pub async fn serve(config: Config, ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    let stopping = CancellationToken::new();
    // Before anything else: a signal during the start must not end the process half-way.
    stop_on_signal(stopping.clone())?;
    let hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    let listener = TcpListener::bind(config.listen)
        .with_context(|| format!("LOADBAY_LISTEN: cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let running = start(config, Listener::Network(listener), stopping.clone()).await?;
    tokio::spawn(reload_on_signal(hangup, Arc::clone(&running.definitions)));
    tracing::info!(event = "ready", %address, "server is ready");
    ready(address);

    stopping.cancelled().await;
    tracing::info!(event = "stopping", "server is stopping");
    running.stop().await?;
    tracing::info!(event = "stopped", "server has stopped");
    Ok(())
}

/// A server that takes uploads and runs jobs.
#[derive(Debug)]
pub struct RunningServer {
    server: Server,
    jobs: Jobs,
    search: Option<SearchWorker>,
    webhooks: WebhookWorker,
    /// The connections of what follows a job.
    after_store: Store,
    definitions: Arc<Definitions>,
    /// Looks at the folder of definitions.
    watch: JoinHandle<()>,
    drain: Duration,
    stopping: CancellationToken,
}

impl RunningServer {
    /// Ends requests and jobs, then closes the database. What is not finished goes on at the next
    /// start.
    ///
    /// # Errors
    /// When the web server ended with an error.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stopping.cancel();
        if let Some(search) = self.search {
            search.stop().await;
        }
        self.webhooks.stop().await;
        // It ends by itself; a panic in it is in the log.
        let _ = self.watch.await;
        let stopped = stop(self.server, &self.jobs, self.drain).await;
        self.after_store.close().await;
        stopped
    }
}

/// Starts a server on `listener`. It ends long polls and streams when `stopping` is cancelled.
///
/// # Errors
/// Whatever keeps the server from starting, in words for the one who starts it.
pub async fn start(
    config: Config,
    listener: Listener,
    stopping: CancellationToken,
) -> anyhow::Result<RunningServer> {
    let certificate = match &listener {
        Listener::Network(_) => certificate(&config, &stopping)?,
        Listener::OwnSocket(_) => None,
    };
    let (data_dir, storage) = files(&config).await?;
    let asked = storage.clone();
    // Nobody waits for a bucket that is away.
    tokio::spawn(async move { asked.ask().await });
    let child = child(&config)?;
    let store = connect(&config, &data_dir).await?;
    let (built_in, folder) = (config.built_in.clone(), config.datasets_dir.clone());
    let datasets = Arc::new(Definitions::load(built_in, folder, store.clone()).await?);
    let access = Access::open(store.clone(), config.require_key).await?;
    refuse_strangers(&config, &listener, &access)?;
    let store = store.noting_changes_of(synced_datasets(&config, &datasets.current())?);
    let after_store = store.for_work();
    let sender = Sender::new(fetch_rules(&config))?;
    let secrets = config.secrets.keys().map_err(anyhow::Error::msg)?;
    let webhooks = Webhooks::new(after_store.clone(), sender.clone(), secrets.clone());
    seal_secrets(&webhooks).await?;
    // Late: from here on jobs run, and whoever asks for one must be answered.
    let jobs = start_jobs(&config, store, &data_dir, &storage, &datasets, child).await?;
    let search = start_search(&config, &after_store, &datasets, &jobs)?;

    let api = Api {
        jobs: jobs.clone(),
        webhooks,
        access,
        meters: Meters::new(config.key_limits),
        certificate: certificate.clone(),
        hsts: config.hsts.filter(|_| certificate.is_some()),
        hosts: config.hosts,
        is_loopback: is_loopback(&listener)?,
        has_own_socket: matches!(listener, Listener::OwnSocket(_)),
        data_dir,
        storage,
        datasets: Arc::clone(&datasets),
        max_upload: config.max_upload,
        home_encoding: config.home_encoding,
        cors_origins: config.cors_origins,
        path_prefix: config.path_prefix,
        trusted_proxies: config.trusted_proxies,
        chunk_rows: config.chunk_rows,
        list_slots: Arc::new(Semaphore::new(LIST_SLOTS)),
        session_wait: config.session_timeout,
        stopping: stopping.clone(),
    };
    let server = Server::start(listener, api, config.keep_alive, certificate.as_ref())?;
    let webhooks = WebhookWorker::start(
        after_store.clone(),
        sender,
        secrets,
        config.webhook_retries,
        config.webhook_timeout,
    );
    let (watched, until) = (Arc::clone(&datasets), stopping.clone());
    let watch = tokio::spawn(async move { watched.watch(until).await });
    let (definitions, drain) = (datasets, config.drain);
    Ok(RunningServer {
        server,
        jobs,
        search,
        webhooks,
        after_store,
        definitions,
        watch,
        drain,
        stopping,
    })
}

/// Seals the secrets of webhooks, and says which of them cannot be opened: their messages wait, and the
/// server imports all the same.
async fn seal_secrets(webhooks: &Webhooks) -> anyhow::Result<()> {
    for (webhook, error) in webhooks.seal_stored().await?.closed {
        tracing::error!(
            event = "secret_closed",
            %webhook,
            %error,
            "webhook cannot be notified until LOADBAY_SECRETS_KEY has the key of its secret"
        );
    }
    Ok(())
}

/// The certificate of the server, which follows its files.
fn certificate(
    config: &Config,
    stopping: &CancellationToken,
) -> anyhow::Result<Option<ServerCertificate>> {
    let Some(files) = &config.tls else { return Ok(None) };
    let certificate = ServerCertificate::read(files.clone())?;
    certificate.keep_current(stopping.clone())?;
    Ok(Some(certificate))
}

/// True when no other machine reaches the listener.
fn is_loopback(listener: &Listener) -> anyhow::Result<bool> {
    match listener {
        Listener::Network(listener) => Ok(listener.local_addr()?.ip().is_loopback()),
        Listener::OwnSocket(_) => Ok(true),
    }
}

/// Refuses to let other machines in who could do everything, unless that is wanted.
fn refuse_strangers(config: &Config, listener: &Listener, access: &Access) -> anyhow::Result<()> {
    let Listener::Network(listener) = listener else { return Ok(()) };
    let address = listener.local_addr()?;
    if address.ip().is_loopback() || access.needs_key() {
        return Ok(());
    }
    if config.insecure {
        tracing::warn!(
            event = "open_to_everybody",
            %address,
            "server has no keys and listens to other machines, which may do everything"
        );
        return Ok(());
    }
    bail!(
        "LOADBAY_LISTEN: other machines reach {address}, and without a key everybody there may do \
         everything; make a key with `loadbay keys create NAME`, or allow it with \
         LOADBAY_INSECURE=true"
    )
}

/// A database that is open for a command.
#[derive(Debug)]
pub struct OpenDatabase {
    /// The database.
    pub store: Store,
    /// Held for its lock, unless a server has it.
    _data_dir: Option<DataDir>,
}

/// Opens the database for a command, also while a server uses it, and brings its tables up to date.
///
/// # Errors
/// Whatever keeps it from being opened.
pub async fn open_database(config: &Config) -> anyhow::Result<OpenDatabase> {
    let data_dir = match DataDir::open(&config.data_dir) {
        Ok(data_dir) => Some(data_dir),
        Err(FileError::InUse { .. }) => None,
        Err(fault) => return Err(fault.into()),
    };
    let settings = store_settings(config, DataDir::sqlite_in(&config.data_dir));
    Ok(OpenDatabase { store: Store::connect(&settings).await?, _data_dir: data_dir })
}

/// Ends requests and jobs, then closes the database.
async fn stop(server: Server, jobs: &Jobs, drain: Duration) -> anyhow::Result<()> {
    let http = async {
        // A balancer asks `/readyz` on a new connection: that one must find somebody to say 503.
        tokio::time::sleep(drain).await;
        server.stop().await
    };
    let stop = async {
        // Together: a request that ends may still submit a job, and a chunk in flight needs its time.
        let (http, ()) = tokio::join!(http, jobs.drain());
        jobs.close().await;
        http
    };
    let limit = STOP_TIMEOUT.max(drain + AFTER_DRAIN);
    if let Ok(http) = tokio::time::timeout(limit, stop).await {
        return http.context("web server ended with an error");
    }
    tracing::warn!(
        event = "stop_timeout",
        "server did not end everything in time, the next start goes on"
    );
    Ok(())
}

/// Opens the data directory and the storage of the jobs' files.
async fn files(config: &Config) -> anyhow::Result<(Arc<DataDir>, Storage)> {
    let (root, min_free) = (config.data_dir.clone(), config.min_free);
    let (url, access) = (config.storage_url.clone(), config.bucket_access.clone());
    let open = move || -> anyhow::Result<_> {
        let data_dir = Arc::new(DataDir::open(&root)?.with_min_free(min_free));
        let storage = Storage::connect(Arc::clone(&data_dir), url.as_ref(), &access)
            .context("LOADBAY_STORAGE_URL")?;
        Ok((data_dir, storage))
    };
    tokio::task::spawn_blocking(open).await?
}

/// The database as it is: nothing is made in it.
///
/// # Errors
/// When it does not answer.
pub async fn open_database_as_it_is(config: &Config) -> anyhow::Result<Store> {
    let settings = store_settings(config, DataDir::sqlite_in(&config.data_dir));
    Ok(Store::open_as_it_is(&settings).await?)
}

/// Opens the database.
async fn connect(config: &Config, data_dir: &DataDir) -> anyhow::Result<Store> {
    let store = Store::connect(&store_settings(config, data_dir.sqlite())).await?;
    let tls = store.speaks_tls().await?;
    tracing::info!(event = "database_connected", tls, "database is connected");
    Ok(store)
}

fn store_settings(config: &Config, sqlite_path: PathBuf) -> StoreSettings {
    StoreSettings {
        database_url: config.database_url.as_ref().map(|url| url.reveal().to_owned()),
        sqlite_path,
        schema: config.schema.clone(),
        lease: config.lease,
    }
}

async fn start_jobs(
    config: &Config,
    store: Store,
    data_dir: &Arc<DataDir>,
    storage: &Storage,
    datasets: &Arc<Definitions>,
    child: Child,
) -> anyhow::Result<Jobs> {
    let settings = JobsSettings {
        memory_limit: config.memory_limit,
        max_upload: config.max_upload,
        chunk_rows: config.chunk_rows,
        running_max: config.max_running_jobs,
        writers: config.writers,
        lease: config.lease,
        keep_finished: config.job_ttl,
        retention: config.retention,
        job_retention: config.job_retention,
        stored_errors_max: config.max_stored_errors,
        events_max: config.max_events,
        fetch_retries: config.fetch.retries,
        home_encoding: config.home_encoding.clone(),
        child,
    };
    let fetcher = fetcher(config, data_dir, storage)?;
    let (data_dir, storage) = (Arc::clone(data_dir), storage.clone());
    Ok(Jobs::start(store, data_dir, storage, fetcher, Arc::clone(datasets), settings).await)
}

/// What downloads files.
fn fetcher(config: &Config, data_dir: &Arc<DataDir>, storage: &Storage) -> anyhow::Result<Fetcher> {
    Ok(Fetcher::new(Arc::clone(data_dir), storage.clone(), fetch_rules(config))?)
}

/// Which addresses may be asked.
fn fetch_rules(config: &Config) -> FetchRules {
    FetchRules {
        networks: config.fetch.networks.clone(),
        ports: config.fetch.ports.clone(),
        time_max: config.fetch.timeout,
        idle_max: config.fetch.idle,
        authorities: config.fetch.authorities.clone(),
        bytes_max: config.max_upload,
    }
}

fn child(config: &Config) -> anyhow::Result<Child> {
    Ok(Child {
        program: std::env::current_exe().context("cannot find the program file of this server")?,
        memory_bytes: config.convert.memory_bytes,
        cpu_seconds: config.convert.cpu_seconds,
        wall_seconds: config.convert.wall_seconds,
        // Two more than jobs run: while all of them convert workbooks, one can still be uploaded,
        // and one that a request waits for be read.
        slots: Arc::new(Semaphore::new(config.max_running_jobs.max(1) as usize + 2)),
    })
}

/// Reads the definitions again on SIGHUP.
async fn reload_on_signal(mut hangup: Signal, definitions: Arc<Definitions>) {
    while hangup.recv().await.is_some() {
        // The log says what came of it.
        let _ = definitions.reload_by_itself().await;
    }
}

/// Cancels `stopping` on SIGTERM and SIGINT.
fn stop_on_signal(stopping: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopping.cancel();
    });
    Ok(())
}
