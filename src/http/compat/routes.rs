//! The addresses of older programs.

use actix_web::web;

use super::{drop_shipping, import_jobs, product_stream, sessions};
use crate::http::resource::{get, post};

/// Every address.
pub(in crate::http) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(post("/api/erp/products/import/stream", web::to(product_stream::import)))
        .service(get("/api/erp/products/template", web::to(product_stream::template)))
        .service(post("/api/upload-csv", web::to(import_jobs::upload)))
        .service(get("/api/jobs", web::to(import_jobs::list)))
        .service(get("/api/jobs/{id}", web::to(import_jobs::one)))
        .service(get("/api/jobs/{id}/events", web::to(import_jobs::events)))
        .service(get("/stream/{session}", web::to(sessions::stream)))
        .service(post("/file", web::to(sessions::import)))
        .service(post("/api/dropship/bulk-import", web::to(drop_shipping::import)))
        .service(post("/api/dropship/import", web::to(drop_shipping::import)))
        .service(get("/api/dropship/import-status/{id}", web::to(drop_shipping::status)))
        .service(get("/api/dropship/bulk-import-status", web::to(drop_shipping::active)))
        .service(post("/api/dropship/force-process/{id}", web::to(drop_shipping::force)))
        .service(get(
            "/api/dropship/import-recommendations",
            web::to(drop_shipping::recommendations),
        ))
        .service(get("/api/performance", web::to(drop_shipping::performance)))
        .service(get("/api/metrics", web::to(drop_shipping::metrics)))
        .service(get("/api/memory-stats", web::to(drop_shipping::memory)));
}
