//! Two servers, each with a folder of its own: the journal lies in the database, so either can take
//! back what the other imported, and go on with a rollback that the other began.

use super::tables::*;
use crate::support::*;
use crate::survival::{before, file, reaches};

#[tokio::test]
async fn another_server_takes_back_what_one_that_is_gone_imported() {
    let [mut one, mut two] = Server::start_two(&[SLOW, ("LOADBAY_CHUNK_ROWS", "10")]).await;
    one.load("products", Upload::csv(&before())).await;
    let rows = products(&one).await;
    let job = load(&one, &file()).await;
    one.terminate();
    let status = take_back(&two, job).await;
    assert_eq!(status["counts"]["failed"], 0, "{status}");
    assert!(products(&two).await == rows, "the products differ from those before the import");
    assert!(two.is_running());
    one.restart();
}

#[tokio::test]
async fn a_rollback_goes_on_on_another_server_with_the_whole_list_of_what_is_kept() {
    let [mut one, mut two] = Server::start_two(&[SLOW, ("LOADBAY_CHUNK_ROWS", "10")]).await;
    let job = load(&one, &file()).await;
    one.database.execute("update products set uom = 'x' where sku like '%4'").await;
    two.kill();
    let rollback = ask(&one, job).await;
    reaches(&one, rollback, 0, 300).await;
    one.kill();
    // As after the lease of the killed server.
    let void = "update import_log set lease_expires_at = now() - interval '1 hour' \
                where import_status = 'PROCESSING'";
    two.database.execute(void).await;
    two.restart();
    let status = two.finished(rollback).await;
    assert_eq!(status["status"], "completed", "{status}");
    let kept = two.database.number("select count(*) from products").await;
    assert_eq!(status["counts"]["failed"], kept, "{status}");
    // Also those that the other one had listed in its own folder.
    check_guarantees(&two, rollback).await;
}
