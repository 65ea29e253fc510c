//! Lets a request in, or not: by its key or session, the rule of its call, and whose job it is about.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::web;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::caller::remember;
use super::credentials::{self, Credentials};
use super::host_check;
use super::metered::{self, Metered};
use super::rules::{self, About, AccessRule};
use crate::access::AccessError;
use crate::domain::access::{Caller, Scope};
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::shown;
use crate::http::api::Api;
use crate::http::not_found;
use crate::http::problem::Problem;
use crate::http::upload;
use crate::jobs::JobsError;

/// Wraps every handler: only those come through who may.
pub(in crate::http) async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(api) = request.app_data::<web::Data<Api>>().cloned() else {
        return Ok(request.error_response(Problem::new(ErrorCode::Internal, "no server")));
    };
    match judge(&request, &api).await {
        Ok((caller, metered)) => {
            remember(&request, caller);
            // What it took is given back when the handler has ended.
            let mut response = next.call(request).await?.map_into_boxed_body();
            metered.mark(response.headers_mut());
            Ok(response)
        }
        Err(problem) => Ok(request.error_response(problem)),
    }
}

async fn judge(request: &ServiceRequest, api: &Api) -> Result<(Caller, Metered), Problem> {
    let free = |caller| Ok((caller, Metered::default()));
    if api.has_own_socket {
        return free(Caller::OwnUser);
    }
    api.access.refresh().await;
    host_check::check(request, api)?;
    // Preflights carry no key and are answered before any handler.
    if !api.access.needs_key() || *request.method() == Method::OPTIONS {
        return free(Caller::Anybody);
    }
    let Some(pattern) = request.match_pattern() else {
        return Err(not_found::nothing_at(request.request()));
    };
    let rule = rules::rule(request.method().as_str(), &pattern);
    if rule.is_some_and(|rule| rule.scope.is_none()) {
        return free(Caller::Anybody);
    }
    let caller = identify(request, api).await?;
    let Caller::Holder(key) = &caller else { return free(caller) };
    let left = metered::count(key, api)?;
    // A call without a rule is one that nobody thought of.
    let scope = rule.and_then(|rule| rule.scope).unwrap_or(Scope::Admin);
    if !caller.may(scope) {
        let detail = format!("this call needs a key with the scope `{scope}`");
        return Err(
            Problem::new(ErrorCode::Forbidden, detail).with_member("requiredScope", scope.as_str())
        );
    }
    if let Some(rule) = rule {
        check_about(rule, request.path(), &caller, api).await?;
    }
    let metered = metered::take(request, rule, left, key, api).await?;
    Ok((caller, metered))
}

/// Who shows which key.
async fn identify(request: &ServiceRequest, api: &Api) -> Result<Caller, Problem> {
    let from = upload::address(request.request());
    let found = match credentials::of(request.headers()) {
        Credentials::None => {
            let detail = "the request has no key; send `Authorization: Bearer` with a key that \
                          `loadbay keys create` made";
            return Err(refused(detail));
        }
        Credentials::Key(key) => api.access.holder(key, from),
        Credentials::Session(secret) => api.access.signed_in(secret, from).await,
    };
    found.map_err(|fault| match fault {
        AccessError::Store(fault) => JobsError::from(fault).into(),
        fault => refused(&fault.to_string()),
    })
}

/// 401, and how to do it right.
pub(super) fn refused(detail: &str) -> Problem {
    Problem::new(ErrorCode::KeyRequired, detail)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"loadbay\""))
}

/// Refuses what is not the caller's. A job of somebody else is answered as one that is not there.
async fn check_about(
    rule: &AccessRule,
    path: &str,
    caller: &Caller,
    api: &Api,
) -> Result<(), Problem> {
    let parameter = rules::parameter(rule.path, path);
    let parameter = parameter.map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    let parameter = parameter.unwrap_or_default();
    match rule.about {
        About::Nothing => Ok(()),
        About::Dataset => check_dataset(&parameter, caller),
        About::Fixed(dataset) => check_dataset(dataset, caller),
        About::Job => check_job(&parameter, caller, api).await,
        About::Bulk => check_bulk(&parameter, caller, api).await,
    }
}

fn check_dataset(name: &str, caller: &Caller) -> Result<(), Problem> {
    if caller.may_use(name) {
        return Ok(());
    }
    let detail = format!("the key is not for the dataset `{}`", shown(name));
    Err(Problem::new(ErrorCode::Forbidden, detail))
}

/// Older clients know a job by its UUID.
async fn check_job(id: &str, caller: &Caller, api: &Api) -> Result<(), Problem> {
    let Some(own) = caller.sees_only() else { return Ok(()) };
    let job = match (id.parse::<i64>(), Uuid::parse_str(id)) {
        (Ok(number), _) => Some(api.jobs.get(number).await?),
        (_, Ok(uuid)) => api.jobs.get_by_uuid(uuid).await?,
        // The handler says what is wrong with it.
        _ => return Ok(()),
    };
    match job {
        Some(job) if job.created_by.as_deref() != Some(own.as_str()) => {
            Err(JobsError::NotFound(job.id).into())
        }
        _ => Ok(()),
    }
}

async fn check_bulk(id: &str, caller: &Caller, api: &Api) -> Result<(), Problem> {
    let (Some(own), Ok(id)) = (caller.sees_only(), Uuid::parse_str(id)) else { return Ok(()) };
    let (bulk, _) = api.jobs.bulk(id).await?;
    if bulk.created_by.as_deref() == Some(own.as_str()) {
        return Ok(());
    }
    Err(JobsError::NoBulk(id).into())
}
