//! Why the database refused the statements of a job: whether its table is still what the dataset's
//! definition says. It was checked at the start, and tables change while a server runs.

use super::context::JobsContext;
use super::error::RunError;
use crate::dataset;
use crate::domain::error_code::ErrorCode;
use crate::domain::job::Job;

/// The failure of a job, with what is wrong with its table if something is.
pub(super) async fn explain(context: &JobsContext, job: &Job, error: RunError) -> RunError {
    if !matches!(error, RunError::Store(_)) || error.code() != ErrorCode::Internal {
        return error;
    }
    let of_job = |compiled: &&dataset::Compiled| compiled.dataset.name == job.dataset;
    let datasets = context.datasets.current();
    let Some(compiled) = datasets.iter().find(of_job) else { return error };
    // Where the database does not answer, the first failure says as much.
    let Ok(shapes) = context.run_store.shapes(compiled.dataset.tables()).await else {
        return error;
    };
    let shape = |table: &str| shapes.get(table).cloned();
    let faults = dataset::check(compiled, &shape, context.run_store.decimal_digits_max());
    if faults.is_empty() {
        return error;
    }
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    RunError::TableChanged { faults: faults.join("; ") }
}
