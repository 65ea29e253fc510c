//! `loadbay import`: uploads files and waits for the end of their import.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;

use super::exit::{Exit, UsageFault};
use super::follow_args::{Early, FollowArgs, early};
use super::option_args::OptionArgs;
use super::output::{note, print, print_json};
use super::progress::Progress;
use super::server_args::ServerArgs;
use super::sources::Sources;
use crate::client::{Connection, OutgoingUpload, Sent};

/// Between two looks at how much was sent.
const TICK: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "Examples:\n  \
    loadbay import prices.csv --dataset products\n  \
    loadbay import 'drop/*.xlsx' --dataset products --wait 10m --errors-to bad.csv\n  \
    supplier-export | loadbay import - --dataset products --name prices.csv\n  \
    loadbay import https://supplier.example/prices.csv --dataset products --only-if-changed\n\n\
    The exit code says how it ended: 0 all rows are in, 3 rows failed, 4 failed or refused, 5 cancelled,\n\
    6 the wait is over, 7 no server, 8 not allowed. Several files become one bulk.";

/// Import files into a dataset and wait for the end.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ImportArgs {
    /// Files, folders, patterns or addresses; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// The dataset that the rows become part of; `loadbay datasets` lists them.
    #[arg(long, short)]
    dataset: String,
    /// The name that the server sees of a single file.
    #[arg(long)]
    name: Option<String>,
    /// Do not wait for the end: print the number of the job.
    #[arg(long, conflicts_with_all = ["wait", "errors_to", "allow_errors"])]
    detach: bool,
    /// Exit with 0 when a folder or pattern has no file.
    #[arg(long)]
    if_any: bool,
    /// The key under which this upload is done once, however often the command runs.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    options: OptionArgs,
}

/// Runs the command.
pub(super) fn run(args: &ImportArgs) -> anyhow::Result<Exit> {
    args.follow.check()?;
    if args.detach && args.server.is_local() {
        let fault = "--detach needs a server that goes on; leave out --detach or --local";
        return Err(UsageFault(fault.to_owned()).into());
    }
    if args.server.is_local() {
        super::heaps::limit();
    }
    let deadline = args.follow.deadline();
    let sources = Sources::of(&args.files, args.name.as_deref())?;
    if sources.is_empty() {
        let what = args.files.join(", ");
        if args.if_any {
            note(format!("There is no file to import ({what})"));
            return Ok(Exit::Done);
        }
        return Err(UsageFault(format!("there is no file to import: {what}")).into());
    }
    args.server.run(async |connection| import(args, &sources, deadline, connection).await)
}

async fn import(
    args: &ImportArgs,
    sources: &Sources,
    deadline: Option<Instant>,
    connection: &Connection,
) -> anyhow::Result<Exit> {
    let upload = OutgoingUpload {
        dataset: args.dataset.clone(),
        options: args.options.pairs.clone(),
        source: sources.source.clone(),
        idempotency_key: args
            .idempotency_key
            .clone()
            .unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
    };
    let sent = match send(args, sources.bytes, deadline, connection, &upload).await? {
        Ok(sent) => sent,
        Err(exit) => return Ok(exit),
    };
    if args.detach {
        if args.follow.json {
            print_json(&sent.standing.data);
        } else {
            print(sent.followed.to_string());
        }
        return Ok(Exit::Done);
    }
    args.follow.to_the_end(connection, &args.server, &sent.followed, deadline).await
}

/// Sends the files; the exit of a person or a time that ended it early.
async fn send(
    args: &ImportArgs,
    bytes: u64,
    deadline: Option<Instant>,
    connection: &Connection,
    upload: &OutgoingUpload,
) -> anyhow::Result<Result<Sent, Exit>> {
    let progress = Progress::new(args.follow.quiet);
    let count = Arc::new(AtomicU64::new(0));
    let watch = async {
        loop {
            tokio::time::sleep(TICK).await;
            progress.sent(count.load(Ordering::Relaxed), bytes);
        }
    };
    let ended = tokio::select! {
        sent = connection.upload(upload, &count) => Ok(sent),
        early = early(deadline) => Err(early?),
        () = watch => return Err(anyhow::anyhow!("the display ended")),
    };
    progress.end();
    match ended {
        Ok(sent) => Ok(Ok(sent?)),
        Err(early) => {
            note(
                "The upload was stopped; a file that the server does not have whole is not imported.",
            );
            note(format!(
                "  import it:  the same command with --idempotency-key {}",
                upload.idempotency_key
            ));
            Ok(Err(match early {
                Early::Time => Exit::WaitOver,
                Early::Signal(exit) => exit,
            }))
        }
    }
}
