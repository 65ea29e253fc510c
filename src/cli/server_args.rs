//! Which server a command asks, with which key, and how long it tries.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::exit::{Exit, UsageFault};
use super::local::{self, SettingsArgs};
use super::output::note;
use crate::client::{Connection, OnAway, ServerAddress, ServerKey};
use crate::config;

const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";

/// The flags of every command that asks a server.
#[derive(Debug, Clone, Args)]
pub(super) struct ServerArgs {
    /// The address of the server.
    #[arg(long, value_name = "URL", env = "LOADBAY_SERVER", default_value = DEFAULT_SERVER, help_heading = "Server")]
    server: String,
    /// A file with the key for the server; without it the variable `LOADBAY_KEY` has the key.
    #[arg(long, value_name = "FILE", env = "LOADBAY_KEY_FILE", help_heading = "Server")]
    key_file: Option<PathBuf>,
    /// How long a server is asked again that does not answer.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time, help_heading = "Server")]
    retry_for: Duration,
    /// Work without a server, straight in the database; refused while a server uses the data directory.
    #[arg(long, help_heading = "Server")]
    local: bool,
    #[command(flatten, next_help_heading = "With --local")]
    settings: SettingsArgs,
}

/// A time such as `10m` or `90s`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "it is not a time; write it like 90s, 10m or 2h".to_owned())
}

impl ServerArgs {
    /// True of a command that is its own server.
    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    /// The flags by which another command reaches the same server, with a space before them.
    pub(super) fn repeated(&self) -> String {
        if self.local {
            return format!(" --local{}", self.settings.repeated());
        }
        let mut flags = String::new();
        if self.server != DEFAULT_SERVER {
            flags = format!(" --server {}", self.server);
        }
        if let Some(file) = &self.key_file {
            flags = format!("{flags} --key-file {}", file.display());
        }
        flags
    }

    fn key(&self) -> anyhow::Result<Option<ServerKey>> {
        let (place, text) = match &self.key_file {
            Some(file) => {
                let place = format!("--key-file: `{}`", file.display());
                let text = std::fs::read_to_string(file);
                let text = text.map_err(|fault| UsageFault(format!("{place}: {fault}")))?;
                (place, Some(text))
            }
            None => ("LOADBAY_KEY".to_owned(), config::client_key()),
        };
        let Some(text) = text else { return Ok(None) };
        let key = ServerKey::parse(&text);
        Ok(Some(key.map_err(|fault| UsageFault(format!("{place} holds no key: {fault}")))?))
    }

    fn connection(&self) -> anyhow::Result<Connection> {
        let address = ServerAddress::parse(&self.server)
            .map_err(|fault| UsageFault(format!("--server `{}`: {fault}", shown(&self.server))))?;
        Ok(Connection::to_server(address, self.key()?, self.retry_for)?)
    }

    /// Runs `work` with a connection to the server, or with a server of its own.
    pub(super) fn run(
        &self,
        work: impl AsyncFnOnce(&Connection) -> anyhow::Result<Exit>,
    ) -> anyhow::Result<Exit> {
        // reqwest is built without a provider of its own.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start")?;
        let outcome = runtime.block_on(async {
            if self.local {
                return local::with_own_server(&self.settings, work).await;
            }
            work(&self.connection()?.with_notice(to_stderr())).await
        });
        // A thread that is stuck in a file system must not keep the process.
        runtime.shutdown_background();
        outcome
    }
}

fn to_stderr() -> OnAway {
    std::sync::Arc::new(|sentence: &str| note(format!("loadbay: {sentence}")))
}

/// An address without what may be a password.
fn shown(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, rest)| rest)
}
