//! Serves the web page: the shell at the addresses of the page, its files below `/page/`, and plain
//! text for clients that are no browsers.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY,
    CROSS_ORIGIN_RESOURCE_POLICY, ETAG, HeaderValue, LOCATION, REFERRER_POLICY, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};

use super::bulks::bulk_id;
use super::etag::{KnownTags, weak_tag};
use super::path_prefix;
use super::problem::Problem;
use super::status::job_id;
use crate::domain::error_code::ErrorCode;
use crate::domain::path_prefix::PathPrefix;
use crate::page::{self, PageFile};

/// No other hosts, no inline code, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      base-uri 'self'; frame-ancestors 'none'";

/// Cached but revalidated each time, so that a new program shows its own page at once.
const ASK_AGAIN: &str = "no-cache";

/// `GET /`: the page for browsers, plain text for other clients.
pub(super) async fn start(request: HttpRequest) -> HttpResponse {
    let mut response = if takes_html(&request) {
        shell(&request, page::SHELL)
    } else {
        HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body(first_steps(&path_prefix::of(&request)))
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    response
}

/// `GET /jobs/{id}`: the page of a job, whether there is such a job or not; the page says so.
pub(super) async fn job(
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    job_id(&id)?;
    Ok(shell(&request, page::job_shell()))
}

/// `GET /bulks/{id}`: the page of a bulk, whether there is such a bulk or not.
pub(super) async fn bulk(
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    bulk_id(&id)?;
    Ok(shell(&request, page::job_shell()))
}

/// `GET /new-dataset`: the page that makes datasets.
pub(super) async fn new_dataset(request: HttpRequest) -> HttpResponse {
    shell(&request, page::SHELL)
}

/// `GET /datasets/{name}`: the page of a dataset, whether there is such a dataset or not.
pub(super) async fn dataset(request: HttpRequest) -> HttpResponse {
    shell(&request, page::job_shell())
}

/// `GET /docs`: the page of the calls.
pub(super) async fn calls(request: HttpRequest) -> HttpResponse {
    shell(&request, page::CALLS)
}

/// `GET /page/{file}`.
pub(super) async fn file(
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let file = page::file(&name).ok_or_else(|| {
        let name = crate::domain::row_error::shown(&name);
        Problem::new(ErrorCode::NotFound, format!("the page has no file `{name}`"))
    })?;
    Ok(served(&request, file.media_type, file.bytes))
}

/// `GET /products/import-export-advanced`: the address of the import in an older program.
pub(super) async fn moved(request: HttpRequest) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, path_prefix::of(&request).to("/?dataset=products")))
        .finish()
}

fn shell(request: &HttpRequest, shell: PageFile) -> HttpResponse {
    served(request, shell.media_type, shell.bytes)
}

/// 200 with the file, or 304 when the client has it.
pub(super) fn served(
    request: &HttpRequest,
    media_type: &'static str,
    bytes: &'static [u8],
) -> HttpResponse {
    let tag = weak_tag(bytes);
    let is_known = KnownTags::of(request).contains(&tag);
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = HttpResponse::build(status);
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, ASK_AGAIN))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"));
    if is_known {
        return response.finish();
    }
    response.content_type(media_type).body(bytes)
}

fn first_steps(prefix: &PathPrefix) -> String {
    let api = prefix.to("/api/v1");
    format!(
        "This is Loadbay, a background import server.\n\n\
         Upload a file:   curl -F file=@products.csv http://HOST{api}/import/products\n\
         Watch the job:   curl http://HOST{api}/import/status/JOB\n\
         What can be imported, with templates:   curl http://HOST{api}/datasets\n\n\
         A browser sees a page here.\n"
    )
}

/// Browsers name HTML; other programs name nothing or take anything.
fn takes_html(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let media_type = range.split(';').next().unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case("text/html")
    })
}
