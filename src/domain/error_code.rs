//! The one table of error codes: what a client may see in `code` of a problem or in `errorCode` of a
//! failed job, with the HTTP status, and what to do. `docs/api.md` is checked against it.

macro_rules! error_codes {
    ($($name:ident = $code:literal, $status:literal, $retry:literal, $title:literal, $remedy:literal;)+) => {
        /// A stable code of a refused request or a failed job.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $(#[doc = $title] $name,)+ }

        impl ErrorCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as text.
            #[must_use]
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $code,)+ } }

            /// The HTTP status of a request that is refused with it.
            #[must_use]
            pub fn status(self) -> u16 { match self { $(Self::$name => $status,)+ } }

            /// True when the same request may succeed later.
            #[must_use]
            pub fn is_retryable(self) -> bool { match self { $(Self::$name => $retry,)+ } }

            /// What it means.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Self::$name => $title,)+ } }

            /// What to do.
            #[must_use]
            pub fn remedy(self) -> &'static str { match self { $(Self::$name => $remedy,)+ } }
        }
    };
}

error_codes! {
    // Requests.
    MalformedRequest = "malformed_request", 400, false, "The request cannot be read", "Send what the API documentation shows for this call.";
    NoFile = "no_file", 400, false, "The upload has no file part", "Send the file as multipart field `file`, or as the body with its media type.";
    MultipleFiles = "multiple_files", 400, false, "The upload has more than one file part", "Name each part with a file `file`; calls that take one file get one.";
    UnknownOption = "unknown_option", 400, false, "There is no such option", "Use the options that the answer lists.";
    InvalidOption = "invalid_option", 400, false, "An option has a value that it does not take", "Use a value that the answer names.";
    DigestMismatch = "digest_mismatch", 400, true, "The body does not match its Content-Digest", "Send the file again.";
    OriginNotAllowed = "origin_not_allowed", 403, false, "Pages of this origin are not allowed to send changes", "Add the page's origin to LOADBAY_CORS_ORIGINS.";
    KeyRequired = "key_required", 401, false, "The request has no key that opens anything", "Send `Authorization: Bearer` with a key that `loadbay keys create` made, or sign in on the page.";
    Forbidden = "forbidden", 403, false, "The key does not allow this call", "Use a key with the scope or the dataset that the message names.";
    NotFound = "not_found", 404, false, "There is nothing at this address", "Look at the addresses in the API documentation.";
    UnknownDataset = "unknown_dataset", 404, false, "There is no such dataset", "Use a dataset that GET /api/v1/datasets lists.";
    UnknownMapping = "unknown_mapping", 404, false, "There is no such saved mapping", "Use a mapping that GET /api/v1/datasets/{name}/mappings lists.";
    UnknownTable = "unknown_table", 404, false, "There is no such table", "Use a table that GET /api/v1/tables lists.";
    BulkNotFound = "bulk_not_found", 404, false, "There is no such bulk", "Use the `bulkId` that the upload was answered with.";
    JobNotFound = "job_not_found", 404, false, "There is no such job", "Look at GET /api/v1/import/jobs for the jobs there are.";
    WebhookNotFound = "webhook_not_found", 404, false, "There is no such webhook", "Look at GET /api/v1/webhooks for the webhooks there are.";
    DeliveryNotFound = "delivery_not_found", 404, false, "The webhook has no such message", "Look at the deliveries of the webhook.";
    MethodNotAllowed = "method_not_allowed", 405, false, "This address does not take the method", "Use a method of the Allow header.";
    InvalidJobState = "invalid_job_state", 409, false, "The job's status does not allow this action", "Use one of the actions that the answer lists.";
    DatasetExists = "dataset_exists", 409, false, "There is such a dataset already", "Use another name, or replace it with `overwrite=true`.";
    NoDatasetsFolder = "no_datasets_folder", 409, false, "Definitions cannot be saved", "Set LOADBAY_DATASETS_DIR to a folder that the server can write to.";
    SessionUsed = "session_used", 409, false, "The session had its import already", "Use a new session for each import.";
    NothingToRetry = "nothing_to_retry", 409, false, "The job has no such rows", "Retry other rows: all, failed or unprocessed.";
    NothingToUndo = "nothing_to_undo", 409, false, "The job left nothing to roll back", "Upload with `undo=true` to be able to roll an import back.";
    TooManyMappings = "too_many_mappings", 409, false, "The dataset has too many saved mappings", "Delete a mapping that is no longer needed.";
    NoDryRun = "no_dry_run", 409, false, "The job is no dry run", "Upload the file with `dryRun=true` to see what it would change.";
    AlreadyConfirmed = "already_confirmed", 409, false, "The dry run was confirmed before", "Look at the job that the message names.";
    TableChanged = "table_changed", 409, false, "The table changed since the dry run began", "Upload the file for another dry run, or confirm without `expectUnchanged`.";
    FilesOnOtherServer = "files_on_other_server", 409, false, "The job's file lies in the folder of another server", "Ask the server that took the upload, or give all servers one LOADBAY_STORAGE_URL.";
    FilesRemoved = "files_removed", 410, false, "The job's files were removed at the end of their retention time", "Upload the file again; LOADBAY_RETENTION says how long files are kept.";
    TooLarge = "too_large", 413, false, "The file is larger than this server takes", "Split the file, or raise LOADBAY_MAX_UPLOAD.";
    UnsupportedFormat = "unsupported_format", 415, false, "The content is not a format that can be imported", "Send a file of one of the formats that the message lists.";
    FormatMismatch = "format_mismatch", 415, false, "The content is not what the name or media type says", "Give the file the name of its real format.";
    HostNotAllowed = "host_not_allowed", 421, false, "The server does not answer to this name", "Call it as `localhost` or by its address, or add the name to LOADBAY_HOSTS.";
    EmptyFile = "empty_file", 422, false, "The file is empty", "Send a file with a header and rows.";
    PasswordProtected = "password_protected", 422, false, "The workbook is protected by a password", "Save it without a password.";
    CorruptWorkbook = "corrupt_workbook", 422, false, "The workbook cannot be opened", "Open it in a spreadsheet program and save it again.";
    NoSuchSheet = "no_such_sheet", 422, false, "The workbook has no such sheet, or the JSON file no such array", "Use a sheet or an array that the answer names.";
    ExpandsTooLarge = "expands_too_large", 422, false, "The file is far larger inside than outside", "Save the sheet as CSV, or send the file unpacked.";
    TooManyWebhooks = "too_many_webhooks", 422, false, "There are as many webhooks as the server takes", "Remove one that is not needed.";
    TooManyFiles = "too_many_files", 422, false, "The upload has too many files", "Send at most 1,000 files in one request.";
    AllFilesRefused = "all_files_refused", 422, false, "None of the files can be imported", "Correct what the answer says of each file.";
    CorruptArchive = "corrupt_archive", 422, false, "The archive cannot be opened", "Pack the files again, or send them one by one.";
    EncodingUnknown = "encoding_unknown", 422, false, "The encoding of the text cannot be detected", "Save the file as UTF-8, or name its encoding with the option `encoding`.";
    NoHeader = "no_header", 422, false, "No header was found", "Put the column names into the first row, or say where they are with `headerRow`.";
    InvalidJson = "invalid_json", 422, false, "The JSON of the file breaks its rules, or has no array of objects", "Write the file again as an array of objects, or with one object a line.";
    InvalidMeetList = "invalid_meet_list", 422, false, "The file is no meet definition list of DSV format 6, 7 or 8", "Correct the line that the message names, or export the list again.";
    MissingColumn = "missing_column", 422, false, "A required column is missing", "Add the column, or name it with the option `mapping`.";
    DuplicateColumn = "duplicate_column", 422, false, "Two columns of the file feed the same column", "Rename or remove one, or decide with the option `mapping`.";
    BadMapping = "bad_mapping", 422, false, "The mapping names a header or a column that does not exist", "Use headers of the file and columns of the dataset.";
    BadConstant = "bad_constant", 422, false, "The option `set` names a column that does not exist, or a value that it does not take", "Use columns of the dataset and values that they take.";
    TooManyColumns = "too_many_columns", 422, false, "The file has too many columns", "Remove the columns that are not needed; 1,000 are the most.";
    RefusedByStrict = "refused_by_strict", 422, false, "The file raises a warning, and the upload has `strict=true`", "Correct what the warnings name, or upload without `strict`.";
    NoProposal = "no_proposal", 422, false, "No definition can be proposed", "Do what the message says: name the key, or give the table a unique index.";
    BadDefinition = "bad_definition", 422, false, "The definition of a dataset has faults", "Correct what the answer names: file, line and key; the former definitions hold meanwhile.";
    IdempotencyMismatch = "idempotency_mismatch", 422, false, "The Idempotency-Key was used for another upload", "Use a new key for each new upload.";
    UrlNotAllowed = "url_not_allowed", 422, false, "The server does not fetch from this address", "Use the public address of the file, or ask an operator to open the network with LOADBAY_FETCH_NETWORKS.";
    LimitReached = "limit_reached", 429, true, "A limit of the key is reached", "Try again after the time in Retry-After.";
    Internal = "internal_error", 500, true, "Something went wrong in the server", "Try again; the log of the server has the details.";
    DatabaseUnavailable = "database_unavailable", 503, true, "The database does not answer", "Try again after the time in Retry-After.";
    DatabaseReadOnly = "database_read_only", 503, true, "The database takes no changes", "Let a database administrator lift the read-only state, or correct DATABASE_URL.";
    StatementCancelled = "statement_cancelled", 503, true, "The database cancelled a statement, each time that it was tried", "Try again; ask a database administrator who cancels statements, or for a shorter list.";
    StorageUnavailable = "storage_unavailable", 503, true, "The storage of the files does not answer", "Try again after the time in Retry-After.";
    ShuttingDown = "shutting_down", 503, true, "The server is stopping", "Try again after the time in Retry-After.";
    StorageFull = "storage_full", 507, true, "The disk has no space for the file", "Free space in the data folder or the shared folder, then send it again.";
    // Failed jobs; as a request's answer they would have the status shown.
    UnclosedQuote = "unclosed_quote", 422, false, "The quotes of the header break the rules", "Correct the quotes in the line that the message names.";
    FieldTooLong = "field_too_long", 422, false, "A field or row is far too long", "Look at the place that the message names; often a quote is missing there.";
    TooManyRows = "too_many_rows", 422, false, "The file has too many rows", "Split the file.";
    ParserCrashed = "parser_crashed", 422, false, "The workbook stopped the program that reads it", "Open it in a spreadsheet program and save it again, or save it as CSV.";
    ParserTimeout = "parser_timeout", 422, false, "Reading the workbook took too long", "Save the sheet as CSV and send that.";
    FetchFailed = "fetch_failed", 422, true, "The file could not be downloaded", "Look at what the message says of the other server, then retry the job.";
    SourceUnreadable = "source_unreadable", 500, true, "The uploaded file cannot be read", "Look at the data folder's disk, then upload again.";
    SourceChanged = "source_changed", 500, false, "The stored file is not the one that was uploaded", "Upload the file again.";
    TooManyErrors = "too_many_errors", 422, false, "More rows failed than the upload allowed", "Correct the failed rows, or raise `maxErrors`.";
    AtomicFailed = "atomic_failed", 422, false, "A row failed, and the upload has `atomic=true`, so no row was written", "Correct the failed rows, then upload the whole file again.";
    TooManyRemoved = "too_many_removed", 422, false, "The file lacks more records than the upload may remove", "Look whether the file is complete; if it is, upload it again with a larger `mirrorMax`, such as `100%`.";
    AbortedOnError = "aborted_on_error", 422, false, "A row failed, and the upload has `onError=abort`", "Correct the failed rows, then upload again.";
    CrashedRepeatedly = "crashed_repeatedly", 500, false, "The job was claimed three times and never ended", "Look at the log of the server; upload again when the cause is gone.";
    DatasetChanged = "dataset_changed", 409, false, "The dataset's definition no longer fits the job", "Upload the file again.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_snake_case() {
        let mut seen = std::collections::BTreeSet::new();
        for code in ErrorCode::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(text.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{text}");
            assert!((400..600).contains(&code.status()), "{text}");
        }
    }
}
