//! The body of an upload: compared with its digest, with a time limit for silence.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::dev::Payload as DevPayload;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use actix_web::{FromRequest, HttpRequest};
use futures_util::{Stream, StreamExt, stream};

use super::digest::ExpectedDigest;
use crate::http::problem::Problem;

/// The longest silence.
const IDLE: Duration = Duration::from_mins(1);

/// Bytes of white space that are passed over to find how a body begins.
const BLANKS_MAX: usize = 64 << 10;

/// Bytes that may follow the end of a form: its epilogue (RFC 2046, 5.1.1).
const EPILOGUE_BYTES_MAX: usize = 64 << 10;

/// The bytes of the request. Clones share them.
#[derive(Clone)]
pub(super) struct UploadBody(Rc<RefCell<BodyState>>);

struct BodyState {
    payload: Payload,
    expected: Option<ExpectedDigest>,
}

impl UploadBody {
    /// The body, with the digest that the client announced.
    pub(super) fn new(payload: Payload, expected: Option<ExpectedDigest>) -> Self {
        Self(Rc::new(RefCell::new(BodyState { payload, expected })))
    }

    /// Reads the body to its end and compares the digest.
    pub(super) async fn finish(mut self) -> Result<(), Problem> {
        let mut left = EPILOGUE_BYTES_MAX;
        while let Some(bytes) = next(&mut self).await? {
            let bytes = bytes.map_err(|fault| broken(&fault))?;
            left = left.checked_sub(bytes.len()).ok_or_else(trailing_bytes)?;
        }
        let expected = self.0.borrow_mut().expected.take();
        expected.map_or(Ok(()), ExpectedDigest::check)
    }
}

impl Stream for UploadBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut inner = self.0.borrow_mut();
        let polled = Pin::new(&mut inner.payload).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &polled
            && let Some(expected) = &mut inner.expected
        {
            expected.update(bytes);
        }
        polled
    }
}

/// True when the body is a JSON array, by its first byte that is no white space; and the body, from
/// its first byte.
pub(in crate::http) async fn begins_array(
    request: &HttpRequest,
    mut payload: Payload,
) -> Result<(bool, Payload), Problem> {
    let mut begun = Vec::new();
    let mut first = None;
    while first.is_none()
        && begun.iter().map(Bytes::len).sum::<usize>() < BLANKS_MAX
        && let Some(bytes) = next(&mut payload).await?
    {
        let bytes = bytes.map_err(|fault| broken(&fault))?;
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes).trim_ascii_start();
        first = text.first().copied();
        begun.push(bytes);
    }
    let begun = stream::iter(begun.into_iter().map(Ok));
    let whole: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> =
        Box::pin(begun.chain(payload));
    let mut whole = DevPayload::from(whole);
    let payload = Payload::from_request(request, &mut whole).await;
    let payload = payload.map_err(|fault| Problem::malformed(fault.to_string()))?;
    Ok((first == Some(b'['), payload))
}

/// The next item of a stream that is fed by the body.
pub(super) async fn next<S: Stream + Unpin>(stream: &mut S) -> Result<Option<S::Item>, Problem> {
    tokio::time::timeout(IDLE, stream.next()).await.map_err(|_| {
        let seconds = IDLE.as_secs();
        Problem::malformed(format!("the body was silent for {seconds} seconds; send it again"))
    })
}

fn trailing_bytes() -> Problem {
    Problem::malformed(format!(
        "more than {EPILOGUE_BYTES_MAX} bytes follow the last boundary of the form; end the body there"
    ))
}

/// A body that ended early.
pub(super) fn broken(fault: &PayloadError) -> Problem {
    if matches!(fault, PayloadError::Incomplete(_)) {
        return Problem::malformed("the body ended early; send the file again");
    }
    Problem::malformed(format!("the body ended early ({fault}); send the file again"))
}
