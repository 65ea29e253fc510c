//! What a preview is refused for, with the words of an upload.

use super::preview;
use crate::support::{Kind, Server, Upload};
use crate::upload::forms::{GOOD, assert_nothing_left, assert_refused};

#[tokio::test]
async fn what_is_wrong_with_the_request_or_the_file_is_told_as_to_an_upload() {
    let server = Server::start_with(Kind::Sqlite, &[("LOADBAY_MAX_UPLOAD", "1MiB")]).await;
    let other = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    for (upload, code) in [
        (Upload::csv(GOOD).option("colour", "red"), "unknown_option"),
        (Upload::csv(GOOD).field("colour", "red"), "unknown_option"),
        (Upload::csv(GOOD).option("mode", "replace").raw(), "invalid_option"),
        (Upload::csv(""), "empty_file"),
        (Upload::csv("\n \n"), "empty_file"),
        (Upload::csv(&"x".repeat((1 << 20) + 1)), "too_large"),
        (Upload::csv(&"x".repeat((1 << 20) + 1)).raw(), "too_large"),
        (Upload::file("p.xlsx", GOOD), "format_mismatch"),
        (Upload::file("p.csv", "%PDF-1.7\n"), "unsupported_format"),
        (Upload::file("p.xlsx", "PK\u{3}\u{4}nothing"), "corrupt_workbook"),
        (Upload::csv("SKU,\"Name\nA,Arnica\n"), "unclosed_quote"),
        (Upload::csv(GOOD).option("headerRow", "7"), "no_header"),
        (Upload::csv(GOOD).header("content-digest", other).raw(), "digest_mismatch"),
        (Upload::csv(GOOD).header("content-encoding", "gzip").raw(), "unsupported_format"),
    ] {
        let shown = preview(&server, upload.clone()).await;
        let refused = server.upload("products", upload).await;
        shown.assert_problem(refused.status, code);
        assert_eq!(shown.json["detail"], refused.json["detail"]);
        assert_eq!(shown.json["errors"], refused.json["errors"]);
        assert_nothing_left(&server).await;
    }
}

#[tokio::test]
async fn an_unknown_dataset_is_refused_with_the_nearest() {
    let server = Server::start(Kind::Sqlite).await;
    let answer = server.upload("product/preview", Upload::csv(GOOD)).await;
    assert_refused(&answer, 404, "unknown_dataset", &["did you mean `products`?"]);
    assert_nothing_left(&server).await;
}
