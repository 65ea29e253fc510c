//! The key with which a client shows who it is. It is never shown itself.

use std::fmt;

/// A key of a server.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKey(String);

impl ServerKey {
    /// Takes a key as it stands in a file or a variable: white space around it is not part of it.
    ///
    /// # Errors
    /// When it could not be sent. The sentence does not quote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let key = text.trim();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(
                "it is not one word of visible characters, as `loadbay keys create` prints \
                        a key"
                    .to_owned(),
            );
        }
        Ok(Self(key.to_owned()))
    }

    /// The key, for the header.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_word_and_is_not_shown() {
        let key = ServerKey::parse(" secret\n").unwrap();
        assert_eq!(key.reveal(), "secret");
        assert_eq!(format!("{key:?}"), "ServerKey(***)");
        for text in ["", "two words", "ü"] {
            assert!(ServerKey::parse(text).is_err(), "{text}");
        }
    }
}
