//! A chunk is in the tables once, with everything that belongs to it, or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use loadbay::domain::status::JobStatus;
use loadbay::store::StoreError;

use super::ground::{Ground, chunk, chunk_of_three, claimant};
use crate::support::Kind;

on_both!(a_chunk_brings_its_rows_counts_errors_events_and_proof, |ground| {
    let job = ground.owned_by("one").await;
    let committed = ground.writer(&job).await.commit(chunk(0, true)).await.unwrap();
    let now = ground.now(&job).await;
    // What the commit answers is what the table holds.
    assert_eq!(committed.as_ref(), Some(&now));
    assert_eq!((now.counts.created, now.counts.failed), (1, 1));
    assert!(now.event_count > job.event_count);
    assert!(now.updated_at > job.updated_at);
    let database = &ground.database;
    assert_eq!(database.value("select sku from products").await, "SKU 2");
    for table in ["import_chunks", "import_errors", "import_error_groups"] {
        assert_eq!(database.number(&format!("select count(*) from {table}")).await, 1, "{table}");
    }
    let numbers = "select max(number) from import_events";
    assert_eq!(database.number(numbers).await, now.event_count);
    assert_eq!(ground.store.rows_in_chunks(&job).await.unwrap(), 2);
});

on_both!(a_chunk_and_its_events_bear_the_same_time, |ground| {
    let job = ground.owned_by("one").await;
    ground.writer(&job).await.commit(chunk(0, true)).await.unwrap();
    // On PostgreSQL the database's: clocks of servers may differ.
    let same = "select count(*) from import_chunks c join import_events e \
                on e.import_log_id = c.import_log_id and e.created_at = c.committed_at \
                where e.kind = 'progress'";
    assert_eq!(ground.database.number(same).await, 1);
});

on_both!(a_chunk_that_is_committed_twice_counts_once, |ground| {
    let job = ground.owned_by("one").await;
    let mut writer = ground.writer(&job).await;
    writer.commit(chunk(0, true)).await.unwrap();
    let before = ground.tables(&job).await;
    // By the same writer, and by one that knows nothing of the first commit.
    for mut writer in [writer, ground.writer(&job).await] {
        let again = writer.commit(chunk(0, true)).await.unwrap();
        assert_eq!(again, None);
        assert_eq!(ground.tables(&job).await, before);
    }
});

on_both!(an_owner_that_lost_the_job_commits_nothing, |ground| {
    let lost = ground.owned_by("one").await;
    let mut writer = ground.writer(&lost).await;
    writer.commit(chunk(0, true)).await.unwrap();
    ground.let_lease_run_out(&lost).await;
    let owned = ground.claim(&claimant("two")).await.unwrap();
    let before = ground.tables(&lost).await;
    let refused = writer.commit(chunk(1, true)).await;
    assert!(matches!(refused, Err(StoreError::LostLease { job }) if job == lost.id));
    assert_eq!(ground.tables(&lost).await, before);
    // The new owner commits the same chunk.
    let committed = ground.writer(&owned).await.commit(chunk(1, true)).await.unwrap();
    assert!(committed.is_some());
    assert_eq!(ground.now(&owned).await.counts.processed(), 4);
});

on_both!(after_a_cancel_or_a_pause_nothing_is_committed, |ground| {
    for cancels in [false, true] {
        let job = ground.owned_by("one").await;
        let mut writer = ground.writer(&job).await;
        let store = &ground.store;
        let steered = if cancels { store.cancel(job.id).await } else { store.pause(job.id).await };
        steered.unwrap().expect("it runs");
        let before = ground.tables(&job).await;
        let refused = writer.commit(chunk(0, true)).await;
        assert!(matches!(refused, Err(StoreError::LostLease { .. })));
        assert_eq!(ground.tables(&job).await, before);
    }
});

on_both!(a_paused_job_keeps_its_checkpoint, |ground| {
    let job = ground.owned_by("one").await;
    ground.writer(&job).await.commit(chunk(0, false)).await.unwrap();
    ground.store.pause(job.id).await.unwrap().expect("it runs");
    ground.store.resume(job.id).await.unwrap().expect("it is paused");
    let resumed = ground.claim(&claimant("two")).await.unwrap();
    assert_eq!(resumed.counts.created, 2);
    let chunks = ground.store.committed_chunks(job.id).await.unwrap();
    assert_eq!(chunks.len(), 1);
    assert_eq!((chunks[0].number, chunks[0].last_row.get()), (0, 3));
});

on_both!(a_chunk_whose_failed_rows_cannot_be_kept_is_not_committed, |ground| {
    let job = ground.owned_by("one").await;
    let is_full = Arc::new(AtomicBool::new(true));
    let mut writer = ground.writer_with_disk(&job, Arc::clone(&is_full)).await;
    let before = ground.tables(&job).await;
    let refused = writer.commit(chunk(0, true)).await.unwrap_err();
    assert!(refused.is_storage_full(), "{refused}");
    assert_eq!(ground.tables(&job).await, before);
    // With room the same writer commits the same chunk.
    is_full.store(false, Ordering::Relaxed);
    writer.commit(chunk(0, true)).await.unwrap();
    assert_eq!(ground.now(&job).await.counts.processed(), 2);
});

on_both!(chunks_of_two_owners_at_once_never_both_count, |ground| {
    let lost = ground.owned_by("one").await;
    ground.let_lease_run_out(&lost).await;
    let owned = ground.claim(&claimant("two")).await.unwrap();
    let (mut old, mut new) = (ground.writer(&lost).await, ground.writer(&owned).await);
    for number in 0..10 {
        let (refused, written) =
            tokio::join!(old.commit(chunk(number, true)), new.commit(chunk(number, true)));
        assert!(matches!(refused, Err(StoreError::LostLease { .. })) || refused.unwrap().is_none());
        assert!(written.unwrap().is_some());
    }
    let now = ground.now(&owned).await;
    assert_eq!((now.status, now.counts.processed()), (JobStatus::Processing, 20));
    assert_eq!((now.counts.created, now.counts.failed), (10, 10));
    assert_eq!(ground.store.rows_in_chunks(&lost).await.unwrap(), 20);
});

on_both!(a_chunk_that_is_tried_again_while_its_first_commit_is_on_its_way_counts_once, |ground| {
    let job = ground.owned_by("one").await;
    let mut writers = [ground.writer(&job).await, ground.writer(&job).await];
    for number in 0..10 {
        let [one, two] = &mut writers;
        let (one, two) =
            tokio::join!(one.commit(chunk_of_three(number)), two.commit(chunk_of_three(number)));
        assert!(one.unwrap().is_none() != two.unwrap().is_none(), "chunk {number}");
    }
    let now = ground.now(&job).await;
    let counts = now.counts;
    assert_eq!((counts.created, counts.superseded, counts.failed), (10, 10, 10));
    assert_eq!(ground.store.rows_in_chunks(&job).await.unwrap(), 30);
    assert_eq!(ground.store.stored_row_outcomes(job.id).await.unwrap(), (10, 10));
});

#[tokio::test]
async fn a_chunk_that_meets_a_server_which_takes_no_changes_may_be_tried_again() {
    let ground = Ground::new(Kind::Postgres).await;
    let job = ground.owned_by("one").await;
    let mut writer = ground.writer(&job).await;
    // As after a fail-over: the connections are cut, and new ones lead to the standby.
    let sessions = async |setting: &str| {
        let alter = format!(
            "begin read write; do $$ begin execute format('alter database %I {setting}', \
             current_database()); end $$; commit; \
             select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and application_name = 'loadbay'"
        );
        ground.database.execute(&alter).await;
    };
    sessions("set default_transaction_read_only = on").await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        let refused = writer.commit(chunk(0, false)).await.unwrap_err();
        assert!(refused.is_transient(), "{refused:?}");
        answers.push(format!("{refused:?}"));
    }
    assert!(answers[1].contains("read-only"), "{answers:?}");
    sessions("reset default_transaction_read_only").await;
    assert!(writer.commit(chunk(0, false)).await.unwrap().is_some());
}
