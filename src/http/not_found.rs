//! What is said at an address where there is nothing: often a slash too many, or a path that a proxy
//! shows the server below.

use actix_web::HttpRequest;

use super::path_prefix;
use super::problem::Problem;
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::shown;

/// What addresses of the API begin with.
const API: &str = "/api/";

/// The refusal, with the address that was meant if one can be guessed.
pub(super) fn nothing_at(request: &HttpRequest) -> Problem {
    let (path, prefix) = (request.path(), path_prefix::of(request));
    let nothing = format!("there is nothing at `{}`", shown(&prefix.to(path)));
    let exists = |path: &str| request.resource_map().has_resource(path);
    let single = without_spare_slashes(path);
    if single != path && exists(&single) {
        let meant = prefix.to(&single);
        let fault =
            if path.contains("//") { "has two slashes in a row" } else { "ends with a slash" };
        let detail = format!("{nothing}: the address {fault}; write it as `{}`", shown(&meant));
        return Problem::new(ErrorCode::NotFound, detail).with_member("address", meant);
    }
    match single.find(API).and_then(|start| single.split_at_checked(start)) {
        Some((below, address)) if !below.is_empty() && exists(address) => {
            let below = shown(below);
            let detail = format!(
                "{nothing}; if a proxy shows this server below `{below}`, set \
                 LOADBAY_PATH_PREFIX={below}"
            );
            Problem::new(ErrorCode::NotFound, detail)
        }
        _ => Problem::new(ErrorCode::NotFound, nothing),
    }
}

/// `//api/v1//datasets/` is `/api/v1/datasets`.
fn without_spare_slashes(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    let path: String = parts.flat_map(|part| ["/", part]).collect();
    if path.is_empty() { "/".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spare_slashes_are_left_out() {
        for (path, single) in [
            ("/api/v1/import/jobs/", "/api/v1/import/jobs"),
            ("//api/v1//datasets/", "/api/v1/datasets"),
            ("//", "/"),
            ("/", "/"),
            ("/jobs/1", "/jobs/1"),
        ] {
            assert_eq!(without_spare_slashes(path), single);
        }
    }
}
