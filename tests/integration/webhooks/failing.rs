//! Receivers that do not take a message: it is tried again, and an import never waits for it.

use super::*;

both!(a_message_is_tried_again, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let web = Web::start(|number, _| match number {
        0 => Reply::status(500),
        1 => Reply::to("http://127.0.0.1:9/elsewhere"),
        _ => Reply::status(200),
    });
    let (webhook, _) = server.registered(json!({"url": web.url("/")})).await;
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    let sent = server.message(&webhook, "delivered").await;
    assert_eq!((&sent["attempts"], &sent["error"]), (&json!(3), &Value::Null));
    let ids: Vec<_> =
        web.asked().iter().map(|it| it.header("webhook-id").unwrap().to_owned()).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let bodies: Vec<_> = web.asked().iter().map(|it| it.body.clone()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
});

both!(a_message_that_nobody_takes_is_given_up, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    // It takes the request and says nothing.
    let web = Web::start(|_, _| {
        loop {
            std::thread::park();
        }
    });
    let (webhook, _) = server.registered(json!({"url": web.url("/")})).await;
    let status = server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    assert_eq!(status["status"], "completed");
    let given_up = server.message(&webhook, "failed").await;
    assert_eq!(given_up["attempts"], 3);
    assert!(given_up["completedAt"].is_string());
    drop(web);
    // Nobody listens there any more.
    let again = format!("{webhook}/deliveries/{}/redeliver", given_up["id"]);
    let pending = server.send(server.request(Method::POST, &again)).await;
    assert_eq!(
        (&pending.ok()["status"], &pending.data()["attempts"]),
        (&json!("pending"), &json!(0))
    );
    let given_up = server.message(&webhook, "failed").await;
    assert_eq!((&given_up["attempts"], &given_up["responseStatus"]), (&json!(3), &Value::Null));
    assert!(server.log().contains("webhook_failed"));
});

both!(a_receiver_that_is_gone_is_asked_no_more, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let web = Web::start(|number, _| Reply::status(if number == 0 { 410 } else { 200 }));
    let (webhook, _) = server.registered(json!({"url": web.url("/")})).await;
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    let gone = server.message(&webhook, "failed").await;
    assert_eq!((&gone["attempts"], &gone["responseStatus"]), (&json!(1), &json!(410)));
    let shown = server.get(&webhook).await;
    assert_eq!(shown.ok()["enabled"], false);
    assert!(shown.data()["disabledReason"].as_str().unwrap().contains("410"));
    server.load("products", Upload::csv("SKU,Name\nB,Bella\n")).await;
    assert_eq!(server.rows("select count(*) from import_outbox").await.concat(), ["0"]);
    let enabled = server.send(server.request(Method::POST, &format!("{webhook}/enable"))).await;
    assert_eq!(
        (&enabled.ok()["enabled"], &enabled.data()["disabledReason"]),
        (&json!(true), &Value::Null)
    );
    server.load("products", Upload::csv("SKU,Name\nC,Cal\n")).await;
    wait_until!(web.asked().len() == 2, "no message comes: {}", server.log());
    assert_eq!(server.deliveries(&webhook).await.len(), 2);
});
