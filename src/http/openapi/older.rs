//! The calls of older clients, as `calls` has those of the API.

use serde_json::json;

use super::call::{Body, Call, SchemaOf, Schemas, get, post, text};
use crate::http::compat::drop_shipping::active::ActiveImports;
use crate::http::compat::drop_shipping::advice::Recommendations;
use crate::http::compat::drop_shipping::batch::BatchReport;
use crate::http::compat::drop_shipping::force::Forced;
use crate::http::compat::drop_shipping::import::{Accepted, AcceptedInPart};
use crate::http::compat::drop_shipping::memory::MemoryStats;
use crate::http::compat::drop_shipping::metrics::SalesSums;
use crate::http::compat::drop_shipping::pace::Performance;
use crate::http::compat::import_jobs::ImportJob;
use crate::http::compat::product_stream::messages::Message;
use crate::http::compat::sessions::messages::SessionMessage;
use crate::http::compat::sessions::{FileRequest, Started};
use crate::http::download::CSV;

/// What their streams send.
const OF_PRODUCTS: &[SchemaOf] = &[Schemas::of::<Message>];
const OF_IMPORT_JOB: &[SchemaOf] = &[Schemas::of::<ImportJob<'_>>];
const OF_SESSION: &[SchemaOf] = &[Schemas::of::<SessionMessage>];

/// The calls of older clients.
pub(super) fn calls() -> Vec<Call> {
    let number = || json!({"type": "integer", "minimum": 0});
    let page = || json!({"type": "integer", "minimum": 1});
    vec![
        post("/api/erp/products/import/stream", "Import products and follow the import")
            .body(Body::File)
            .events(OF_PRODUCTS),
        get("/api/erp/products/template", "The template of the products").bom().file(CSV),
        post("/api/upload-csv", "Import products").body(Body::File).json::<ImportJob<'_>>(202),
        get("/api/jobs", "The imports of products, newest first")
            .takes("limit", page(), "Jobs of a page")
            .takes("page_size", page(), "Jobs of a page")
            .takes("offset", number(), "Jobs to pass over")
            .takes("skip", number(), "Jobs to pass over")
            .takes("page", page(), "The number of the page")
            .list_of::<ImportJob<'_>>(),
        get("/api/jobs/{id}", "An import of products").json::<ImportJob<'_>>(200),
        get("/api/jobs/{id}/events", "An import of products as it changes").events(OF_IMPORT_JOB),
        get("/stream/{session}", "The import of a session as it happens").events(OF_SESSION),
        post("/file", "Import a file from an address under the name of a session")
            .body_of::<FileRequest>()
            .data_at::<Started>(202, "The import begins"),
        post("/api/dropship/bulk-import", "Import files of order lines")
            .body(Body::File)
            .json::<Accepted>(202)
            .json::<AcceptedInPart>(202),
        post("/api/dropship/import", "Import files of order lines")
            .body(Body::File)
            .json::<Accepted>(202)
            .json::<AcceptedInPart>(202),
        get("/api/dropship/import-status/{id}", "An import of order lines")
            .json::<BatchReport<'_>>(200),
        get("/api/dropship/bulk-import-status", "The imports that have not ended")
            .json::<ActiveImports<'_>>(200),
        post("/api/dropship/force-process/{id}", "Let an import run now").json::<Forced<'_>>(200),
        get("/api/dropship/import-recommendations", "How to upload so many files")
            .takes("file_count", number(), "How many files")
            .takes("avg_file_size", number(), "Their bytes, on average")
            .json::<Recommendations>(200),
        get("/api/performance", "How fast imports are").json::<Performance>(200),
        get("/api/metrics", "Sums over order lines")
            .takes("shop", text(), "Only of this shop")
            .takes("period", text(), "Only of this day, month or year")
            .json::<SalesSums<'_>>(200),
        get("/api/memory-stats", "What the server uses of its memory").json::<MemoryStats>(200),
        get("/products/import-export-advanced", "The address of the page in an older program")
            .empty(302, "The page is elsewhere"),
    ]
}
