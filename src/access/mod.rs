//! Who may use the server: keys, the sessions of browsers, and how much each key may do. Secrets are
//! made, hashed and compared here, and never kept. Knows no HTTP.

mod error;
mod keys;
mod limit_reached;
mod meters;
mod secret;
mod sessions;

pub use error::AccessError;
pub use keys::{Access, KeyRequest, create, list, revoke, rotate};
pub use limit_reached::{KeyLimits, LimitKind, LimitReached, RequestsLeft};
pub use meters::{BYTES_WINDOW, Meters, REQUEST_WINDOW, UploadPlace};
pub use secret::KeySecret;
pub use sessions::SESSION_TIME;
