//! Waits for the end of a job or a bulk and says what became of it: shared by all commands that start
//! or watch one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use super::exit::Exit;
use super::failed_rows;
use super::output::{note, print, print_json};
use super::progress::Progress;
use super::server_args::{ServerArgs, time};
use super::signals::interrupted;
use super::summary::result_lines;
use crate::client::{ClientError, Connection, Followed, Outcome, Standing};

/// The flags of every command that waits for an import.
#[derive(Debug, Clone, Args)]
pub(super) struct FollowArgs {
    /// Wait no longer than this for the end, such as 10m; the job goes on then (exit code 6).
    #[arg(long, value_name = "TIME", value_parser = time)]
    wait: Option<Duration>,
    /// Write the failed rows to this file: .csv or .xlsx.
    #[arg(long, value_name = "FILE")]
    errors_to: Option<PathBuf>,
    /// Exit with 0 although rows failed.
    #[arg(long)]
    allow_errors: bool,
    /// Print the job as the API has it, as one line of JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Print the result only.
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// Why a wait ended early.
pub(super) enum Early {
    /// A signal.
    Signal(Exit),
    /// The time that was given.
    Time,
}

impl FollowArgs {
    /// When the time is over that the command may take.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wait.and_then(|wait| Instant::now().checked_add(wait))
    }

    /// Refuses a file for failed rows that cannot be one, before anything is done.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.errors_to.as_deref().map_or(Ok(()), failed_rows::check)
    }

    /// Follows an import to its end, says how it ended, and fetches its failed rows.
    pub(super) async fn to_the_end(
        &self,
        connection: &Connection,
        server: &ServerArgs,
        followed: &Followed,
        deadline: Option<Instant>,
    ) -> anyhow::Result<Exit> {
        let mut progress = Progress::new(self.quiet);
        let ended = tokio::select! {
            ended = connection.follow(followed, |standing| progress.changed(standing)) => Ok(ended),
            early = early(deadline) => Err(early?),
        };
        progress.end();
        let standing = match ended {
            Ok(Ok(standing)) => standing,
            Ok(Err(fault)) => {
                if matches!(fault, ClientError::Unreachable { .. }) {
                    come_back(server, followed);
                }
                return Err(fault.into());
            }
            Err(early) => {
                come_back(server, followed);
                return Ok(match early {
                    Early::Time => Exit::WaitOver,
                    Early::Signal(exit) => exit,
                });
            }
        };
        self.tell(&standing);
        self.keep_failed_rows(connection, &standing).await?;
        if standing.failed() > 0 && self.errors_to.is_none() && !self.quiet && !self.json {
            let flags = server.repeated();
            for job in failed_rows::jobs(&standing) {
                note(format!("The failed rows: loadbay errors {job}{flags}"));
            }
        }
        Ok(self.exit(&standing))
    }

    fn tell(&self, standing: &Standing) {
        if self.json {
            print_json(&standing.data);
            return;
        }
        result_lines(standing).iter().for_each(print);
    }

    async fn keep_failed_rows(
        &self,
        connection: &Connection,
        standing: &Standing,
    ) -> Result<(), ClientError> {
        let Some(path) = &self.errors_to else { return Ok(()) };
        let files = failed_rows::write(connection, standing, path).await?;
        if !self.quiet && !self.json {
            for file in &files {
                note(format!("The failed rows are in {}", file.display()));
            }
        }
        Ok(())
    }

    fn exit(&self, standing: &Standing) -> Exit {
        match standing.outcome() {
            Some(Outcome::RowsFailed(_)) if !self.allow_errors => Exit::RowsFailed,
            Some(Outcome::Failed) => Exit::Refused,
            Some(Outcome::Cancelled) => Exit::Cancelled,
            _ => Exit::Done,
        }
    }
}

/// Waits for a signal or the end of the time.
pub(super) async fn early(deadline: Option<Instant>) -> std::io::Result<Early> {
    let over = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        exit = interrupted() => Ok(Early::Signal(exit?)),
        () = over => Ok(Early::Time),
    }
}

/// Says how to find the import again.
fn come_back(server: &ServerArgs, followed: &Followed) {
    let flags = server.repeated();
    note(if server.is_local() {
        "The import is not finished. It goes on with the next command with --local, or with the \
         next start of the server."
    } else {
        "The import goes on at the server."
    });
    note(format!("  come back:  loadbay watch {followed}{flags}"));
    note(format!("  cancel it:  loadbay cancel {followed}{flags}"));
}
