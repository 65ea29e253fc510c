//! The calls of older programs, unchanged, and the pages of other origins that send them.

mod calls;
mod drop_shipping;
mod import_jobs;
mod origins;
mod product_stream;
mod script;
mod sessions;
