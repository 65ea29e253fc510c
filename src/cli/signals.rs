//! The signals by which a person or a system ends a command that waits.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;

/// Waits for Ctrl-C or SIGTERM, and says which. From the first call on they end no command by
/// themselves.
pub(super) async fn interrupted() -> io::Result<Exit> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => Ok(Exit::Interrupted),
        _ = terminate.recv() => Ok(Exit::Terminated),
    }
}
