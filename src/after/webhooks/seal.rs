//! Secrets of webhooks as they lie in the database: sealed with a key of the settings, so that who reads
//! the database alone cannot sign messages; as they are where there is no key.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::domain::webhook::{Webhook, WebhookSecret};

/// What a sealed secret begins with; others begin with `whsec_`.
const SEALED: &str = "sealed1_";

/// Keys for secrets: the first one seals, all of them open.
#[derive(Clone, Default)]
pub struct SecretsKeys(Arc<[LessSafeKey]>);

/// Why a secret cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// It is sealed, and there is no key.
    #[error("the secret of the webhook is sealed, and LOADBAY_SECRETS_KEY is not set")]
    NoKey,
    /// No key opens it.
    #[error("the secret of the webhook is sealed with another key than LOADBAY_SECRETS_KEY")]
    OtherKey,
    /// The system has no random bytes.
    #[error("the secret of the webhook cannot be sealed, the system has no random bytes")]
    NoRandom,
}

/// How the secrets of a database stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretsState {
    /// Webhooks whose secret is sealed and can be opened.
    pub sealed: usize,
    /// Webhooks whose secret lies in clear text.
    pub clear: usize,
    /// Webhooks whose secret cannot be opened, with why.
    pub closed: Vec<(Uuid, SealFault)>,
}

impl SecretsKeys {
    /// Reads keys that are separated by commas, each 32 bytes in base64.
    ///
    /// # Errors
    /// What is no key; the text itself is not repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        let key = |text: &str| {
            let takes = "it takes 32 bytes in base64, as `openssl rand -base64 32` prints them";
            let bytes = STANDARD.decode(text.trim()).map_err(|_| format!("no base64; {takes}"))?;
            let count = bytes.len();
            let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes);
            key.map(LessSafeKey::new).map_err(|_| format!("{count} bytes; {takes}"))
        };
        text.split(',').map(key).collect::<Result<Vec<_>, _>>().map(|keys| Self(keys.into()))
    }

    /// True when nothing is sealed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret of a webhook as it is to be stored.
    pub(super) fn seal(
        &self,
        webhook: Uuid,
        secret: &WebhookSecret,
    ) -> Result<WebhookSecret, SealFault> {
        let Some(key) = self.0.first() else { return Ok(secret.clone()) };
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealFault::NoRandom)?;
        let mut sealed = secret.0.clone().into_bytes();
        let bound = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(bound, Aad::from(webhook.as_bytes()), &mut sealed)
            .map_err(|_| SealFault::NoRandom)?;
        let text = STANDARD.encode([nonce.as_slice(), &sealed].concat());
        Ok(WebhookSecret(format!("{SEALED}{text}")))
    }

    /// The secret of a webhook as messages are signed with it.
    pub(super) fn open(&self, webhook: &Webhook) -> Result<WebhookSecret, SealFault> {
        let Some(text) = webhook.secret.0.strip_prefix(SEALED) else {
            return Ok(webhook.secret.clone());
        };
        if self.is_empty() {
            return Err(SealFault::NoKey);
        }
        let opened = self.0.iter().find_map(|key| opened_with(key, webhook.id, text));
        opened.ok_or(SealFault::OtherKey)
    }

    /// True of a secret that lies as this server would store it now.
    pub(super) fn is_as_sealed_now(&self, webhook: &Webhook) -> bool {
        match (self.0.first(), webhook.secret.0.strip_prefix(SEALED)) {
            (Some(key), Some(text)) => opened_with(key, webhook.id, text).is_some(),
            (None, None) => true,
            _ => false,
        }
    }

    /// How the secrets of these webhooks stand.
    #[must_use]
    pub fn state_of(&self, webhooks: &[Webhook]) -> SecretsState {
        let mut state = SecretsState::default();
        for webhook in webhooks {
            match self.open(webhook) {
                Ok(_) if webhook.secret.0.starts_with(SEALED) => state.sealed += 1,
                Ok(_) => state.clear += 1,
                Err(fault) => state.closed.push((webhook.id, fault)),
            }
        }
        state
    }
}

fn opened_with(key: &LessSafeKey, webhook: Uuid, text: &str) -> Option<WebhookSecret> {
    let bytes = STANDARD.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut sealed = sealed.to_vec();
    let opened = key.open_in_place(nonce, Aad::from(webhook.as_bytes()), &mut sealed).ok()?;
    String::from_utf8(opened.to_vec()).ok().map(WebhookSecret)
}

impl fmt::Debug for SecretsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const FIRST: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const SECOND: &str = "HxwdGhsYGRYXFBUSExAREA8ODQwLCgkIBwYFBAMCAQA=";
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn keys(text: &str) -> SecretsKeys {
        SecretsKeys::parse(text).unwrap()
    }

    fn webhook(secret: WebhookSecret) -> Webhook {
        Webhook {
            id: Uuid::from_u128(7),
            url: "https://shop.example/hook".to_owned(),
            secret,
            events: Vec::new(),
            dataset: None,
            is_enabled: true,
            disabled_reason: None,
            created_by: None,
            created_at: DateTime::default(),
        }
    }

    #[test]
    fn a_sealed_secret_is_opened_by_its_key_only() {
        let plain = WebhookSecret(SECRET.to_owned());
        let sealed = keys(FIRST).seal(Uuid::from_u128(7), &plain).unwrap();
        assert!(sealed.0.starts_with(SEALED) && !sealed.0.contains("MfKQ"), "{}", sealed.0);
        assert_ne!(keys(FIRST).seal(Uuid::from_u128(7), &plain).unwrap(), sealed, "a new nonce");
        let stored = webhook(sealed.clone());
        assert_eq!(keys(FIRST).open(&stored), Ok(plain.clone()));
        assert_eq!(keys(&format!("{SECOND}, {FIRST}")).open(&stored), Ok(plain.clone()));
        assert_eq!(keys(SECOND).open(&stored), Err(SealFault::OtherKey));
        assert_eq!(SecretsKeys::default().open(&stored), Err(SealFault::NoKey));
        let of_other = Webhook { id: Uuid::from_u128(8), ..stored.clone() };
        assert_eq!(keys(FIRST).open(&of_other), Err(SealFault::OtherKey), "it is of one webhook");
        let cut = webhook(WebhookSecret(sealed.0.chars().take(60).collect()));
        assert_eq!(keys(FIRST).open(&cut), Err(SealFault::OtherKey));
        assert!(keys(FIRST).is_as_sealed_now(&stored));
        assert!(!keys(&format!("{SECOND},{FIRST}")).is_as_sealed_now(&stored));
        assert!(!SecretsKeys::default().is_as_sealed_now(&stored));
    }

    #[test]
    fn without_a_key_a_secret_lies_as_it_is() {
        let (none, plain) = (SecretsKeys::default(), WebhookSecret(SECRET.to_owned()));
        assert_eq!(none.seal(Uuid::from_u128(7), &plain), Ok(plain.clone()));
        let stored = webhook(plain.clone());
        assert_eq!(none.open(&stored), Ok(plain.clone()));
        assert_eq!(keys(FIRST).open(&stored), Ok(plain), "what was stored before");
        assert!(none.is_as_sealed_now(&stored) && !keys(FIRST).is_as_sealed_now(&stored));
    }

    #[test]
    fn a_key_has_32_bytes_and_is_never_repeated() {
        for text in ["", "c2hvcnQ=", "no base64!", &format!("{FIRST},c2hvcnQ=")] {
            let fault = SecretsKeys::parse(text).unwrap_err();
            assert!(fault.contains("32 bytes"), "{fault}");
            assert!(!fault.contains("c2hv") && !fault.contains("no base64!"), "{fault}");
        }
        assert_eq!(format!("{:?}", keys(FIRST)), "1 keys");
    }
}
