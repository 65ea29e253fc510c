//! Jobs from the moment the upload is accepted to their end: submit, claim, run, watch, cancel.
//!
//! The database is the truth; the job manager keeps a copy of what changes, for those who watch.
//! Knows no HTTP. Everything here runs on the runtime that [`Jobs::start`] was called on, whoever
//! calls: a web server's worker may end in the middle of a call, a job may not.

mod backoff;
mod bulk;
mod bulk_feed;
mod bulk_poll;
mod bulk_retry;
mod bulk_subscription;
mod child;
mod chunker;
mod claim;
mod claimant;
mod confirm;
mod context;
mod control;
mod dispatch;
mod download;
mod error;
mod event_feed;
mod export;
mod external_sort;
mod feed_poll;
mod import;
mod import_totals;
mod input;
mod job_changes;
mod job_line;
mod jobs_subscription;
mod lease;
mod listen;
mod manager;
mod mappings;
mod measures;
mod memory;
mod mirror;
mod mirror_check;
mod new_references;
mod partition_writer;
mod partitioning;
mod prescan;
mod prune;
mod queries;
mod queue;
mod retention;
mod retry;
mod rollback;
mod row_filter;
mod row_input;
mod row_outcomes;
mod run_error;
mod see_file;
mod session;
mod start;
mod steps;
mod stop;
mod submit;
mod submit_far;
mod subscription;
mod table_faults;
mod unprocessed;
mod version;
mod wake;
mod whole_file;
mod worker;

pub use crate::store::{
    ExportPage, JobFilter, PoolUse, QueueState, Sales, SalesFilter, Unfinished,
};
pub use bulk::{BulkFile, BulkRequest, BulkSubmitted};
pub use bulk_retry::BulkRetry;
pub use bulk_subscription::{BulkSubscription, BulkUpdate};
pub use confirm::Confirm;
pub use context::{Jobs, JobsSettings};
pub use control::Command;
pub use error::{JobsError, whole_seconds};
pub use export::{EXPORT_PAGE, Export};
pub use jobs_subscription::{JobsSubscription, JobsUpdate};
pub use memory::MemoryUse;
pub use mirror_check::MirrorFault;
pub use new_references::SampleRecords;
pub use retry::Retry;
pub use row_outcomes::{JobRows, RowWithOutcome, RowsWithOutcome};
pub use see_file::SeenUpload;
pub use session::SessionJob;
pub use stop::StopOnDrop;
pub use submit::{ImportRequest, Submitted};
pub use submit_far::FarRequest;
pub use subscription::{DeliveredEvent, Delivery, Subscription};
pub use unprocessed::{Unprocessed, UnprocessedRows};
pub use version::{VersionFault, check_version};
