//! `docs/openapi.json`: what a server with the built-in datasets answers at `/openapi.json`. Whoever
//! changes the API sees the change in this file, and so does the one who reads the commit.

use std::path::Path;

use loadbay::dataset::{BuiltIn, Datasets};
use loadbay::http::openapi_document;

/// With this variable the file is written instead of compared.
const RENEW: &str = "LOADBAY_RENEW_OPENAPI";

/// The file is to be written.
#[expect(clippy::disallowed_methods, reason = "it is no setting of the server")]
fn is_to_be_renewed() -> bool {
    std::env::var_os(RENEW).is_some()
}

#[test]
fn the_kept_description_of_the_api_is_the_one_that_is_served() {
    let none: [(&str, &str); 0] = [];
    let datasets = Datasets::load(&BuiltIn::All, none).expect("the built-in datasets are right");
    let document = openapi_document(&datasets);
    let served = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    if is_to_be_renewed() {
        std::fs::write(&path, &served).expect("the file can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let is_other = |(kept, served): &(&str, &str)| kept != served;
    let other = kept.lines().zip(served.lines()).position(|lines| is_other(&lines));
    let line = other.unwrap_or_else(|| kept.lines().count().min(served.lines().count())) + 1;
    let at = |text: &str| text.lines().nth(line - 1).unwrap_or_default().to_owned();
    assert!(
        kept == served,
        "docs/openapi.json is not what /openapi.json answers, from line {line} on:\n\
         kept:   {}\nserved: {}\n\
         If the change of the API is meant, renew the file and look at the difference:\n  \
         LOADBAY_RENEW_OPENAPI=1 cargo test --workspace --test tidy openapi::",
        at(&kept),
        at(&served),
    );
}
