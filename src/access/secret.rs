//! Secrets: 256 random bits, shown once, kept as a hash, compared in constant time.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::AccessError;
use crate::domain::hexadecimal::hex;

/// The beginning of every key, by which it is recognised where it should not be.
const PREFIX: &str = "loadbay";

const SECRET_BYTES: usize = 32;

/// Bytes of the part by which a key is found.
const PUBLIC_BYTES: usize = 6;

/// A secret: of a key with the public part, or of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret {
    public_part: String,
    secret_part: String,
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySecret({}…)", self.public_part)
    }
}

impl KeySecret {
    /// Makes a new one.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn random() -> Result<Self, AccessError> {
        let mut bytes = [0; SECRET_BYTES + PUBLIC_BYTES];
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(&mut bytes).map_err(|_| AccessError::NoRandomness)?;
        let (secret, public) = bytes.split_at(SECRET_BYTES);
        Ok(Self { public_part: hex(public), secret_part: URL_SAFE_NO_PAD.encode(secret) })
    }

    /// Reads `loadbay_PUBLIC_SECRET`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '_');
        let (prefix, public, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let is_whole = prefix == PREFIX
            && public.len() == PUBLIC_BYTES * 2
            && URL_SAFE_NO_PAD.decode(secret).is_ok_and(|bytes| bytes.len() == SECRET_BYTES);
        is_whole.then(|| Self { public_part: public.to_owned(), secret_part: secret.to_owned() })
    }

    /// The whole text, for the one who gets it.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}_{}_{}", self.public_part, self.secret_part)
    }

    /// The part by which it is found.
    #[must_use]
    pub fn public_part(&self) -> &str {
        &self.public_part
    }

    /// What is kept of it. Of 256 random bits no hash needs to be slow.
    #[must_use]
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.secret_part.as_bytes()))
    }

    /// True when `hash` is of this secret. Takes the same time wherever the two differ.
    #[must_use]
    pub fn has_hash(&self, hash: &str) -> bool {
        self.hash().as_bytes().ct_eq(hash.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_it_was_shown_and_is_known_by_its_hash() {
        let secret = KeySecret::random().unwrap();
        let other = KeySecret::random().unwrap();
        assert_eq!(KeySecret::parse(&secret.reveal()), Some(secret.clone()));
        assert!(secret.has_hash(&secret.hash()));
        assert!(!secret.has_hash(&other.hash()) && !secret.has_hash(""));
        assert!(!format!("{secret:?}").contains(&secret.secret_part));
    }

    #[test]
    fn what_is_not_a_secret_is_not_read() {
        for text in
            ["", "loadbay", "loadbay_0011aabbccdd_short", "other_0011aabbccdd_x", "Bearer x"]
        {
            assert_eq!(KeySecret::parse(text), None, "{text}");
        }
    }
}
