//! Keys over the network: jobs of others, datasets, the cookie of older frontends, revoked keys.

use reqwest::Method;
use serde_json::json;

use super::{key, keys};
use crate::support::{Server, Upload, both, wait_until};

const CSV: &str = "SKU,Name\nA-1,Arnica\n";

impl Server {
    /// Waits until a server that runs has seen that there are keys.
    pub(super) async fn until_keys_are_needed(&self) {
        wait_until!(self.get("/api/v1/limits").await.status == 401, "keys are needed");
    }

    /// How many jobs a key sees.
    async fn listed(&self, key: &str) -> usize {
        let list = self.send(self.keyed(Method::GET, "/api/v1/import/jobs", key)).await;
        list.ok()["jobs"].as_array().unwrap().len()
    }

    async fn limits_with(&self, key: &str) -> u16 {
        self.status_with(Method::GET, "/api/v1/limits", key).await
    }

    /// Removes all keys, so that the guarantees can be checked without one.
    pub(super) async fn forget_keys(&self) {
        self.database.execute("delete from access_keys").await;
        wait_until!(self.get("/api/v1/limits").await.status == 200, "no key is needed");
    }

    async fn import_with(&self, key: &str) -> i64 {
        let bearer = format!("Bearer {key}");
        self.import("products", Upload::csv(CSV).header("authorization", &bearer)).await
    }
}

both!(without_keys_everything_is_as_before_whatever_is_sent, |server| {
    for (name, value) in [("authorization", "Bearer anything"), ("cookie", "token=anything")] {
        let job = server.import("products", Upload::csv(CSV).header(name, value)).await;
        let path = format!("/api/v1/import/status/{job}");
        assert_eq!(
            server.send(server.request(Method::GET, &path).header(name, value)).await.status,
            200
        );
        server.finished(job).await;
    }
});

both!(a_job_is_seen_by_its_key_and_by_administrators, |server| {
    let [mine, other] = ["mine", "other"].map(|name| key(server, name, &[]));
    let admin = key(server, "boss", &["--scope", "admin"]);
    server.until_keys_are_needed().await;
    let job = server.import_with(&mine).await;
    let path = format!("/api/v1/import/status/{job}?wait=60");
    let status = server.send(server.keyed(Method::GET, &path, &mine)).await;
    assert_eq!(status.ok()["createdBy"], "key:mine");
    assert_eq!(server.status_with(Method::GET, &path, &admin).await, 200);

    let paths = ["errors", "errors.csv", "events", "superseded", "unprocessed.csv"];
    let paths = paths.map(|last| format!("/api/v1/import/jobs/{job}/{last}"));
    for path in paths.iter().chain([&path]) {
        let theirs = server.send(server.keyed(Method::GET, path, &other)).await;
        theirs.assert_problem(404, "job_not_found");
    }
    let nobody =
        server.send(server.keyed(Method::GET, "/api/v1/import/status/999999", &other)).await;
    let theirs = server.send(server.keyed(Method::GET, &path, &other)).await;
    assert_eq!(
        theirs.json["detail"].as_str().unwrap().replace(&job.to_string(), "N"),
        nobody.json["detail"].as_str().unwrap().replace("999999", "N")
    );
    for action in ["cancel", "retry", "rollback"] {
        let path = format!("/api/v1/import/jobs/{job}/{action}");
        assert_eq!(server.status_with(Method::POST, &path, &other).await, 404, "{action}");
    }
    assert_eq!(
        (server.listed(&mine).await, server.listed(&other).await, server.listed(&admin).await),
        (1, 0, 1)
    );
    let older = server.send(server.keyed(Method::GET, "/api/jobs", &mine)).await;
    assert_eq!(older.json.as_array().unwrap().len(), 1);
    server.forget_keys().await;
});

both!(a_key_for_a_dataset_opens_no_other, |server| {
    let key = key(server, "dealer", &["--dataset", "dealers"]);
    server.until_keys_are_needed().await;
    let bearer = format!("Bearer {key}");
    let refused =
        server.upload("products", Upload::csv(CSV).header("authorization", &bearer)).await;
    refused.assert_problem(403, "forbidden");
    let coded = server.keyed(Method::POST, "/api/v1/import/prod%75cts", &key).body(CSV);
    server.send(coded).await.assert_problem(403, "forbidden");
    assert_eq!(server.status_with(Method::GET, "/api/v1/datasets/dealers", &key).await, 200);
    assert_eq!(server.status_with(Method::GET, "/api/v1/datasets/products", &key).await, 403);
    let lacks = server.send(server.keyed(Method::GET, "/api/v1/webhooks", &key)).await;
    lacks.assert_problem(403, "forbidden");
    assert_eq!(lacks.json["requiredScope"], "admin");
});

both!(older_frontends_send_their_key_in_a_cookie, |server| {
    let key = key(server, "frontend", &[]);
    server.until_keys_are_needed().await;
    let cookie = format!("other=1; token={key}");
    let upload = Upload::csv(CSV).header("cookie", &cookie);
    let job = server.import("products", upload).await;
    let path = format!("/api/v1/import/status/{job}?wait=60");
    let status = server.send(server.request(Method::GET, &path).header("cookie", &cookie)).await;
    assert_eq!(status.ok()["createdBy"], "key:frontend");
    server.forget_keys().await;
});

both!(the_key_of_an_idempotent_upload_is_that_of_its_client, |server| {
    let [mine, other] = ["mine", "other"].map(|name| key(server, name, &[]));
    server.until_keys_are_needed().await;
    let upload = |key: &str| {
        let upload = Upload::csv(CSV).header("idempotency-key", "tonight");
        server.upload("products", upload.header("authorization", &format!("Bearer {key}")))
    };
    let first = upload(&mine).await.data()["jobId"].clone();
    assert_eq!(upload(&mine).await.data()["jobId"], first);
    assert_ne!(upload(&other).await.data()["jobId"], first);
    server.forget_keys().await;
    for job in [1, 2] {
        server.finished(job).await;
    }
});

both!(a_revoked_and_a_rotated_key_open_nothing, |server| {
    let first = key(server, "k", &[]);
    server.until_keys_are_needed().await;
    assert_eq!(server.limits_with(&first).await, 200);
    let second = keys(server, &["rotate", "k"])["key"].as_str().unwrap().to_owned();
    wait_until!(server.limits_with(&first).await == 401, "the old secret opens nothing");
    assert_eq!(server.limits_with(&second).await, 200);
    keys(server, &["revoke", "k"]);
    wait_until!(server.limits_with(&second).await == 401, "a revoked key opens nothing");
    // No key is left, and the server is not open again.
    assert_eq!(server.get("/api/v1/limits").await.status, 401);
    let listed = keys(server, &["list"]);
    assert_eq!(listed[0]["state"], json!("revoked"));
    wait_until!(keys(server, &["list"])[0]["lastUsedAt"].is_string(), "the use was noted");
});
