//! Why something was not done with a webhook.

use uuid::Uuid;

use super::seal::SealFault;
use crate::domain::error_code::ErrorCode;
use crate::files::FetchError;
use crate::store::StoreError;

/// A refusal or a failure.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is none.
    #[error("there is no webhook {0}")]
    NotFound(Uuid),
    /// It has no such message.
    #[error("webhook {webhook} has no message {delivery}")]
    NoDelivery {
        /// The webhook.
        webhook: Uuid,
        /// The number.
        delivery: i64,
    },
    /// There are enough.
    #[error("there are {0} webhooks already; remove one that is not needed")]
    TooMany(u64),
    /// Nothing may be sent to the address.
    #[error(transparent)]
    Address(FetchError),
    /// No random bytes for a secret.
    #[error("a secret cannot be made")]
    Secret,
    /// The secret of the webhook is sealed and cannot be opened, or cannot be sealed.
    #[error(transparent)]
    Sealed(#[from] SealFault),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of the server panicked.
    #[error("the server failed in the middle of its work")]
    Panicked,
}

impl WebhookError {
    /// The code that a request is refused with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound(_) => ErrorCode::WebhookNotFound,
            Self::NoDelivery { .. } => ErrorCode::DeliveryNotFound,
            Self::TooMany(_) => ErrorCode::TooManyWebhooks,
            Self::Address(fault) => fault.code(),
            Self::Store(fault) => fault.code(),
            Self::Secret | Self::Sealed(_) | Self::Panicked => ErrorCode::Internal,
        }
    }
}
