//! JSON as the API writes it.

use serde::Serialize;

/// `value` as one line of JSON. It ends with a line break, so that a terminal shows its prompt on
/// the next line.
pub(super) fn json_line<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}
