//! Secrets and signatures of Standard Webhooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::Webhook as Signer;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};

use crate::domain::webhook::{WebhookDelivery, WebhookSecret};

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// Bytes of a secret: the specification takes 24 to 64.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A new secret of 32 random bytes; `None` when the system has none.
pub(super) fn new_secret() -> Option<WebhookSecret> {
    let mut bytes = [0; 32];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).ok()?;
    Some(WebhookSecret(format!("{PREFIX}{}", STANDARD.encode(bytes))))
}

/// Reads a secret that a client brings.
pub(super) fn secret(text: &str) -> Option<WebhookSecret> {
    let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
    SECRET_BYTES.contains(&bytes.len()).then(|| WebhookSecret(text.to_owned()))
}

/// The headers of an attempt at this time, in seconds; `None` when the secret is none.
pub(super) fn headers(
    delivery: &WebhookDelivery,
    secret: &WebhookSecret,
    seconds: i64,
) -> Option<HeaderMap> {
    let id = &delivery.message_id;
    let signature =
        Signer::new(&secret.0).ok()?.sign(id, seconds, delivery.body.as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    let values = [
        (HEADER_WEBHOOK_ID, id.clone()),
        (HEADER_WEBHOOK_TIMESTAMP, seconds.to_string()),
        (HEADER_WEBHOOK_SIGNATURE, signature),
    ];
    for (name, value) in values {
        headers.insert(HeaderName::from_static(name), value.parse().ok()?);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_the_form_of_the_specification() {
        let made = new_secret().unwrap();
        assert_eq!(secret(&made.0), Some(made.clone()));
        assert_ne!(new_secret(), Some(made));
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"]
        {
            assert_eq!(secret(text), None, "{text}");
        }
        assert!(secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_some());
    }
}
