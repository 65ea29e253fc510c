//! How files are read: text in every dialect, workbooks of every kind, and those that mean harm.

mod broken;
mod cells;
mod delimiters;
mod dsv;
mod encodings;
mod headers;
mod hostile;
mod json;
mod lines;
mod ndjson;
pub(crate) mod packed;
mod products;
mod shown;
mod workbooks;
