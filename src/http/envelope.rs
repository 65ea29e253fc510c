//! The JSON bodies of answers: `{"success": true, "message"?, "data"}` and a line break.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::json::json_line;
use super::problem::Problem;
use crate::domain::error_code::ErrorCode;

#[derive(Serialize)]
struct Envelope<'a, T> {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    data: &'a T,
}

/// The body of an answer.
pub(super) fn body<T: Serialize>(message: Option<&str>, data: &T) -> Result<Vec<u8>, Problem> {
    json_line(&Envelope { success: true, message, data })
        .map_err(|fault| Problem::because(ErrorCode::Internal, fault))
}

/// A 200 with `data`.
pub(super) fn ok<T: Serialize>(data: &T) -> Result<HttpResponse, Problem> {
    Ok(response(body(None, data)?))
}

/// A 200 with `data` and a sentence about it.
pub(super) fn ok_with<T: Serialize>(message: &str, data: &T) -> Result<HttpResponse, Problem> {
    Ok(response(body(Some(message), data)?))
}

fn response(body: Vec<u8>) -> HttpResponse {
    HttpResponse::build(StatusCode::OK).content_type("application/json").body(body)
}
