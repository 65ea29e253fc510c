//! Every fixed bound of Loadbay, with what happens when it is reached.
//!
//! Bounds that an operator may move are settings (`config`); these are not.

/// Columns of a file. More: 422 `too_many_columns`.
pub const COLUMNS_MAX: usize = 1_000;

/// Bytes of one field. More: the job ends with `field_too_long` and the place where it began.
pub const FIELD_BYTES_MAX: usize = 1 << 20;

/// Bytes of one row of a CSV file, all fields together. More: `field_too_long`.
pub const ROW_BYTES_MAX: usize = 4 << 20;

/// Rows of one file; row numbers are kept in 32 bits. More: `too_many_rows`.
pub const ROWS_MAX: u64 = u32::MAX as u64 - 1;

/// Bytes read from the start of a text file to find its delimiter and header.
pub const SNIFF_BYTES: usize = 256 << 10;

/// Row errors kept for one row; the first ones win.
pub const ERRORS_PER_ROW_MAX: usize = 10;

/// Characters of a value that a row error shows.
pub const SHOWN_VALUE_CHARS: usize = 100;

/// Characters of a file name that are kept.
pub const FILE_NAME_CHARS: usize = 200;

/// Bytes of one option given as a form field or query value.
pub const OPTION_BYTES_MAX: usize = 16 << 10;

/// Bytes of a definition in a request.
pub const DEFINITION_BYTES_MAX: usize = 1 << 20;

/// Bytes of the body of a call that steers a job. More: 400 `malformed_request`.
pub const CONTROL_BODY_BYTES_MAX: usize = 256 << 10;

/// Bytes of a body with a mapping to be saved. More: 400 `malformed_request`.
pub const MAPPING_BODY_BYTES_MAX: usize = 256 << 10;

/// Saved mappings of a dataset. More: 409 `too_many_mappings`.
pub const SAVED_MAPPINGS_MAX: u64 = 1_000;

/// Bytes of a body that names the addresses of files. More: 400 `malformed_request`.
pub const FAR_BODY_BYTES_MAX: usize = 256 << 10;

/// Files that a server downloads at the same time. More wait.
pub const DOWNLOADS_MAX: usize = 4;

/// Files of one bulk. More: 422 `too_many_files`.
pub const BULK_FILES_MAX: usize = 1_000;

/// Times that a file may be larger than it is packed with ZIP or gzip, above the bytes that are always
/// taken. A table of equal rows reaches a thousand. More: the file is refused with
/// `expands_too_large`.
pub const ARCHIVE_RATIO_MAX: u64 = 250;

/// Bytes that a packed file may have however small it is packed.
pub const ARCHIVE_FREE_BYTES: u64 = 16 << 20;

/// Bytes of the directory of a ZIP archive. More: 422 `too_many_files`.
pub const ARCHIVE_DIRECTORY_BYTES_MAX: u64 = 1 << 20;

/// Parts of one multipart upload, its files not counted.
pub const UPLOAD_PARTS_MAX: usize = 64;

/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS: usize = 255;

/// Characters of the name of a session.
pub const SESSION_ID_CHARS: usize = 200;

/// Characters of the name that a client gives itself.
pub const CLIENT_CHARS: usize = 100;

/// Seconds that `?wait=` may ask for.
pub const WAIT_SECONDS_MAX: u64 = 60;

/// Rows of a file whose upload an inline dataset answers with the results. More: it is a job like any
/// other, and answered 202.
pub const INLINE_ROWS_MAX: u64 = 5_000;

/// Row errors in the answer to an upload. More: the answer has the cursor of the next page.
pub const INLINE_ERRORS_MAX: u64 = 1_000;

/// Differences of a dry run that the answer about it shows. All are pages of `diff`.
pub const SHOWN_DIFFERENCES_MAX: u64 = 50;

/// Differences of a dry run that are stored. More are only counted.
pub const DIFFERENCES_STORED_MAX: u64 = 100_000;

/// Rows on one page of a list; larger requests are cut to it.
pub const PAGE_ROWS_MAX: u64 = 500;

/// Rows on one page of a list when the request does not say.
pub const PAGE_ROWS_DEFAULT: u64 = 50;

/// Times a job is claimed before it fails with `crashed_repeatedly`.
pub const ATTEMPTS_MAX: i32 = 3;

/// The priority of a job that was forced: above all that an upload may ask for.
pub const PRIORITY_OF_FORCED: i32 = 1_000;

/// Chunks that wait between the reader and a writer, besides the one that each of them works on.
pub const CHUNKS_WAITING_MAX: usize = 1;

/// Values of one reference table that a job keeps in memory.
pub const REFERENCES_MAX: usize = 200_000;

/// Items of one list that goes into a join table. More: the row error `too_many_items`.
pub const LIST_ITEMS_MAX: usize = 1_000;

/// Names of one column that a dry run or a preview counts, because they would create records.
pub const NEW_REFERENCES_KEPT_MAX: usize = 500;

/// As many of them are listed.
pub const NEW_REFERENCES_SHOWN_MAX: usize = 100;

/// Keys that the prescan of a file sorts in memory before it turns to a temporary file.
pub const PRESCAN_KEYS_IN_MEMORY: usize = 1 << 18;

/// A chunk of very wide rows is cut when its rows have so many bytes of text, columns that feed
/// nothing and rows that fail included: all of it is kept until the chunk is committed.
pub const CHUNK_BYTES_MAX: usize = 8 << 20;
