//! Two servers on one database: one of them passes the records of a dataset on.

use super::*;

#[tokio::test]
async fn two_servers_pass_each_record_on_once() {
    let typesense = Typesense::start().await;
    let mut servers = Server::start_two(&[]).await;
    for server in &mut servers {
        server.restart_with_search(&typesense, &[]);
    }
    let mut jobs = Vec::new();
    for round in 0..6 {
        let text: String = (0..50).map(|n| format!("{round}-{n},Arnica\n")).collect();
        let server = &servers[round % 2];
        jobs.push(server.import("products", Upload::csv(&format!("SKU,Name\n{text}"))).await);
    }
    for job in jobs {
        // Either server knows it.
        for server in &servers {
            let status = server.synced(job).await;
            assert_eq!(status["sync"]["upserted"], 50, "{}", status["sync"]);
        }
    }
    assert_eq!(typesense.count("products").await, 300);
    assert_eq!(typesense.collections().await.len(), 1);
    let [mut one, mut two] = servers;
    one.check_every_job().await;
    two.check_every_job().await;
}
