//! An example of each schema that a call takes or answers: what a real server said.

use std::sync::LazyLock;

use serde_json::{Map, Value};

static EXAMPLES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let text = include_str!("examples.json");
    // The file is ours: a test reads it.
    serde_json::from_str(text).unwrap_or_default()
});

/// The example of a schema.
pub(super) fn of(name: &str) -> Option<&'static Value> {
    EXAMPLES.get(name)
}
