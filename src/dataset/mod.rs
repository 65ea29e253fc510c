//! Datasets: what the rows of a file become. A definition file (TOML) is read once and compiled
//! into header matching, conversion and validation; the store makes its SQL from the same value.
//!
//! Knows no file, no database and no HTTP: it turns text into values and faults.

pub mod model;
