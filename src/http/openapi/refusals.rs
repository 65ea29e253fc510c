//! With which codes each call is to be expected to be refused. Faults of the server, which every call may
//! have, are no matter of a call.

use crate::domain::error_code::ErrorCode as C;
use crate::http::access::{About, rule};
use crate::http::openapi::call::{Body, Call};

/// Of every call.
const ALWAYS: &[C] = &[
    C::MalformedRequest,
    C::UnknownOption,
    C::InvalidOption,
    C::OriginNotAllowed,
    C::HostNotAllowed,
];

/// Of calls that need a key where there are keys.
const WITH_KEY: &[C] = &[C::KeyRequired, C::Forbidden, C::LimitReached];

/// Of calls that look at a file.
const OF_FILE: &[C] = &[
    C::NoFile,
    C::MultipleFiles,
    C::DigestMismatch,
    C::TooLarge,
    C::UnsupportedFormat,
    C::FormatMismatch,
    C::EmptyFile,
    C::PasswordProtected,
    C::CorruptWorkbook,
    C::NoSuchSheet,
    C::ExpandsTooLarge,
    C::EncodingUnknown,
    C::NoHeader,
    C::InvalidJson,
    C::InvalidMeetList,
    C::TooManyColumns,
    C::UnclosedQuote,
    C::FieldTooLong,
    C::ParserCrashed,
    C::ParserTimeout,
];

/// Of calls that match the columns of a file.
const OF_COLUMNS: &[C] = &[
    C::UnknownMapping,
    C::TooManyMappings,
    C::MissingColumn,
    C::DuplicateColumn,
    C::BadMapping,
    C::BadConstant,
    C::RefusedByStrict,
];

/// Of calls that make jobs of files.
const OF_UPLOAD: &[C] = &[
    C::TooManyFiles,
    C::AllFilesRefused,
    C::CorruptArchive,
    C::IdempotencyMismatch,
    C::UrlNotAllowed,
];

/// Of calls that make a job of another one.
const OF_CHILD: &[C] = &[
    C::InvalidJobState,
    C::IdempotencyMismatch,
    C::FilesOnOtherServer,
    C::FilesRemoved,
    C::UrlNotAllowed,
];

/// The codes of a call, each once, in the order of the table.
pub(super) fn codes(call: &Call) -> Vec<C> {
    let mut codes = [ALWAYS, of_address(call), of_body(call), of_thing(call)].concat();
    if rule(call.method, call.path).is_some_and(|rule| rule.scope.is_some()) {
        codes.extend(WITH_KEY);
    }
    if has_columns(call) {
        codes.extend(OF_COLUMNS);
    }
    C::ALL.iter().copied().filter(|code| codes.contains(code)).collect()
}

fn has_columns(call: &Call) -> bool {
    matches!(call.body, Some(Body::File))
}

/// What the address names and may not be there.
fn of_address(call: &Call) -> &'static [C] {
    match rule(call.method, call.path).map(|rule| rule.about) {
        Some(About::Job) => &[C::JobNotFound],
        Some(About::Bulk) => &[C::BulkNotFound],
        Some(About::Dataset | About::Fixed(_)) => &[C::UnknownDataset],
        Some(About::Nothing) | None => &[],
    }
}

fn of_body(call: &Call) -> &'static [C] {
    match call.body {
        Some(Body::File | Body::FileOrJson(_)) => OF_FILE,
        Some(Body::Json(_) | Body::Parameters) => &[C::TooLarge],
        None => &[],
    }
}

/// What only some calls are refused for.
fn of_thing(call: &Call) -> &'static [C] {
    let path = call.path.strip_prefix("/api/v1").unwrap_or(call.path);
    match (call.method, path) {
        (
            "POST",
            "/import/{dataset}"
            | "/file"
            | "/api/upload-csv"
            | "/api/erp/products/import/stream"
            | "/api/dropship/bulk-import"
            | "/api/dropship/import",
        ) => OF_UPLOAD,
        ("POST", "/session") => &[C::KeyRequired, C::Forbidden],
        (_, "/session") => &[C::KeyRequired],
        ("POST", "/datasets/reload") => &[C::BadDefinition],
        ("POST", "/datasets/infer") => &[C::UnknownTable, C::NoProposal],
        ("PUT", "/datasets/{name}") => {
            &[C::BadDefinition, C::DatasetExists, C::NoDatasetsFolder, C::Forbidden]
        }
        _ => of_thing_below(call.method, path),
    }
}

fn of_thing_below(method: &str, path: &str) -> &'static [C] {
    let last = path.rsplit('/').next().unwrap_or_default();
    match (method, last) {
        _ if path.starts_with("/webhooks") => of_webhooks(path),
        ("PUT", "{mapping}") => {
            &[C::BadMapping, C::TooManyMappings, C::MissingColumn, C::DuplicateColumn]
        }
        ("GET" | "DELETE", "{mapping}") => &[C::UnknownMapping],
        ("GET", "rows.csv" | "rows.xlsx") if path.starts_with("/datasets") => &[C::BadConstant],
        ("GET", "rows.csv" | "rows.xlsx") => {
            &[C::NotFound, C::InvalidJobState, C::FilesOnOtherServer, C::FilesRemoved]
        }
        ("GET", "diff" | "diff.csv") => &[C::NoDryRun],
        ("GET", last) if matches!(last.rsplit_once('.'), Some((_, "csv" | "xlsx"))) => {
            &[C::InvalidJobState, C::FilesOnOtherServer, C::FilesRemoved]
        }
        ("POST", "retry") => &[
            C::InvalidJobState,
            C::NothingToRetry,
            C::IdempotencyMismatch,
            C::FilesOnOtherServer,
            C::FilesRemoved,
            C::UrlNotAllowed,
        ],
        ("POST", "rollback") => {
            &[C::InvalidJobState, C::NothingToUndo, C::IdempotencyMismatch, C::FilesRemoved]
        }
        ("POST", "confirm") => &[
            C::InvalidJobState,
            C::NoDryRun,
            C::AlreadyConfirmed,
            C::TableChanged,
            C::IdempotencyMismatch,
            C::FilesOnOtherServer,
            C::FilesRemoved,
        ],
        ("POST", "pause" | "resume" | "cancel" | "force" | "priority") | ("DELETE", "{id}") => {
            &[C::InvalidJobState]
        }
        ("POST", _) if path.starts_with("/api/dropship/force-process") => OF_CHILD,
        ("GET", "{session}") => &[C::NotFound, C::SessionUsed],
        ("GET", "{file}") => &[C::NotFound],
        _ => &[],
    }
}

fn of_webhooks(path: &str) -> &'static [C] {
    if path.contains("{delivery}") {
        &[C::WebhookNotFound, C::DeliveryNotFound]
    } else if path.contains("{id}") {
        &[C::WebhookNotFound]
    } else {
        &[C::TooManyWebhooks, C::UrlNotAllowed, C::UnknownDataset]
    }
}
