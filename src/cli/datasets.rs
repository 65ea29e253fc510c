//! `loadbay datasets`: proposes definitions from tables and files, checks them against the database,
//! shows how a header would be matched, and makes tables.

mod file;
mod place;
mod show;

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::exit::Exit;
use super::output::note;
use crate::app::open_database_as_it_is;
use crate::config::Config;
use crate::dataset::Proposal;
use crate::definitions::{fitting_faults, propose};
use crate::store::TablesCreated;
use place::{PlaceArgs, definitions};
use show::ShowArgs;

const INFER_HELP: &str = "Examples:\n  \
    loadbay datasets infer suppliers --database sqlite:///srv/shop.db > datasets/suppliers.toml\n  \
    loadbay datasets infer shop.items --key number,supplier\n  \
    loadbay datasets infer --file pricelist.xlsx --out datasets/prices.toml";

/// What is to be done with datasets.
#[derive(Debug, Args)]
pub(super) struct DatasetsArgs {
    #[command(subcommand)]
    task: DatasetsTask,
}

#[derive(Debug, Subcommand)]
enum DatasetsTask {
    /// Propose a definition from a table of the database, or from a file alone
    #[command(after_help = INFER_HELP)]
    Infer(InferArgs),
    /// Check all definitions against the database
    Check(PlaceArgs),
    /// Show the columns of a dataset, or how the header of a file would be matched
    Show(ShowArgs),
    /// Make the tables of a dataset that are missing
    Create(CreateTablesArgs),
}

/// From what a definition is proposed.
#[derive(Debug, Args)]
struct InferArgs {
    /// The table, if need be with its schema.
    #[arg(required_unless_present = "file")]
    table: Option<String>,
    /// A file with a header instead of a table.
    #[arg(long, value_name = "FILE", conflicts_with = "table")]
    file: Option<PathBuf>,
    /// The columns that tell records apart, separated by commas.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    key: Vec<String>,
    /// The name of the dataset.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The file that the definition is written to, instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Whose tables are made.
#[derive(Debug, Args)]
struct CreateTablesArgs {
    /// The dataset.
    dataset: String,
    /// Print the statements and change nothing.
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Does what the arguments say.
pub(super) fn run(args: &DatasetsArgs) -> anyhow::Result<Exit> {
    // sqlx is built without a provider of its own; the first one installed stays.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &args.task {
            DatasetsTask::Infer(args) => infer(args).await,
            DatasetsTask::Check(place) => check(&place.read()?).await,
            DatasetsTask::Show(args) => show::run(args).await,
            DatasetsTask::Create(args) => create(args).await,
        }
    })
}

async fn infer(args: &InferArgs) -> anyhow::Result<Exit> {
    let config = args.place.read()?;
    let key: Vec<String> = args.key.iter().map(|name| name.trim().to_owned()).collect();
    let key = (!key.is_empty()).then_some(key.as_slice());
    let name = args.name.as_deref();
    let proposal = match (&args.table, &args.file) {
        (Some(table), _) => of_table(&config, table, name, key).await?,
        (None, Some(path)) => file::infer(&config, path, name, key).await?,
        (None, None) => bail!("name a table, or a file with `--file FILE`"),
    };
    let text = proposal.to_toml()?;
    let Some(out) = &args.out else {
        io::stdout().write_all(text.as_bytes())?;
        return Ok(Exit::Done);
    };
    if out.exists() {
        bail!("`{}` is there already; remove it first, or name another file", out.display());
    }
    std::fs::write(out, text).with_context(|| format!("cannot write `{}`", out.display()))?;
    note(format!("The definition is in {}.", out.display()));
    Ok(Exit::Done)
}

async fn of_table(
    config: &Config,
    table: &str,
    name: Option<&str>,
    key: Option<&[String]>,
) -> anyhow::Result<Proposal> {
    let store = open_database_as_it_is(config).await?;
    let proposal = propose(&store, table, name, key).await;
    store.close().await;
    Ok(proposal?)
}

/// One line a dataset, then what is wrong with it.
async fn check(config: &Config) -> anyhow::Result<Exit> {
    let datasets = definitions(config)?;
    let store = open_database_as_it_is(config).await?;
    let checked = fitting_faults(datasets, &store).await?;
    store.close().await;
    let mut out = io::stdout().lock();
    let mut is_good = true;
    for (compiled, faults) in &checked {
        let dataset = &compiled.dataset;
        let origin = if compiled.is_built_in { "built in" } else { compiled.file.as_str() };
        let word = match (faults.is_empty(), compiled.is_built_in) {
            (true, _) => "fits",
            (false, true) => "is not offered",
            (false, false) => "does not fit",
        };
        writeln!(out, "{}: table `{}` {word} ({origin})", dataset.name, dataset.table)?;
        for fault in faults {
            writeln!(out, "  {fault}")?;
        }
        is_good &= faults.is_empty() || compiled.is_built_in;
    }
    if checked.is_empty() {
        writeln!(out, "There is no dataset.")?;
    }
    Ok(if is_good { Exit::Done } else { Exit::Usage })
}

async fn create(args: &CreateTablesArgs) -> anyhow::Result<Exit> {
    let config = args.place.read()?;
    let (datasets, name) = (definitions(&config)?, args.dataset.as_str());
    let compiled = show::named(&datasets, name)?;
    let store = open_database_as_it_is(&config).await?;
    let mut out = io::stdout().lock();
    if args.print {
        for statement in store.table_statements(&compiled.dataset, compiled.is_built_in).await? {
            writeln!(out, "{};", statement.trim_end().trim_end_matches(';'))?;
        }
        store.close().await;
        return Ok(Exit::Done);
    }
    let created = if compiled.is_built_in {
        store.create_built_in_tables(&compiled.dataset).await?
    } else {
        store.create_missing_tables(&compiled.dataset).await?
    };
    store.close().await;
    let tables = compiled.dataset.tables().join(", ");
    match created {
        TablesCreated::Created => writeln!(out, "The tables of `{name}` are made: {tables}.")?,
        TablesCreated::AllThere => writeln!(out, "The tables of `{name}` are there: {tables}.")?,
        TablesCreated::SomeThere(there) => bail!(
            "some tables of `{name}` are there already and may be another program's, so none was \
             made: {}",
            there.join(", ")
        ),
        TablesCreated::Refused(answer) => {
            bail!("the database refuses to make the tables of `{name}`: {answer}")
        }
        TablesCreated::NotBuiltIn => bail!("`{name}` is no built-in dataset"),
    }
    Ok(Exit::Done)
}
