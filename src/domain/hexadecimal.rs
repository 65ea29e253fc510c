//! Bytes as text in hexadecimal.

use std::fmt::Write as _;

/// Bytes in hexadecimal, lower case: how a SHA-256 is written everywhere.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
