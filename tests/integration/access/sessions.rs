//! Sessions of the page.

use reqwest::Method;
use serde_json::json;

use super::{key, keys};
use crate::support::{Answer, Server, both, wait_until};

async fn sign_in(server: &Server, key: &str) -> Answer {
    let request = server.request(Method::POST, "/api/v1/session");
    server.send(request.json(&json!({"key": key}))).await
}

both!(a_browser_signs_in_with_a_key_and_out_again, |server| {
    let open = server.get("/api/v1/session").await;
    assert_eq!((&open.ok()["needsKey"], &open.ok()["signedIn"]), (&false.into(), &true.into()));
    let key = key(server, "clerk", &[]);
    server.until_keys_are_needed().await;
    let unknown = server.get("/api/v1/session").await;
    assert_eq!(
        (&unknown.ok()["needsKey"], &unknown.ok()["signedIn"]),
        (&true.into(), &false.into())
    );
    sign_in(server, "wrong").await.assert_problem(401, "key_required");

    let signed_in = sign_in(server, &key).await;
    assert_eq!(signed_in.ok()["name"], "clerk");
    let cookie = signed_in.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("__Host-loadbay="), "{cookie}");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(&key));
    let pair = cookie.split(';').next().unwrap().to_owned();
    let ask = |pair: String| {
        server.send(server.request(Method::GET, "/api/v1/import/jobs").header("cookie", pair))
    };
    assert_eq!(ask(pair.clone()).await.status, 200);
    let shown = server.request(Method::GET, "/api/v1/session").header("cookie", &pair);
    assert_eq!(server.send(shown).await.ok()["withSession"], true);
    let by_key = server.send(server.keyed(Method::GET, "/api/v1/session", &key)).await;
    assert_eq!(
        (&by_key.ok()["signedIn"], &by_key.ok()["withSession"]),
        (&true.into(), &false.into())
    );
    // A page of another origin cannot use the session of a visitor.
    let foreign = server.request(Method::POST, "/api/v1/import/products").header("cookie", &pair);
    let foreign = foreign.header("origin", "https://evil.example").body("SKU,Name\nA,B\n");
    server.send(foreign).await.assert_problem(403, "origin_not_allowed");

    let out = server.request(Method::DELETE, "/api/v1/session").header("cookie", &pair);
    assert!(server.send(out).await.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(ask(pair).await.status, 401);
});

both!(a_session_ends_with_its_key, |server| {
    let key = key(server, "clerk", &[]);
    server.until_keys_are_needed().await;
    let cookie = sign_in(server, &key).await.header("set-cookie").unwrap().to_owned();
    let pair = cookie.split(';').next().unwrap().to_owned();
    keys(server, &["revoke", "clerk"]);
    let path = "/api/v1/import/jobs";
    wait_until!(
        server.send(server.request(Method::GET, path).header("cookie", &pair)).await.status == 401,
        "the session has ended"
    );
});
