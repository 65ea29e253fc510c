//! The table `import_log`: jobs as records and as a queue. A job changes its status only along the
//! edges of `domain::status`, by compare-and-set.

pub(super) mod bulks;
pub(super) mod checkpoint;
pub(super) mod child;
pub(super) mod claim;
pub(super) mod claimant;
pub(super) mod concurrency;
pub(super) mod control;
pub(super) mod destination;
pub(super) mod download;
pub(super) mod job_row;
pub(super) mod jobs;
pub(super) mod lease;
pub(super) mod list;
pub(super) mod prune;
pub(super) mod queue;
pub(super) mod queue_state;
pub(super) mod retention;
pub(super) mod run_time;
pub(super) mod sessions;
