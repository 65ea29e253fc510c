//! A refused request, as its problem document tells it.

use reqwest::StatusCode;
use serde_json::Value;

/// A refused request.
#[derive(Debug, Clone)]
pub struct ServerRefusal {
    /// The HTTP status.
    pub status: u16,
    /// The stable code; empty of an answer that is no problem document.
    pub code: String,
    /// The sentence for people.
    pub detail: String,
    /// The whole document.
    pub document: Value,
}

impl ServerRefusal {
    /// The refusal that a document is; `None` of another one.
    pub(super) fn of(status: StatusCode, document: Value) -> Option<Self> {
        let text = |name: &str| document.get(name)?.as_str().map(str::to_owned);
        let (code, detail) = (text("code")?, text("detail")?);
        Some(Self { status: status.as_u16(), code, detail, document })
    }

    /// True when the client may not do this, or nobody knows who it is.
    pub(super) fn is_of_rights(&self) -> bool {
        matches!(self.status, 401 | 403)
    }
}
