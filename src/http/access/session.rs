//! `/api/v1/session`: the page signs in with a key, asks whether it has to, and signs out.

use actix_web::http::header::{HeaderValue, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::credentials::{self, Credentials, SESSION_COOKIE};
use super::guard::refused;
use crate::access::{AccessError, SESSION_TIME};
use crate::domain::access::{Caller, Scope};
use crate::domain::error_code::ErrorCode;
use crate::http::api::Api;
use crate::http::envelope;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::upload;

/// Bytes of the body at most.
const BODY_BYTES_MAX: usize = 4 << 10;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct SignIn {
    key: String,
}

/// Who asks.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct SessionView {
    /// Requests need a key or a session.
    needs_key: bool,
    /// The caller has one.
    signed_in: bool,
    /// It is a session, which the caller can end.
    with_session: bool,
    name: Option<String>,
    scopes: Vec<&'static str>,
    datasets: Option<Vec<String>>,
}

impl SessionView {
    /// Of a caller without a session.
    fn of(caller: Option<&Caller>, needs_key: bool) -> Self {
        let may = |scope: &Scope| caller.is_some_and(|caller| caller.may(*scope));
        let key = match caller {
            Some(Caller::Holder(key)) => Some(key),
            _ => None,
        };
        Self {
            needs_key,
            signed_in: caller.is_some(),
            with_session: false,
            name: key.map(|key| key.name.clone()),
            scopes: Scope::ALL.iter().filter(|scope| may(scope)).map(|it| it.as_str()).collect(),
            datasets: key.and_then(|key| key.datasets.clone()),
        }
    }
}

/// `GET`: who the caller is.
pub(in crate::http) async fn show(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let needs_key = !api.has_own_socket && api.access.needs_key();
    if !needs_key {
        return envelope::ok(&SessionView::of(Some(&Caller::Anybody), false));
    }
    let from = upload::address(&request);
    let shown = credentials::of(request.headers());
    let caller = match shown {
        Credentials::None => None,
        Credentials::Key(key) => api.access.holder(key, from).ok(),
        Credentials::Session(secret) => match api.access.signed_in(secret, from).await {
            Err(AccessError::Store(fault)) => {
                return Err(crate::jobs::JobsError::from(fault).into());
            }
            found => found.ok(),
        },
    };
    let with_session = caller.is_some() && matches!(shown, Credentials::Session(_));
    envelope::ok(&SessionView { with_session, ..SessionView::of(caller.as_ref(), true) })
}

/// `POST`: signs in with a key.
pub(in crate::http) async fn sign_in(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let body = payload.to_bytes_limited(BODY_BYTES_MAX).await;
    let body = body.ok().and_then(Result::ok).unwrap_or_default();
    // The error of the parser would quote the body, and that is a key.
    let asked: SignIn = serde_json::from_slice(&body)
        .map_err(|_| Problem::malformed("the body is not of the form {\"key\": \"…\"}"))?;
    let signed_in = api.access.sign_in(&asked.key, upload::address(&request)).await;
    let (secret, caller) = signed_in.map_err(|fault| match fault {
        AccessError::UnknownKey => refused(&fault.to_string()),
        AccessError::Store(fault) => crate::jobs::JobsError::from(fault).into(),
        fault => Problem::because(ErrorCode::Internal, fault),
    })?;
    let view = SessionView { with_session: true, ..SessionView::of(Some(&caller), true) };
    let mut answer = envelope::ok(&view)?;
    set_cookie(&mut answer, &secret.reveal(), SESSION_TIME.as_secs())?;
    Ok(answer)
}

/// `DELETE`: signs out.
pub(in crate::http) async fn sign_out(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    if let Credentials::Session(secret) = credentials::of(request.headers()) {
        api.access.sign_out(secret).await.map_err(|fault| match fault {
            AccessError::Store(fault) => crate::jobs::JobsError::from(fault).into(),
            fault => Problem::because(ErrorCode::Internal, fault),
        })?;
    }
    let needs_key = api.access.needs_key();
    let mut answer = envelope::ok(&SessionView::of(None, needs_key))?;
    set_cookie(&mut answer, "", 0)?;
    Ok(answer)
}

/// No script reads the cookie, no other site sends it, and no connection in clear text carries it.
fn set_cookie(answer: &mut HttpResponse, value: &str, seconds: u64) -> Result<(), Problem> {
    let cookie = format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict"
    );
    let value = HeaderValue::from_str(&cookie)
        .map_err(|fault| Problem::because(ErrorCode::Internal, fault))?;
    answer.headers_mut().append(SET_COOKIE, value);
    Ok(())
}
