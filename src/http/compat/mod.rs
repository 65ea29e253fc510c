//! Addresses of older programs, so that their clients work with their calls unchanged: one file a
//! client, each a thin translation onto the calls of the API.
//!
//! `docs/compat.md` says what each old call does here.

pub(super) mod drop_shipping;
pub(super) mod import_jobs;
pub(super) mod product_stream;
mod routes;
pub(super) mod sessions;

pub(super) use routes::routes;

/// The dataset that the older programs import into; they know no other.
const PRODUCTS: &str = "products";
