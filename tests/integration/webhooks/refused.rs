//! What is refused: addresses that only the server reaches, and requests that make no sense.

use super::*;

both!(no_message_goes_where_only_the_server_gets, |server| {
    for url in
        ["http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/x", "ftp://a.example/"]
    {
        let refused = server.register(json!({ "url": url })).await;
        assert_eq!(refused.json["code"], "url_not_allowed", "{}", refused.text());
    }
    // A name is looked at when it is resolved.
    server.terminate();
    let settings =
        [("FAILPOINTS", "fetch.resolve=return(10.0.0.1)"), ("LOADBAY_WEBHOOK_RETRIES", "100ms")];
    server.restart_with(&settings);
    let (webhook, _) = server.registered(json!({"url": "http://intern.example/"})).await;
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    let failed = server.message(&webhook, "failed").await;
    assert!(failed["error"].as_str().unwrap().contains("private"), "{failed}");
});

both!(a_request_that_makes_no_sense_is_refused, [OPEN[0], OPEN[1]], |server| {
    let url = "http://127.0.0.1:9/";
    for (body, status, code) in [
        (json!({}), 400, "malformed_request"),
        (json!({"url": url, "event": "job.failed"}), 400, "unknown_option"),
        (json!({"url": url, "events": ["job.done"]}), 400, "invalid_option"),
        (json!({"url": url, "secret": "whsec_short"}), 400, "invalid_option"),
        (json!({"url": url, "dataset": "shelves"}), 404, "unknown_dataset"),
    ] {
        server.register(body).await.assert_problem(status, code);
    }
    let nobody = "/api/v1/webhooks/00000000-0000-4000-8000-000000000000";
    for address in [nobody, "/api/v1/webhooks/x", &format!("{nobody}/deliveries")] {
        server.get(address).await.assert_problem(404, "webhook_not_found");
    }
    let (webhook, _) = server.registered(json!({ "url": url })).await;
    let again = server.request(Method::POST, &format!("{webhook}/deliveries/99/redeliver"));
    server.send(again).await.assert_problem(404, "delivery_not_found");
    for _ in 1..20 {
        server.registered(json!({ "url": url })).await;
    }
    server.register(json!({ "url": url })).await.assert_problem(422, "too_many_webhooks");
});
