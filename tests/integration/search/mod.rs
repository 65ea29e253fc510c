//! Records that go to a search engine after an import: the real Typesense, which is killed, empty or
//! choosy, and the outbox in between.

mod command;
mod disturbed;
mod refused;
mod synced;
mod two_servers;

use crate::support::*;
use serde_json::Value;

impl Server {
    /// Starts the server again, so that it passes its records on.
    pub(crate) fn restart_with_search(&mut self, typesense: &Typesense, more: Settings<'_>) {
        if self.is_running() {
            self.terminate();
        }
        let search = typesense.settings();
        let mut settings: Vec<(&str, &str)> =
            search.iter().map(|(name, value)| (*name, value.as_str())).collect();
        settings.extend_from_slice(more);
        self.restart_with(&settings);
    }

    /// Waits until all records of a job are passed on, and gives its status.
    pub(crate) async fn synced(&self, job: i64) -> Value {
        self.finished(job).await;
        let mut status;
        wait_until!(
            {
                status = self.status(job).await.ok().clone();
                status["sync"]["status"] == "completed"
            },
            "the records of job {job} are not passed on: {}",
            self.log()
        );
        status
    }

    /// Imports a file and waits until its records are passed on.
    pub(crate) async fn load_and_sync(&self, text: &str) -> Value {
        let job = self.import("products", Upload::csv(text).option("undo", "true")).await;
        self.synced(job).await
    }
}

/// So many products.
fn products(count: usize) -> String {
    let rows: String = (0..count).map(|n| format!("A-{n},Arnica {n},{}\n", n % 7)).collect();
    format!("SKU,Name,Qty\n{rows}")
}

/// The documents of products, as a line each.
async fn lines(typesense: &Typesense) -> Vec<String> {
    let documents = typesense.documents("products").await;
    documents.iter().map(|it| format!("{} {}", it["sku"], it["name"])).collect()
}
