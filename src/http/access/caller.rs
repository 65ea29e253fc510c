//! Who sent a request that was let in, as the guard left it with the request.

use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest};

use crate::domain::access::Caller;

/// Leaves the caller with the request.
pub(super) fn remember(request: &ServiceRequest, caller: Caller) {
    request.extensions_mut().insert(caller);
}

/// Who sends a request that was let in.
pub(in crate::http) fn caller(request: &HttpRequest) -> Caller {
    request.extensions().get().cloned().unwrap_or(Caller::Anybody)
}
