//! Files of the bucket of the server, and of no other.

use super::products;
use crate::s3::S3;
use crate::support::*;
use serde_json::json;

async fn a_file_comes_from_the_bucket(kind: Kind) {
    let s3 = S3::start();
    let settings: Vec<(String, String)> =
        s3.settings(&[]).into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let settings: Vec<_> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut server = Server::start_with(kind, &settings).await;
    std::fs::create_dir(s3.bucket().join("in")).unwrap();
    std::fs::write(s3.bucket().join("in/new list.csv"), products(3_000)).unwrap();

    let body = json!({"url": "s3://files/in/new%20list.csv", "onlyIfChanged": true});
    let first = server.finished(server.far_job(body.clone()).await).await;
    assert_eq!(
        (&first["counts"]["created"], &first["fileName"]),
        (&json!(3_000), &json!("new list.csv"))
    );
    let again = server.finished(server.far_job(body).await).await;
    assert_eq!(again["download"]["unchangedSince"], first["jobId"], "{again}");

    let missing = server.far_job(json!({"url": "s3://files/in/none.csv"})).await;
    let missing = server.finished(missing).await;
    assert_eq!(missing["errorCode"], "fetch_failed", "{missing}");
    let own =
        s3.objects().into_iter().find(|name| name.ends_with("/source")).expect("a stored file");
    for url in [
        format!("s3://files/{own}"),
        "s3://files/of/loadbay/database-id".to_owned(),
        "s3://others/in/new%20list.csv".to_owned(),
        "s3://files/in/../of/loadbay/database-id".to_owned(),
        "s3://files".to_owned(),
    ] {
        server.far(json!({"url": url})).await.assert_problem(422, "url_not_allowed");
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn a_file_comes_from_the_bucket_on_sqlite() {
    a_file_comes_from_the_bucket(Kind::Sqlite).await;
}

#[tokio::test]
async fn a_file_comes_from_the_bucket_on_postgres() {
    a_file_comes_from_the_bucket(Kind::Postgres).await;
}
