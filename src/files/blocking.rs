//! File work on threads that may block.

use std::borrow::Cow;
use std::io;

use super::error::FileError;

/// Runs file work on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    action: impl Into<Cow<'static, str>>,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, FileError> {
    let gone = |_| io::Error::other("the thread is gone");
    let done = tokio::task::spawn_blocking(work).await.map_err(gone);
    done.and_then(|done| done).map_err(|source| FileError::store(action, source))
}
