//! What can go wrong between a client and its server.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use super::refusal::ServerRefusal;

/// Why a call brought no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answered in time, or only that nothing can be done now.
    #[error("{address} does not answer: {reason}")]
    Unreachable {
        /// The server.
        address: String,
        /// What came instead of an answer.
        reason: String,
    },
    /// The key is missing or wrong, or has no right to this.
    #[error("{}", .0.detail)]
    NotAllowed(Box<ServerRefusal>),
    /// The server refused the request.
    #[error("{}", .0.detail)]
    Refused(Box<ServerRefusal>),
    /// The answer is not one of this API.
    #[error(
        "{address} answered with status {status} and not as a Loadbay server does; look at the \
         address"
    )]
    Strange {
        /// The server.
        address: String,
        /// The HTTP status.
        status: u16,
    },
    /// A file of this machine could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of this machine could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The connection could not be set up at all.
    #[error("cannot set up a connection: {reason}")]
    Setup {
        /// What the library said.
        reason: String,
    },
}

impl ClientError {
    pub(super) fn of_refusal(refusal: ServerRefusal) -> Self {
        if refusal.is_of_rights() {
            return Self::NotAllowed(Box::new(refusal));
        }
        Self::Refused(Box::new(refusal))
    }
}

/// What lies at the bottom of an error: the layers above it say only that there is one.
pub(super) fn root(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it was silent for too long".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
