//! Why a file could not be fetched, and whether another attempt may help. Messages name the host of
//! an address at most: the rest of it may be secret.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::error_code::ErrorCode;
use crate::files::FileError;

/// Why an address may not be asked; completes the sentence "… may not be fetched: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no address.
    #[error("it is not a URL; write it like https://supplier.example/prices.csv")]
    NoUrl,
    /// It is too long.
    #[error("it has more than {most} bytes")]
    Long {
        /// Bytes at most.
        most: usize,
    },
    /// Another scheme.
    #[error("it begins with `{scheme}:`; the server fetches from http, https and s3")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// User name or password.
    #[error("it has a user name or a password; use a signed link instead")]
    Credentials,
    /// The port is not one of the setting.
    #[error("the port {port} is not one of LOADBAY_FETCH_PORTS")]
    Port {
        /// The port.
        port: u16,
    },
    /// The machine is a private one.
    #[error(
        "it leads to a private address; an operator opens networks with LOADBAY_FETCH_NETWORKS"
    )]
    Private,
    /// From TLS to none.
    #[error("it leads from https to http")]
    Downgrade,
    /// No object of a bucket.
    #[error("it names no object of a bucket; write it like s3://bucket/prices.csv")]
    NoObject,
    /// Another bucket, or none is configured.
    #[error("the server reads only from the bucket of its LOADBAY_STORAGE_URL")]
    OtherBucket,
    /// A file of this server's own.
    #[error("it is a file of another import")]
    OwnFile,
}

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address may not be asked.
    #[error("{what} may not be fetched: {why}")]
    NotAllowed {
        /// The host, or "the address".
        what: String,
        /// Why.
        why: Refusal,
    },
    /// The server answered with a status that is no file.
    #[error("{host} answered {status}{}", meaning(*status))]
    Status {
        /// Who.
        host: String,
        /// The status.
        status: u16,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// The server leads on and on, or nowhere.
    #[error("{host} leads to another address too often, or to none")]
    Redirects {
        /// The last one.
        host: String,
    },
    /// The file of authorities cannot be used.
    #[error("LOADBAY_FETCH_CA_FILE names `{}`, {why}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The name is unknown, nobody listens, or TLS fails.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// Who.
        host: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke off before the file was whole.
    #[error("{host} cut the connection after {received} bytes{}", of_total(*total))]
    Cut {
        /// Who.
        host: String,
        /// Bytes that came so far.
        received: u64,
        /// Bytes that it announced.
        total: Option<u64>,
    },
    /// The file changed between two attempts, or the answer does not fit the question.
    #[error("{host} has another file than before; the download begins anew")]
    Changed {
        /// Who.
        host: String,
    },
    /// Nothing came for too long.
    #[error("{host} was silent for {} s", idle.as_secs_f32())]
    Stalled {
        /// Who.
        host: String,
        /// How long.
        idle: Duration,
    },
    /// The download took too long.
    #[error("the download took longer than {} (LOADBAY_FETCH_TIMEOUT)", humantime::format_duration(*.limit))]
    TimeLimit {
        /// The most.
        limit: Duration,
    },
    /// The body is compressed in a way that the server does not read.
    #[error("{host} sends the file with Content-Encoding `{encoding}`; the server reads gzip")]
    Encoding {
        /// Who.
        host: String,
        /// How.
        encoding: String,
    },
    /// The compressed body is none.
    #[error("the file of {host} is said to be compressed with gzip, but it cannot be unpacked")]
    Corrupt {
        /// Who.
        host: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The client that asks cannot be made: a fault of the machine.
    #[error("the server cannot fetch files")]
    Client(#[source] reqwest::Error),
    /// Asked to stop.
    #[error("the download is stopped")]
    Stopped,
    /// The disk, the bucket, or the limit of bytes.
    #[error(transparent)]
    Files(#[from] FileError),
}

/// Whether another attempt may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    /// It cannot.
    Never,
    /// After the usual pause.
    Soon,
    /// After this time, which the server asked for.
    After(Duration),
}

impl FetchError {
    /// The code that a client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotAllowed { .. } => ErrorCode::UrlNotAllowed,
            Self::Files(fault) => fault.code(),
            Self::Authorities { .. } | Self::Client(_) | Self::Stopped => ErrorCode::Internal,
            Self::Status { .. }
            | Self::Redirects { .. }
            | Self::Unreachable { .. }
            | Self::Cut { .. }
            | Self::Changed { .. }
            | Self::Stalled { .. }
            | Self::TimeLimit { .. }
            | Self::Encoding { .. }
            | Self::Corrupt { .. } => ErrorCode::FetchFailed,
        }
    }

    /// Whether another attempt may help.
    #[must_use]
    pub fn next_attempt(&self) -> NextAttempt {
        match self {
            Self::Status { status, retry_after, .. } => match (status, retry_after) {
                (408 | 425 | 429 | 500 | 502 | 503 | 504, Some(time)) => NextAttempt::After(*time),
                (408 | 425 | 429 | 500 | 502 | 503 | 504, None) => NextAttempt::Soon,
                _ => NextAttempt::Never,
            },
            Self::Unreachable { .. }
            | Self::Cut { .. }
            | Self::Changed { .. }
            | Self::Stalled { .. } => NextAttempt::Soon,
            Self::Files(fault) if fault.is_transient() => NextAttempt::Soon,
            Self::NotAllowed { .. }
            | Self::Redirects { .. }
            | Self::TimeLimit { .. }
            | Self::Encoding { .. }
            | Self::Corrupt { .. }
            | Self::Authorities { .. }
            | Self::Client(_)
            | Self::Stopped
            | Self::Files(_) => NextAttempt::Never,
        }
    }

    /// The status of the server's answer, if that is why.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

fn meaning(status: u16) -> String {
    let way_out = match status {
        401 | 403 => "; the address needs a login or has expired",
        404 | 410 => "; there is no such file",
        429 => "; it is asked too often",
        500.. => "; it has a fault of its own",
        _ => "",
    };
    let reason = reqwest::StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason());
    reason.map_or_else(String::new, |reason| format!(" ({reason})")) + way_out
}

fn of_total(total: Option<u64>) -> String {
    total.map_or_else(String::new, |total| format!(" of {total}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_it_means_and_whether_to_try_again() {
        let of = |status, retry_after| FetchError::Status {
            host: "a.example".to_owned(),
            status,
            retry_after,
        };
        let missing = of(404, None);
        assert_eq!(
            missing.to_string(),
            "a.example answered 404 (Not Found); there is no such file"
        );
        assert_eq!(missing.next_attempt(), NextAttempt::Never);
        assert_eq!(of(503, None).next_attempt(), NextAttempt::Soon);
        let minute = Duration::from_mins(1);
        assert_eq!(of(429, Some(minute)).next_attempt(), NextAttempt::After(minute));
        assert_eq!(of(403, Some(minute)).next_attempt(), NextAttempt::Never);
    }
}
