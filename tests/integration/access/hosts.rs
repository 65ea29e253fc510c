//! The names that a server answers to.

use reqwest::Method;

use super::key;
use crate::support::{Server, both};

const LIMITS: &str = "/api/v1/limits";

impl Server {
    async fn called(&self, host: &str) -> u16 {
        self.send(self.request(Method::GET, LIMITS).header("host", host)).await.status
    }
}

both!(a_server_that_is_open_to_its_machine_answers_to_no_foreign_name, |server| {
    for host in ["localhost:8080", "LOCALHOST", "127.0.0.1", "[::1]:80", "shop.localhost:1"] {
        assert_eq!(server.called(host).await, 200, "{host}");
    }
    for (method, path) in [(Method::GET, "/"), (Method::GET, LIMITS), (Method::POST, "/api/v1/x")] {
        let request = server.request(method, path).header("host", "evil.example:8080");
        server.send(request).await.assert_problem(421, "host_not_allowed");
    }
    let probe = server.request(Method::GET, "/readyz").header("host", "balancer");
    assert_eq!(server.send(probe).await.status, 200);
    // Whoever shows a key is no page that lies about its name.
    key(server, "first", &[]);
    server.until_keys_are_needed().await;
    assert_eq!(server.called("imports.example").await, 401);
    server.database.execute("delete from access_keys").await;
});

both!(
    a_server_with_names_answers_to_these,
    [("LOADBAY_HOSTS", "Imports.example, imports")],
    |server| {
        for host in ["imports.example:443", "IMPORTS", "localhost", "10.1.2.3:80"] {
            assert_eq!(server.called(host).await, 200, "{host}");
        }
        assert_eq!(server.called("other.example").await, 421);
        key(server, "first", &[]);
        server.until_keys_are_needed().await;
        assert_eq!(server.called("other.example").await, 421);
        assert_eq!(server.called("imports").await, 401);
        server.database.execute("delete from access_keys").await;
    }
);
