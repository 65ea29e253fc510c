//! Reads what a server answered: `data` of the envelope, or the problem document of a refusal.

use reqwest::StatusCode;
use reqwest::header::{ETAG, HeaderMap};
use serde_json::Value;

use super::error::ClientError;
use super::refusal::ServerRefusal;

/// A successful answer.
#[derive(Debug, Clone)]
pub struct ServerAnswer {
    /// The member `data`, with its members in their order.
    pub data: Value,
    /// The tag by which a later request asks for changes.
    pub(super) tag: Option<String>,
}

/// Reads a whole answer.
pub(super) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    address: &str,
) -> Result<ServerAnswer, ClientError> {
    let strange = || ClientError::Strange { address: address.to_owned(), status: status.as_u16() };
    let mut document: Value = match serde_json::from_slice(body) {
        Ok(document) => document,
        // A proxy in front refuses in words of its own.
        Err(_) if matches!(status.as_u16(), 401 | 403) => Value::Null,
        Err(_) => return Err(strange()),
    };
    if status.is_success() {
        let data = document.get_mut("data").map(Value::take).ok_or_else(strange)?;
        let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        return Ok(ServerAnswer { data, tag });
    }
    if let Some(refusal) = ServerRefusal::of(status, document) {
        return Err(ClientError::of_refusal(refusal));
    }
    if matches!(status.as_u16(), 401 | 403) {
        let detail = format!("a proxy in front of {address} lets this request not through");
        let document = Value::Null;
        let refusal =
            ServerRefusal { status: status.as_u16(), code: String::new(), detail, document };
        return Err(ClientError::NotAllowed(Box::new(refusal)));
    }
    Err(strange())
}
