//! The datasets of a server: read from their definitions, with the tables of the built-in ones, and checked
//! against the tables there are.

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::config::Config;
use crate::dataset::{self, Compiled, Datasets, DefinitionFault};
use crate::store::{Store, TablesCreated};

/// Reports at the start what would otherwise fail in the middle of a job. A built-in dataset whose table is
/// another program's is left out, so that a table of that name keeps no server from starting.
pub(super) async fn fitting(mut datasets: Datasets, store: &Store) -> anyhow::Result<Datasets> {
    for compiled in datasets.iter().filter(|compiled| compiled.has_built_in_tables) {
        create_tables(compiled, store).await?;
    }
    let hidden = store.hidden_tables(&datasets.tables()).await?;
    datasets.rename_tables(&|table| hidden.get(table).cloned());
    let shapes = store.shapes(datasets.tables()).await?;
    let shape = |table: &str| shapes.get(table).cloned();
    let check = |compiled: &_| dataset::check(compiled, &shape, store.decimal_digits_max());
    for (dataset, faults) in datasets.leave_out_unfit(&check) {
        for fault in faults {
            tracing::warn!(
                event = "dataset_left_out",
                dataset,
                %fault,
                "built-in dataset does not fit the table of its name, it is not offered"
            );
        }
    }
    let faults: Vec<_> = datasets.iter().flat_map(check).collect();
    refuse(&faults)?;
    store.check_rights(&datasets.tables()).await?;
    Ok(datasets)
}

/// Makes the tables of a built-in dataset. Where that cannot be, the dataset is found unfit. What
/// replaces one means whatever tables of the names there are.
async fn create_tables(compiled: &Compiled, store: &Store) -> anyhow::Result<()> {
    let dataset = &compiled.dataset;
    if !compiled.is_built_in && !store.shapes(dataset.tables()).await?.is_empty() {
        return Ok(());
    }
    let dataset_name = dataset.name.as_str();
    match store.create_built_in_tables(dataset).await? {
        TablesCreated::Created => {
            tracing::info!(
                event = "tables_created",
                dataset = dataset_name,
                tables = dataset.tables().join(", "),
                "tables of a built-in dataset are made"
            );
        }
        TablesCreated::SomeThere(there) => {
            tracing::warn!(
                event = "tables_not_created",
                dataset = dataset_name,
                there = there.join(", "),
                "built-in dataset finds tables of its names that it did not make, it makes none"
            );
        }
        TablesCreated::Refused(answer) => {
            tracing::warn!(
                event = "tables_not_created",
                dataset = dataset_name,
                answer,
                "database refuses to make the tables of a built-in dataset"
            );
        }
        TablesCreated::AllThere | TablesCreated::NotBuiltIn => {}
    }
    Ok(())
}

fn refuse(faults: &[DefinitionFault]) -> anyhow::Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    bail!("the dataset files have {} fault(s):{}", lines.len(), lines.concat())
}

/// The built-in datasets and those of the operator's folder.
pub(super) fn datasets(config: &Config) -> anyhow::Result<Datasets> {
    let mut files: Vec<(String, String)> = Vec::new();
    if let Some(folder) = &config.datasets_dir {
        let unreadable = || format!("LOADBAY_DATASETS_DIR: cannot read `{}`", folder.display());
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(folder).with_context(unreadable)? {
            paths.push(entry.with_context(unreadable)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read the dataset file `{}`", path.display()))?;
            files.push((path.display().to_string(), text));
        }
    }
    Datasets::load(&config.built_in, files).or_else(|faults| {
        refuse(&faults)?;
        Ok(Datasets::default())
    })
}
