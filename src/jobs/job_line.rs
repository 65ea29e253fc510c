//! The lines of the log about a job: each names the job, its dataset, its file, its client and
//! whether it is a dry run, so that one line answers what an operator asks. Decides nothing.

/// Logs a line about a job with what is known of it; the rest is as in `tracing`'s own macros.
macro_rules! job_line {
    ($level:ident, $job:expr, $($rest:tt)+) => {
        tracing::$level!(
            job_id = $job.id,
            dataset = $job.dataset,
            file = $job.file_name,
            client = $job.created_by,
            dry_run = $job.options.dry_run,
            $($rest)+
        )
    };
}

pub(super) use job_line;
