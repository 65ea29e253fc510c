//! A bucket that is reached by TLS, whose certificate an authority of one's own issued.

use crate::database_tls::Authority;
use crate::s3::S3;
use crate::support::*;

#[tokio::test]
async fn a_bucket_with_an_authority_of_its_own_is_trusted_when_that_is_named() {
    let authority = Authority::new();
    let s3 = S3::start_tls(authority.issue("localhost"));
    let certificate = authority.certificate();
    let named = [("AWS_CA_BUNDLE", certificate.to_str().expect("a path"))];
    let mut server = Server::start_with(Kind::Sqlite, &s3.settings(&named)).await;
    let job = server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    assert_eq!(job["counts"]["created"], 1);
    assert!(!s3.objects().is_empty());
    server.check_every_job().await;
    server.kill();

    // Nobody trusts the authority: the log says so.
    server.restart_with(&s3.settings(&[]));
    let refused = server.upload("products", Upload::csv("SKU,Name\nB,Bryonia\n")).await;
    refused.assert_problem(503, "storage_unavailable");
    wait_until!(server.log().contains("AWS_CA_BUNDLE"), "{}", server.log());
    server.kill();

    // The file is not there: no start.
    let missing = s3.settings(&[("AWS_CA_BUNDLE", "/nowhere/ca.pem")]);
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::create(Kind::Sqlite, &folder.path().join("data")).await;
    let mut server = Server::new(folder, std::sync::Arc::new(database), &missing);
    let _lines = server.spawn("127.0.0.1:0");
    wait_until!(server.ended().is_some(), "it starts: {}", server.log());
    let said = server.log();
    assert!(said.contains("AWS_CA_BUNDLE names `/nowhere/ca.pem`, which cannot be read"), "{said}");
}
