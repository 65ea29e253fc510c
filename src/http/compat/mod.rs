//! Addresses of older programs, so that their clients work with their calls unchanged: one file a
//! client, each a thin translation onto the calls of the API.
//!
//! `docs/compat.md` says what each old call does here.

mod import_jobs;
mod product_stream;

use actix_web::web;

use super::{get, post};

/// The dataset that the older programs import into; they know no other.
const PRODUCTS: &str = "products";

/// Every address.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(post("/api/erp/products/import/stream", web::to(product_stream::import)))
        .service(get("/api/erp/products/template", web::to(product_stream::template)))
        .service(post("/api/upload-csv", web::to(import_jobs::upload)))
        .service(get("/api/jobs", web::to(import_jobs::list)))
        .service(get("/api/jobs/{id}", web::to(import_jobs::one)))
        .service(get("/api/jobs/{id}/events", web::to(import_jobs::events)));
}
