//! What is asked about jobs and the server: status, list, cancel, datasets, templates, health.

mod addresses;
mod cancelling;
mod datasets;
mod forgetting;
mod listing;
mod polling;
