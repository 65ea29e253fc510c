//! Every call of the API, a line each: what it does, what it takes, what it answers. A test compares them
//! with the routes.

use serde_json::json;

use super::call::{Body, Call, SchemaOf, Schemas, call, get, post, text};
use crate::domain::bulk_view::BulkView;
use crate::domain::job_view::JobView;
use crate::domain::selection::RetryRows;
use crate::domain::status::JobStatus;
use crate::http::access::session::{SessionView, SignIn};
use crate::http::bulks::events::BulkMessage;
use crate::http::datasets::{DatasetList, DatasetView};
use crate::http::definitions::{
    InferView, ProposalBody, ReloadedView, SavedView, TableBody, TablesView,
};
use crate::http::differences::DifferencesPage;
use crate::http::download::{CSV, XLSX};
use crate::http::events::all_jobs::JobsMessage;
use crate::http::events::{ProgressMessage, QueueMessage, SseMessage};
use crate::http::health::HealthView;
use crate::http::jobs::JobPage;
use crate::http::limits::LimitsView;
use crate::http::mappings::{MappingBody, MappingList, MappingView};
use crate::http::preview::PreviewView;
use crate::http::references::StoredNames;
use crate::http::row_errors::{ErrorGroupList, RowErrorPage};
use crate::http::superseded::SupersededPage;
use crate::http::upload::{BulkAccepted, InlineResults, JobAccepted};
use crate::http::webhooks::{DeliveryPage, DeliveryView, WebhookList, WebhookRequest, WebhookView};

const HTML: &str = "text/html; charset=utf-8";
const JSON_LINES: &str = "application/x-ndjson";

/// The media type of a JSON Schema.
const SCHEMA: &str = "application/schema+json";
const MAPPING: &str = "/api/v1/datasets/{name}/mappings/{mapping}";
const SESSION: &str = "/api/v1/session";
const WEBHOOK: &str = "/api/v1/webhooks/{id}";

/// What the streams of events send.
const OF_JOB: &[SchemaOf] = &[
    Schemas::of::<SseMessage<'_>>,
    Schemas::of::<ProgressMessage<'_>>,
    Schemas::of::<QueueMessage>,
];
const OF_ALL_JOBS: &[SchemaOf] = &[Schemas::of::<JobsMessage<'_>>];
const OF_BULK: &[SchemaOf] = &[
    Schemas::of::<BulkMessage<'_>>,
    Schemas::of_bulk::<SseMessage<'_>>,
    Schemas::of_bulk::<ProgressMessage<'_>>,
];

/// Every call but those of older clients.
pub(super) fn calls() -> Vec<Call> {
    [operation(), datasets(), uploads(), jobs(), lists(), controls(), bulks(), webhooks(), pages()]
        .concat()
}

fn operation() -> Vec<Call> {
    vec![
        get("/healthz", "Whether the process lives").data::<HealthView>(),
        get("/readyz", "Whether uploads can be taken").data::<HealthView>(),
        get("/metrics", "What the server counts, for Prometheus")
            .file("text/plain; version=0.0.4; charset=utf-8"),
        get("/openapi.json", "This document").file("application/json"),
        get("/api/v1/limits", "The limits of this server").data::<LimitsView>(),
        get(SESSION, "Who the caller is").data::<SessionView>(),
        post(SESSION, "Sign a browser in").body_of::<SignIn>().data::<SessionView>(),
        call("DELETE", SESSION, "Sign a browser out").data::<SessionView>(),
    ]
}

fn datasets() -> Vec<Call> {
    vec![
        get("/api/v1/datasets", "The datasets").data::<DatasetList<'_>>(),
        get("/api/v1/datasets/{name}", "The columns of a dataset").data::<DatasetView<'_>>(),
        call("PUT", "/api/v1/datasets/{name}", "Save a definition, or only check it")
            .takes("overwrite", json!({"enum": ["true", "false"]}), "Replace one that is there")
            .takes("dryRun", json!({"enum": ["true", "false"]}), "Check it and save nothing")
            .body_of::<ProposalBody>()
            .data::<SavedView<'_>>(),
        post("/api/v1/datasets/infer", "Propose a definition from a table or a file")
            .file_or::<TableBody>()
            .data::<InferView<'_>>(),
        post("/api/v1/datasets/reload", "Read the definitions again").data::<ReloadedView>(),
        get("/api/v1/tables", "The tables that can be imported into").data::<TablesView>(),
        get("/api/v1/datasets/{name}/schema.json", "The JSON Schema of one record").file(SCHEMA),
        get("/api/v1/datasets/{name}/template.csv", "The template as CSV").bom().file(CSV),
        get("/api/v1/datasets/{name}/template.ndjson", "The template as JSON").file(JSON_LINES),
        get("/api/v1/datasets/{name}/template.xlsx", "The template as a workbook").file(XLSX),
        get("/api/v1/datasets/{name}/rows.csv", "The stored records as CSV")
            .bom()
            .scope()
            .file(CSV),
        get("/api/v1/datasets/{name}/rows.xlsx", "The stored records as a workbook")
            .scope()
            .file(XLSX),
        get("/api/v1/datasets/{name}/references", "Stored names that a column may mean")
            .takes("column", text(), "The column, which refers to another table")
            .takes("search", text(), "Only names that contain this text")
            .takes("limit", json!({"type": "integer", "minimum": 1}), "How many, 100 at most")
            .data::<StoredNames<'_>>(),
        get("/api/v1/datasets/{name}/mappings", "The saved mappings").data::<MappingList<'_>>(),
        get(MAPPING, "A saved mapping").data::<MappingView<'_>>(),
        call("PUT", MAPPING, "Save a mapping").body_of::<MappingBody>().data::<MappingView<'_>>(),
        call("DELETE", MAPPING, "Delete a saved mapping").data::<MappingView<'_>>(),
    ]
}

fn uploads() -> Vec<Call> {
    vec![
        post("/api/v1/import/{dataset}", "Import a file, or several")
            .body(Body::File)
            .data_at::<InlineResults<'_>>(
                200,
                "The job has ended: a dataset that runs inline, or `Prefer: wait`",
            )
            .data_at::<JobAccepted>(202, "The file is a job now")
            .data_at::<BulkAccepted<'_>>(202, "The files are a bulk now"),
        post("/api/v1/import/{dataset}/preview", "What a file is, without importing it")
            .body(Body::File)
            .data::<PreviewView<'_>>(),
    ]
}

fn jobs() -> Vec<Call> {
    let statuses: Vec<_> = JobStatus::ALL.iter().map(|status| status.as_str()).collect();
    vec![
        get("/api/v1/import/jobs", "The jobs, newest first")
            .takes("status", json!({"enum": statuses}), "Only jobs with this status")
            .takes("dataset", text(), "Only jobs of this dataset")
            .takes("of", json!({"type": "integer", "minimum": 1}), "Only jobs made of this one")
            .takes(
                "withErrors",
                json!({"enum": ["1", "0", "true", "false"]}),
                "Only jobs with failed rows",
            )
            .pages()
            .data::<JobPage<'_>>(),
        get("/api/v1/import/status/{id}", "A job as it stands").wait().data::<JobView<'_>>(),
        get("/api/v1/import/jobs/{id}", "A job as it stands").wait().data::<JobView<'_>>(),
        get("/api/v1/import/events", "All jobs as they change").events(OF_ALL_JOBS),
        get("/api/v1/import/jobs/{id}/events", "The events of a job")
            .takes(
                "lastEventId",
                json!({"type": "integer", "minimum": 0}),
                "Only what follows this event",
            )
            .takes("rows", json!({"enum": ["auto", "all", "none"]}), "Whether every row is sent")
            .events(OF_JOB)
            .empty(204, "The job has ended and everything was sent"),
    ]
}

fn lists() -> Vec<Call> {
    let job = |path, summary| get(path, summary);
    vec![
        job("/api/v1/import/jobs/{id}/errors", "Row errors").pages().data::<RowErrorPage>(),
        job("/api/v1/import/jobs/{id}/errors/groups", "Row errors by code and column")
            .data::<ErrorGroupList<'_>>(),
        job("/api/v1/import/jobs/{id}/errors.csv", "Failed rows as CSV").bom().file(CSV),
        job("/api/v1/import/jobs/{id}/errors.xlsx", "Failed rows as a workbook").file(XLSX),
        job("/api/v1/import/jobs/{id}/superseded", "Superseded rows")
            .pages()
            .data::<SupersededPage>(),
        job("/api/v1/import/jobs/{id}/diff", "What a dry run would change")
            .pages()
            .data::<DifferencesPage>(),
        job("/api/v1/import/jobs/{id}/diff.csv", "What a dry run would change, as CSV")
            .bom()
            .file(CSV),
        job("/api/v1/import/jobs/{id}/unprocessed.csv", "Unprocessed rows as CSV").bom().file(CSV),
        job("/api/v1/import/jobs/{id}/unprocessed.xlsx", "Unprocessed rows").file(XLSX),
        job("/api/v1/import/jobs/{id}/rows.csv", "Every row with its outcome").bom().file(CSV),
        job("/api/v1/import/jobs/{id}/rows.xlsx", "Every row with its outcome").file(XLSX),
    ]
}

fn controls() -> Vec<Call> {
    let asks = |path, summary| post(path, summary).body(Body::Parameters).data::<JobView<'_>>();
    let rows: Vec<_> = RetryRows::ALL.iter().map(|rows| rows.as_str()).collect();
    let priority = json!({"type": "integer", "minimum": -100, "maximum": 100});
    vec![
        asks("/api/v1/import/jobs/{id}/pause", "Pause a job"),
        asks("/api/v1/import/jobs/{id}/resume", "Let a paused job continue"),
        asks("/api/v1/import/jobs/{id}/cancel", "Cancel a job"),
        asks("/api/v1/import/jobs/{id}/force", "Take a job over that is stuck"),
        asks("/api/v1/import/jobs/{id}/priority", "Change the priority of a job").takes(
            "priority",
            priority,
            "Higher goes first",
        ),
        asks("/api/v1/import/jobs/{id}/retry", "Import rows of a job again").takes(
            "rows",
            json!({"enum": rows}),
            "Which rows; all unless it is given",
        ),
        asks("/api/v1/import/jobs/{id}/rollback", "Roll an import back"),
        asks("/api/v1/import/jobs/{id}/confirm", "Import the file of a dry run")
            .takes(
                "expectUnchanged",
                json!({"enum": ["true", "false"]}),
                "Only if the table is as it was",
            )
            .takes(
                "replace",
                json!({"type": "object"}),
                "Column, name in the file, name of the record that is meant",
            ),
        call("DELETE", "/api/v1/import/jobs/{id}", "Delete a job that has ended")
            .data::<JobView<'_>>(),
    ]
}

fn bulks() -> Vec<Call> {
    let rows: Vec<_> = RetryRows::ALL.iter().map(|rows| rows.as_str()).collect();
    vec![
        get("/api/v1/import/bulks/{id}", "A bulk as it stands").wait().data::<BulkView<'_>>(),
        get("/api/v1/import/bulks/{id}/events", "The events of the jobs of a bulk")
            .events(OF_BULK)
            .empty(204, "The bulk has ended and everything was sent"),
        post("/api/v1/import/bulks/{id}/cancel", "Cancel the jobs of a bulk")
            .body(Body::Parameters)
            .data::<BulkView<'_>>(),
        post("/api/v1/import/bulks/{id}/retry", "Import the files of a bulk again")
            .takes(
                "rows",
                json!({"enum": rows}),
                "Which rows; failed and unprocessed unless it is given",
            )
            .body(Body::Parameters)
            .data::<BulkView<'_>>(),
    ]
}

fn webhooks() -> Vec<Call> {
    vec![
        get("/api/v1/webhooks", "The webhooks").data::<WebhookList<'_>>(),
        post("/api/v1/webhooks", "Register a webhook")
            .body_of::<WebhookRequest>()
            .data_at::<WebhookView<'_>>(201, "The webhook, with its secret this once"),
        get(WEBHOOK, "A webhook").data::<WebhookView<'_>>(),
        call("DELETE", WEBHOOK, "Remove a webhook").data::<WebhookView<'_>>(),
        post("/api/v1/webhooks/{id}/enable", "Notify a webhook again").data::<WebhookView<'_>>(),
        post("/api/v1/webhooks/{id}/test", "Send a message to try it out")
            .data::<DeliveryView<'_>>(),
        get("/api/v1/webhooks/{id}/deliveries", "The messages of a webhook")
            .pages()
            .data::<DeliveryPage<'_>>(),
        post("/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver", "Send a message again")
            .data::<DeliveryView<'_>>(),
    ]
}

fn pages() -> Vec<Call> {
    vec![
        get("/", "The page; plain text for clients that are no browsers")
            .file(HTML)
            .file("text/plain; charset=utf-8"),
        get("/jobs/{id}", "The page of a job").file(HTML),
        get("/bulks/{id}", "The page of a bulk").file(HTML),
        get("/page/{file}", "A file of the page").file("*/*"),
        get("/docs", "This document to read and to try out").file(HTML),
        get("/new-dataset", "The page that makes datasets").file(HTML),
        get("/datasets/{name}", "The page of a dataset").file(HTML),
        get("/docs/files", "What files are read, as a page").file(HTML),
        get("/docs/errors", "The table of error codes").file(HTML),
    ]
}
