//! Why something asked of a bucket came to nothing, and what that is for those who ask a storage.

use std::borrow::Cow;
use std::fmt;

use object_store::Error;

use crate::files::FileError;

/// Why something asked of a bucket came to nothing.
#[derive(Debug)]
pub(in crate::files::storage) enum BucketError {
    /// The local file.
    Local(std::io::Error),
    /// The bucket is there, the object is not.
    Missing,
    /// The bucket.
    Bucket(Error),
}

impl From<std::io::Error> for BucketError {
    fn from(fault: std::io::Error) -> Self {
        Self::Local(fault)
    }
}

impl From<Error> for BucketError {
    fn from(fault: Error) -> Self {
        Self::Bucket(fault)
    }
}

impl fmt::Display for BucketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(fault) => fault.fmt(f),
            Self::Missing => f.write_str("it is not there"),
            Self::Bucket(fault) => fault.fmt(f),
        }
    }
}

/// What a bucket said. What is not certain to last may pass: a key that was withdrawn is given
/// again, a bucket that was renamed comes back.
pub(in crate::files::storage) fn unavailable(
    action: impl Into<Cow<'static, str>>,
    fault: Error,
) -> FileError {
    FileError::Unavailable { action: action.into(), source: Box::new(fault) }
}

/// The fault of `doing` something with a bucket.
pub(in crate::files::storage) fn transfer(
    action: impl Into<Cow<'static, str>>,
    fault: BucketError,
) -> FileError {
    match fault {
        BucketError::Local(source) => FileError::store(action, source),
        BucketError::Missing => FileError::Missing { action: action.into() },
        BucketError::Bucket(source) => unavailable(action, source),
    }
}

/// True when nobody who is trusted issued the certificate of the bucket.
pub(in crate::files::storage) fn is_untrusted(fault: &(dyn std::error::Error + 'static)) -> bool {
    use rustls::CertificateError::{BadSignature, UnknownIssuer};
    if let Some(fault) = fault.downcast_ref::<rustls::Error>() {
        return matches!(fault, rustls::Error::InvalidCertificate(UnknownIssuer | BadSignature));
    }
    // What such a fault wraps is not its source.
    let wrapped = fault.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.is_some_and(|wrapped| is_untrusted(wrapped)) || fault.source().is_some_and(is_untrusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_found_is_a_missing_file_only_when_the_bucket_is_there() {
        let not_found = || Error::NotFound { path: "x".to_owned(), source: "NoSuchBucket".into() };
        let target = transfer("store the upload", not_found().into());
        assert_eq!((target.code().as_str(), target.is_transient()), ("storage_unavailable", true));
        let source = transfer("read the uploaded file", BucketError::Missing);
        assert_eq!((source.code().as_str(), source.is_transient()), ("source_unreadable", false));
    }
}
