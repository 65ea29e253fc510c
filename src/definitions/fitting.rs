//! From definitions to datasets that fit the tables of the database: completed by the tables, checked,
//! and their tables made where that is asked for.

use std::collections::BTreeMap;

use super::error::DefinitionsError;
use crate::dataset::{self, Compiled, Datasets, DefinitionFault, TableShape};
use crate::store::{Store, TablesCreated};

/// Reports at the start what would otherwise fail in the middle of a job. A built-in dataset whose table is
/// another program's is left out, so that a table of that name keeps no server from starting.
///
/// # Errors
/// The faults of the user's own definitions; what the database answers.
pub async fn fitting(mut datasets: Datasets, store: &Store) -> Result<Datasets, DefinitionsError> {
    for compiled in datasets.iter().filter(|compiled| compiled.has_built_in_tables) {
        create_tables(compiled, store).await?;
    }
    let shapes = fit(&mut datasets, store).await?;
    for compiled in datasets.iter().filter(|it| it.dataset.create_table && !it.is_built_in) {
        create_own_tables(compiled, store).await?;
    }
    // Those that were made just now, too.
    let shapes = if datasets.iter().any(|it| it.dataset.create_table) {
        fit(&mut datasets, store).await?
    } else {
        shapes
    };
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
    if !faults.is_empty() {
        return Err(DefinitionsError::Faults(faults));
    }
    store.check_rights(&datasets.tables(), &datasets.join_tables()).await?;
    Ok(datasets)
}

/// Each dataset with what is wrong with it; makes nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn fitting_faults(
    mut datasets: Datasets,
    store: &Store,
) -> Result<Vec<(Compiled, Vec<DefinitionFault>)>, DefinitionsError> {
    let shapes = fit(&mut datasets, store).await?;
    let shape = |table: &str| shapes.get(table).cloned();
    let digits = store.decimal_digits_max();
    let checked = |compiled: &Compiled| {
        let is_made = compiled.dataset.create_table || compiled.is_built_in;
        let is_there = shape(&compiled.dataset.table).is_some();
        // What a start makes fits.
        let faults = if is_made && !is_there {
            Vec::new()
        } else {
            dataset::check(compiled, &shape, digits)
        };
        (compiled.clone(), faults)
    };
    Ok(datasets.iter().map(checked).collect())
}

/// Lets the definitions mean the tables that they name, and completes them by these.
async fn fit(
    datasets: &mut Datasets,
    store: &Store,
) -> Result<BTreeMap<String, TableShape>, DefinitionsError> {
    let hidden = store.hidden_tables(&datasets.tables()).await?;
    datasets.rename_tables(&|table| hidden.get(table).cloned());
    let shapes = store.shapes(datasets.tables()).await?;
    datasets.fit(&|table: &str| shapes.get(table).cloned());
    Ok(shapes)
}

/// Makes the tables of a dataset of the user's own that are missing.
async fn create_own_tables(compiled: &Compiled, store: &Store) -> Result<(), DefinitionsError> {
    let dataset = &compiled.dataset;
    match store.create_missing_tables(dataset).await? {
        TablesCreated::Created => {
            tracing::info!(
                event = "tables_created",
                dataset = dataset.name,
                tables = dataset.tables().join(", "),
                "tables of a dataset are made"
            );
        }
        TablesCreated::Refused(answer) => {
            return Err(DefinitionsError::Tables { file: compiled.file.clone(), answer });
        }
        _ => {}
    }
    Ok(())
}

/// Makes the tables of a built-in dataset. Where that cannot be, the dataset is found unfit. What
/// replaces one means whatever tables of the names there are.
async fn create_tables(compiled: &Compiled, store: &Store) -> Result<(), DefinitionsError> {
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
