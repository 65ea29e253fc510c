//! The name that a client gives to the stream of an import that it is going to start.

use super::limits::SESSION_ID_CHARS;

/// A client's name for one import and the stream of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionId {
    name: String,
    key: String,
}

impl SessionId {
    /// What a name may be, for refusals.
    pub const TAKES: &'static str = "1 to 200 visible ASCII characters, such as a UUID";

    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_visible = text.chars().all(|c| c.is_ascii_graphic());
        let is_name = is_visible && (1..=SESSION_ID_CHARS).contains(&text.len());
        is_name.then(|| Self { name: text.to_owned(), key: format!("session:{text}") })
    }

    /// The same name under another key: clients with keys have sessions of their own.
    #[must_use]
    pub fn with_key(self, key: String) -> Self {
        Self { key, ..self }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The `Idempotency-Key` of the session's job: a session has one job, whichever server takes it.
    #[must_use]
    pub fn key(&self) -> String {
        self.key.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limits::IDEMPOTENCY_KEY_CHARS;

    #[test]
    fn a_session_has_a_visible_name_that_makes_a_key() {
        let longest = "x".repeat(SESSION_ID_CHARS);
        for name in ["test-session-123", "550e8400-e29b-41d4-a716-446655440000", &longest] {
            let session = SessionId::parse(name).unwrap();
            assert_eq!(session.as_str(), name);
            assert!(session.key().len() <= IDEMPOTENCY_KEY_CHARS);
        }
        for name in ["", "a b", "ä", &format!("{longest}x")] {
            assert_eq!(SessionId::parse(name), None, "{name}");
        }
    }
}
