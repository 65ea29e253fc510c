//! Commands without a server: this process is one for as long as the command runs. It listens on a
//! socket in a folder that only its user can open, and does everything as any server does.

use std::os::unix::net::UnixListener;
use std::path::Path;

use anyhow::Context;
use clap::Args;
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::logging;
use super::output::note;
use super::signals::interrupted;
use crate::app::{self, Listener};
use crate::client::Connection;
use crate::config::Config;

/// The settings that a command takes as flags; all others come from the environment and `.env`.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SettingsArgs {
    /// The data directory, instead of `LOADBAY_DATA_DIR`.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// The database, instead of `DATABASE_URL`. Others on this machine see flags: a password belongs
    /// into the environment.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

impl SettingsArgs {
    /// The settings.
    pub(super) fn read(&self) -> anyhow::Result<Config> {
        Ok(Config::read_beside(&[
            ("LOADBAY_DATA_DIR", self.data_dir.as_deref()),
            ("DATABASE_URL", self.database_url.as_deref()),
        ])?)
    }

    /// The flags as they were given, for the next command.
    pub(super) fn repeated(&self) -> String {
        let folder = self.data_dir.as_ref();
        folder.map_or_else(String::new, |folder| format!(" --data-dir {folder}"))
    }
}

/// Runs `work` with a server of its own, which ends with it.
pub(super) async fn with_own_server(
    settings: &SettingsArgs,
    work: impl AsyncFnOnce(&Connection) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let config = settings.read()?;
    // The command itself says how it goes; the log has what a person must see.
    let filter = if config.log == "info" { "warn" } else { &config.log };
    let _log = logging::to_stderr(filter, config.log_format)?;
    let config = Config { drain: std::time::Duration::ZERO, ..config };
    // Mode 0700, and removed at the end.
    let folder = tempfile::Builder::new()
        .prefix("loadbay-")
        .tempdir()
        .context("cannot make a temporary folder")?;
    let socket = folder.path().join("socket");
    let listener = listen(&socket)?;
    let server =
        app::start(config, Listener::OwnSocket(listener), CancellationToken::new()).await.context(
            "the import cannot run without a server; leave out --local to ask a running one",
        )?;
    let connection = Connection::to_own_socket(&socket)?;
    let outcome = work(&connection).await;
    tokio::select! {
        stopped = server.stop() => stopped?,
        exit = interrupted() => {
            note("Stopped at once; what was not committed is read again next time.");
            return Ok(exit?);
        }
    }
    outcome
}

fn listen(socket: &Path) -> anyhow::Result<UnixListener> {
    let listener = UnixListener::bind(socket).with_context(|| {
        format!("cannot listen on `{}`; a shorter TMPDIR may help", socket.display())
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The runtime of a command that asks the database itself.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    // The libraries are built without a provider of their own.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
