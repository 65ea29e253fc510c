//! NOTIFY: other servers hear of a change once it is committed, and not before.

use std::time::Duration;

use loadbay::domain::error_code::ErrorCode;
use loadbay::store::{Deletion, End, Notifications, ReleaseReason};

use super::ground::{Ground, LEASE, claimant};
use crate::support::{Kind, wait_until};

/// The number of the next job that is heard of.
async fn next(heard: &mut Notifications) -> i64 {
    let next = tokio::time::timeout(Duration::from_mins(1), heard.next()).await;
    next.expect("something is heard").expect("the connection holds").expect("no interruption")
}

async fn listens(ground: &Ground) -> Notifications {
    ground.another_server().await.listen().await.expect("it listens").expect("others are heard")
}

#[tokio::test]
async fn sqlite_has_nobody_to_hear() {
    let ground = Ground::new(Kind::Sqlite).await;
    assert!(ground.store.listen().await.unwrap().is_none());
}

#[tokio::test]
async fn another_server_hears_of_every_change_that_it_may_have_to_act_on() {
    let ground = Ground::new(Kind::Postgres).await;
    let mut heard = listens(&ground).await;
    let job = ground.job().await;
    assert_eq!(next(&mut heard).await, job.id, "stored");
    let store = &ground.store;
    let claim = async || ground.claim(&claimant("one")).await.expect("it is due");
    let owned = claim().await;
    store.release(&owned, ReleaseReason::ServerStops).await.unwrap();
    assert_eq!(next(&mut heard).await, job.id, "given back");
    claim().await;
    store.pause(job.id).await.unwrap().unwrap();
    assert_eq!(next(&mut heard).await, job.id, "paused");
    store.resume(job.id).await.unwrap().unwrap();
    assert_eq!(next(&mut heard).await, job.id, "resumed");
    store.force(job.id, LEASE).await.unwrap().unwrap();
    assert_eq!(next(&mut heard).await, job.id, "forced");
    store.set_priority(job.id, 3).await.unwrap().unwrap();
    assert_eq!(next(&mut heard).await, job.id, "prioritised");
    let owned = claim().await;
    store.suspend(&owned, ErrorCode::StorageFull, "no room", LEASE).await.unwrap().unwrap();
    assert_eq!(next(&mut heard).await, job.id, "set aside");
    store.resume(job.id).await.unwrap().unwrap();
    assert_eq!(next(&mut heard).await, job.id, "resumed again");
    let owned = claim().await;
    store.finish(&owned, &End::Completed).await.unwrap().unwrap();
    assert_eq!(next(&mut heard).await, job.id, "ended");
    assert_eq!(store.delete(job.id).await.unwrap(), Deletion::Done);
    assert_eq!(next(&mut heard).await, job.id, "deleted");
    let other = ground.job().await;
    assert_eq!(next(&mut heard).await, other.id);
    store.cancel(other.id).await.unwrap().unwrap();
    assert_eq!(next(&mut heard).await, other.id, "cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_heard_of_a_change_that_is_not_committed() {
    use sqlx::Connection;

    let ground = Ground::new(Kind::Postgres).await;
    let job = ground.job().await;
    let address = ground.database.url().expect("an address").to_owned();
    let mut holder = sqlx::PgConnection::connect(&address).await.unwrap();
    let hold = format!("begin; select 1 from import_log where id = {} for update", job.id);
    sqlx::raw_sql(sqlx::AssertSqlSafe(hold)).execute(&mut holder).await.unwrap();

    let mut heard = listens(&ground).await;
    let (store, id) = (ground.store.clone(), job.id);
    let cancel = tokio::spawn(async move { store.cancel(id).await });
    // Jobs that are stored while the cancel waits for the row are heard of before it.
    let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' \
                 and datname = current_database()";
    wait_until!(ground.database.number(waits).await > 0, "the cancel does not wait for the row");
    let other = ground.job().await;
    assert_eq!(next(&mut heard).await, other.id);
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    cancel.await.unwrap().unwrap().expect("it is cancelled");
    assert_eq!(next(&mut heard).await, job.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_somebody_holds_locked_is_passed_over_and_not_waited_for() {
    use sqlx::Connection;

    let ground = Ground::new(Kind::Postgres).await;
    let mut jobs = Vec::new();
    for client in ["a", "a", "b"] {
        jobs.push(ground.job_of(client).await);
    }
    let address = ground.database.url().expect("an address").to_owned();
    let mut holder = sqlx::PgConnection::connect(&address).await.unwrap();
    let hold = format!(
        "begin; select 1 from import_log where id in ({}, {}) for update",
        jobs[0].id, jobs[2].id
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(hold)).execute(&mut holder).await.unwrap();
    assert_eq!(ground.claim(&claimant("one")).await.unwrap().id, jobs[1].id);
    assert!(ground.claim(&claimant("one")).await.is_none());
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    assert_eq!(ground.claim(&claimant("one")).await.unwrap().id, jobs[2].id);
    assert_eq!(ground.claim(&claimant("one")).await.unwrap().id, jobs[0].id);
}
