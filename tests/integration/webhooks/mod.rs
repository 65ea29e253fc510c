//! Messages about the ends of jobs: to a receiver that takes them, fails, hangs, leads elsewhere or is gone.

mod failing;
mod refused;
mod sealed;
mod sent;

use crate::far::web::{Asked, Reply, Web};
use crate::support::*;
use reqwest::Method;
use serde_json::{Value, json};

/// The local receiver may be asked, and nothing waits longer than a test does.
const OPEN: [(&str, &str); 4] = [
    ("LOADBAY_FETCH_NETWORKS", "127.0.0.1"),
    ("LOADBAY_FETCH_PORTS", "any"),
    ("LOADBAY_WEBHOOK_RETRIES", "100ms,100ms"),
    ("LOADBAY_WEBHOOK_TIMEOUT", "1s"),
];

impl Server {
    /// Registers a webhook.
    async fn register(&self, body: Value) -> Answer {
        self.send(self.request(Method::POST, "/api/v1/webhooks").json(&body)).await
    }

    /// The same, accepted: the address of the webhook, and its secret.
    async fn registered(&self, body: Value) -> (String, String) {
        let answer = self.register(body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = answer.data()["id"].as_str().unwrap();
        let address = format!("/api/v1/webhooks/{id}");
        assert_eq!(answer.header("location"), Some(address.as_str()));
        (address, answer.data()["secret"].as_str().unwrap().to_owned())
    }

    /// The messages to a webhook, newest first.
    async fn deliveries(&self, webhook: &str) -> Vec<Value> {
        let answer = self.get(&format!("{webhook}/deliveries")).await;
        answer.ok()["deliveries"].as_array().unwrap().clone()
    }

    /// Waits until the only message to a webhook stands so, and gives it.
    async fn message(&self, webhook: &str, status: &str) -> Value {
        let mut messages;
        wait_until!(
            {
                messages = self.deliveries(webhook).await;
                messages.first().is_some_and(|it| it["status"] == status)
            },
            "no message is {status}: {}",
            self.log()
        );
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }
}

/// The body of a message.
fn message(asked: &Asked) -> Value {
    serde_json::from_slice(&asked.body).unwrap()
}

/// The words of the messages that arrived, in their order.
fn types(web: &Web) -> Vec<String> {
    let words = web.asked().into_iter().map(|it| message(&it)["type"].as_str().unwrap().to_owned());
    let mut words: Vec<String> = words.collect();
    words.sort();
    words
}
