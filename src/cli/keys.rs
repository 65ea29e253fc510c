//! `loadbay keys`: who may use the server. Works on the database itself, also while a server runs.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::{Exit, UsageFault};
use super::local::{SettingsArgs, runtime};
use super::output::{note, print, print_json, print_table};
use super::server_args::time;
use crate::access::{self, KeyRequest, KeySecret};
use crate::app;
use crate::domain::access::{AccessKey, Scopes, check_key_name};
use crate::store::Store;

/// Make, list, replace and end the keys of the server.
#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    task: KeysTask,
}

#[derive(Debug, Subcommand)]
enum KeysTask {
    /// Make a key and print it, once
    Create(CreateArgs),
    /// List the keys, without their secrets
    List(ListArgs),
    /// Replace the secret of a key; the old one opens nothing from then on
    Rotate(RotateArgs),
    /// End a key and the sessions that were opened with it
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// The name of the key; jobs are created by `key:NAME`.
    #[arg(value_parser = key_name)]
    name: String,
    /// What it allows: read, import, admin, with commas between them.
    #[arg(long, value_name = "SCOPES", default_value = "import,read", value_parser = Scopes::parse)]
    scope: Scopes,
    /// A dataset that it may use; may be repeated. Without it all.
    #[arg(long, value_name = "NAME")]
    dataset: Vec<String>,
    /// When it ends by itself, such as 90d.
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<Duration>,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct RotateArgs {
    /// The name of the key.
    name: String,
    /// When the new one ends by itself, such as 90d; without it as the old one.
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<Duration>,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct RevokeArgs {
    /// The name of the key.
    name: String,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingsArgs,
}

fn key_name(text: &str) -> Result<String, String> {
    check_key_name(text).map(|()| text.to_owned())
}

/// Runs the command.
pub(super) fn run(args: &KeysArgs) -> anyhow::Result<Exit> {
    match &args.task {
        KeysTask::Create(args) => {
            with_store(&args.common, async |store| create(args, &store).await)
        }
        KeysTask::List(args) => with_store(&args.common, async |store| list(args, &store).await),
        KeysTask::Rotate(args) => {
            with_store(&args.common, async |store| rotate(args, &store).await)
        }
        KeysTask::Revoke(args) => {
            with_store(&args.common, async |store| revoke(args, &store).await)
        }
    }
}

fn with_store(
    args: &CommonArgs,
    work: impl AsyncFnOnce(Store) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    let config = args.settings.read()?;
    runtime()?.block_on(async {
        let opened = app::open_database(&config).await?;
        let outcome = work(opened.store.clone()).await;
        opened.store.close().await;
        outcome
    })?;
    Ok(Exit::Done)
}

async fn create(args: &CreateArgs, store: &Store) -> anyhow::Result<()> {
    let datasets = (!args.dataset.is_empty()).then(|| args.dataset.clone());
    let is_name = |name: &String| !name.is_empty() && !name.contains(',');
    if !args.dataset.iter().all(is_name) {
        return Err(UsageFault("--dataset takes one name; repeat it for more".to_owned()).into());
    }
    let request = KeyRequest {
        name: args.name.clone(),
        scopes: args.scope.clone(),
        datasets,
        expires_at: args.expires.map(end_after).transpose()?,
    };
    tell_secret(&args.common, &args.name, &access::create(store, request).await?);
    Ok(())
}

async fn rotate(args: &RotateArgs, store: &Store) -> anyhow::Result<()> {
    let expires_at = args.expires.map(end_after).transpose()?;
    tell_secret(&args.common, &args.name, &access::rotate(store, &args.name, expires_at).await?);
    Ok(())
}

fn end_after(time: Duration) -> anyhow::Result<DateTime<Utc>> {
    let time = chrono::TimeDelta::from_std(time).ok();
    let end = time.and_then(|time| Utc::now().checked_add_signed(time));
    end.ok_or_else(|| UsageFault("--expires is too far away".to_owned()).into())
}

/// The key on standard output, and what to do with it for a person.
fn tell_secret(args: &CommonArgs, name: &str, secret: &KeySecret) {
    if args.json {
        print_json(&json!({"name": name, "key": secret.reveal()}));
        return;
    }
    note(format!("The key `{name}`; it is not shown again:"));
    print(secret.reveal());
    note(
        "Clients send it as `Authorization: Bearer`; commands read it from LOADBAY_KEY or --key-file.",
    );
}

async fn list(args: &ListArgs, store: &Store) -> anyhow::Result<()> {
    let keys = access::list(store).await?;
    if args.common.json {
        print_json(&Value::Array(keys.iter().map(as_json).collect()));
        return Ok(());
    }
    let header = ["NAME", "KEY", "SCOPES", "DATASETS", "STATE", "EXPIRES", "LAST USED", "FROM"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(keys.iter().map(row));
    print_table(&rows);
    Ok(())
}

fn shown(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn state(key: &AccessKey) -> &'static str {
    match (key.revoked_at, key.is_valid(Utc::now())) {
        (Some(_), _) => "revoked",
        (None, true) => "valid",
        (None, false) => "expired",
    }
}

fn row(key: &AccessKey) -> Vec<String> {
    vec![
        key.name.clone(),
        format!("loadbay_{}_…", key.public_part),
        key.scopes.to_string(),
        key.datasets.as_ref().map_or_else(|| "all".to_owned(), |names| names.join(",")),
        state(key).to_owned(),
        shown(key.expires_at),
        shown(key.last_used_at),
        key.last_used_from.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

fn as_json(key: &AccessKey) -> Value {
    let time = |time: Option<DateTime<Utc>>| time.map(|_| shown(time));
    json!({
        "name": key.name,
        "publicPart": key.public_part,
        "scopes": key.scopes.to_string().split(',').collect::<Vec<_>>(),
        "datasets": key.datasets,
        "state": state(key),
        "createdAt": shown(Some(key.created_at)),
        "expiresAt": time(key.expires_at),
        "revokedAt": time(key.revoked_at),
        "lastUsedAt": time(key.last_used_at),
        "lastUsedFrom": key.last_used_from,
    })
}

async fn revoke(args: &RevokeArgs, store: &Store) -> anyhow::Result<()> {
    access::revoke(store, &args.name).await?;
    if args.common.json {
        print_json(&json!({"name": args.name, "state": "revoked"}));
    } else {
        print(format!("The key `{}` is revoked.", args.name));
    }
    Ok(())
}
