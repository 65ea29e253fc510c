//! What the owner of a job can do, and what one that lost it cannot.

use std::time::Duration;

use loadbay::domain::error_code::ErrorCode;
use loadbay::domain::event::lifecycle;
use loadbay::domain::job::Job;
use loadbay::domain::status::JobStatus;
use loadbay::store::{Claimant, End, ReleaseReason, StoreError};

use super::ground::{Ground, LEASE, chunk, claimant, with_limit};
use crate::support::Kind;

/// Everything that an owner does besides committing, done by one that lost the job: nothing of it
/// leaves a trace.
async fn can_do_nothing(ground: &Ground, lost: &Job) {
    let before = ground.tables(lost).await;
    let store = &ground.store;
    assert!(!store.renew(lost, &claimant("one")).await.unwrap());
    store.release(lost, ReleaseReason::ServerStops).await.unwrap();
    assert!(store.emit(lost, lifecycle::parsed).await.unwrap().is_none());
    assert!(store.set_total(lost, 7, 2, None).await.unwrap().is_none());
    assert!(store.suspend(lost, ErrorCode::StorageFull, "no room", LEASE).await.unwrap().is_none());
    let failed = End::Failed { code: ErrorCode::Internal, message: "no".to_owned() };
    for end in [End::Completed, failed] {
        assert!(store.finish(lost, &end).await.unwrap().is_none());
    }
    let poisoned = Job { attempts: 100, ..lost.clone() };
    assert!(store.fail_if_attempts_exhausted(&poisoned).await.unwrap().is_none());
    assert_eq!(ground.tables(lost).await, before);
}

on_both!(an_owner_whose_job_was_taken_over_can_do_nothing, |ground| {
    let lost = ground.owned_by("one").await;
    ground.let_lease_run_out(&lost).await;
    let owned = ground.claim(&claimant("two")).await.unwrap();
    can_do_nothing(ground, &lost).await;
    assert!(ground.store.renew(&owned, &claimant("two")).await.unwrap(), "its owner still can");
});

on_both!(an_owner_whose_job_was_cancelled_or_paused_can_do_nothing, |ground| {
    let lost = ground.owned_by("one").await;
    ground.store.pause(lost.id).await.unwrap().expect("it runs");
    can_do_nothing(ground, &lost).await;
    ground.store.resume(lost.id).await.unwrap().expect("it is paused");
    can_do_nothing(ground, &lost).await;
    ground.store.cancel(lost.id).await.unwrap().expect("it may be cancelled");
    can_do_nothing(ground, &lost).await;
});

on_both!(a_lease_that_ran_out_is_still_its_owners_until_another_takes_it, |ground| {
    let job = ground.owned_by("one").await;
    ground.let_lease_run_out(&job).await;
    assert!(ground.store.renew(&job, &claimant("one")).await.unwrap());
    assert!(ground.claim(&claimant("two")).await.is_none());
    ground.let_lease_run_out(&job).await;
    let ended = ground.store.finish(&job, &End::Completed).await.unwrap();
    assert_eq!(ended.expect("nobody took it").status, JobStatus::Completed);
});

on_both!(a_job_that_is_given_back_goes_on_at_once_and_the_attempt_does_not_count, |ground| {
    let job = ground.owned_by("one").await;
    ground.store.release(&job, ReleaseReason::ServerStops).await.unwrap();
    assert_eq!(ground.column(&job, "lease_owner").await, "NULL");
    assert_eq!(ground.now(&job).await.attempts, 0);
    // Asked again because the answer was lost, it is given back once.
    let given_back = ground.tables(&job).await;
    ground.store.release(&job, ReleaseReason::ServerStops).await.unwrap();
    assert_eq!(ground.tables(&job).await, given_back);
    // A renewal that the database answers late does not bind it.
    assert!(!ground.store.renew(&job, &claimant("one")).await.unwrap());
    let next = ground.claim(&claimant("two")).await.expect("nobody owns it");
    assert_eq!((next.id, next.attempts, next.lease_epoch), (job.id, 1, job.lease_epoch + 1));
});

on_both!(a_job_that_is_given_back_tells_why_and_a_broken_off_attempt_counts, |ground| {
    for (why, attempts, cause) in [
        (ReleaseReason::ServerStops, 0, "server_stopping"),
        (ReleaseReason::LeaseExpired, 0, "lease_lost"),
        (ReleaseReason::Crashed, 1, "crashed"),
    ] {
        let job = ground.owned_by("one").await;
        ground.store.release(&job, why).await.unwrap();
        let now = ground.now(&job).await;
        assert_eq!(now.attempts, attempts, "{why:?}");
        let events = ground.store.events_after(job.id, now.event_count - 1, 1).await.unwrap();
        let last = serde_json::to_string(&events[0].event).unwrap();
        assert!(last.contains(&format!("\"cause\":\"{cause}\"")), "{why:?}: {last}");
        ground.store.cancel(job.id).await.unwrap().expect("out of the way of the next one");
    }
});

on_both!(
    an_owner_whose_place_was_given_away_while_its_lease_had_run_out_waits_for_another,
    |ground| {
        let (one, two) = (with_limit("one", 1), with_limit("two", 1));
        let first = ground.owned_by("one").await;
        ground.let_lease_run_out(&first).await;
        // The other server does not reach its file, and takes the next one for the table.
        ground.set(&first, "source_server = 'of one'").await;
        let next = ground.job().await;
        assert_eq!(ground.claim(&two).await.expect("there is a place").id, next.id);
        let next = ground.now(&next).await;
        assert!(
            !ground.store.renew(&first, &one).await.unwrap(),
            "two jobs would write to one table"
        );
        ground.store.release(&first, ReleaseReason::LeaseExpired).await.unwrap();
        let one = Claimant { storage_locations: vec!["of one".to_owned()], ..one };
        assert!(ground.claim(&one).await.is_none(), "the place is taken");
        ground.store.finish(&next, &End::Completed).await.unwrap().expect("it is ours");
        let again = ground.claim(&one).await.expect("the place is free");
        assert_eq!((again.id, again.attempts), (first.id, 1));
    }
);

on_both!(a_chunk_needs_a_lease_that_runs_where_other_servers_are, |ground| {
    let job = ground.owned_by("one").await;
    let mut writer = ground.writer(&job).await;
    ground.let_lease_run_out(&job).await;
    let written = writer.commit(chunk(0, false)).await;
    // SQLite has one server: nobody else can have been given the place of the job.
    let is_refused = matches!(written, Err(StoreError::LostLease { .. }));
    assert_eq!(is_refused, ground.database.kind() == Kind::Postgres, "{written:?}");
    // Its place is still there: it goes on.
    assert!(ground.store.renew(&job, &with_limit("one", 1)).await.unwrap());
    assert_eq!(writer.commit(chunk(0, false)).await.unwrap().is_none(), !is_refused);
});

on_both!(attempts_count_when_a_job_is_claimed_until_it_is_given_up, |ground| {
    let mut job = ground.owned_by("one").await;
    for attempt in 2..=4 {
        assert!(ground.store.fail_if_attempts_exhausted(&job).await.unwrap().is_none());
        ground.let_lease_run_out(&job).await;
        job = ground.claim(&claimant("one")).await.unwrap();
        assert_eq!(job.attempts, attempt);
    }
    let ended =
        ground.store.fail_if_attempts_exhausted(&job).await.unwrap().expect("it is given up");
    assert_eq!(ended.status, JobStatus::Failed);
    assert_eq!(ended.error_code.as_deref(), Some("crashed_repeatedly"));
});

on_both!(a_commit_lets_the_attempts_count_anew, |ground| {
    let job = ground.owned_by("one").await;
    ground.set(&job, "attempts = 3").await;
    ground.writer(&job).await.commit(chunk(0, false)).await.unwrap();
    assert_eq!(ground.now(&job).await.attempts, 1);
});

on_both!(a_job_ends_once, |ground| {
    let job = ground.owned_by("one").await;
    let failed = End::Failed { code: ErrorCode::SourceChanged, message: "other".to_owned() };
    let ended = ground.store.finish(&job, &failed).await.unwrap().expect("it is ours");
    assert_eq!(ended.status, JobStatus::Failed);
    assert_eq!(ended.error_code.as_deref(), Some("source_changed"));
    assert!(ended.completed_at.is_some());
    can_do_nothing(ground, &job).await;
    // Not even with the epoch that its end left.
    can_do_nothing(ground, &ended).await;
    assert_eq!(ground.column(&job, "lease_owner").await, "NULL");
    assert!(ground.claim(&claimant("two")).await.is_none());
});

on_both!(a_server_that_lost_track_takes_up_what_is_its_own_and_not_known_to_it, |ground| {
    let (known, own) = (ground.owned_by("one").await, ground.owned_by("one").await);
    let other = ground.owned_by("two").await;
    let ended = ground.owned_by("one").await;
    ground.store.finish(&ended, &End::Completed).await.unwrap().expect("it is ours");
    let untouched = [ground.tables(&known).await, ground.tables(&ended).await];
    let one = Claimant { busy_with: vec![known.id], ..claimant("one") };
    assert!(ground.claim(&one).await.is_none(), "their leases run");
    let one = Claimant { has_unknown_claims: true, ..one };
    assert_eq!(ground.claim(&one).await.unwrap().id, own.id);
    // SQLite has one server: whoever owned a job there is gone.
    let is_gone = ground.database.kind() == Kind::Sqlite;
    assert_eq!(ground.column(&other, "lease_expires_at").await == "NULL", is_gone);
    assert_eq!([ground.tables(&known).await, ground.tables(&ended).await], untouched);
});

on_both!(a_job_of_a_claim_without_an_answer_keeps_no_place_from_others, |ground| {
    ground.owned_by("one").await;
    let waiting = ground.job().await;
    let by = with_limit("one", 1);
    assert!(ground.claim(&by).await.is_none());
    let lost = Claimant { has_unknown_claims: true, ..by.clone() };
    let taken = ground.claim(&lost).await.expect("its own job, once more");
    assert_eq!(taken.attempts, 2, "a start without an end counts");
    let both = Claimant { busy_with: vec![taken.id], ..lost };
    assert!(ground.claim(&both).await.is_none(), "{waiting:?} waits for the place");
});

on_both!(a_job_without_room_is_tried_again_when_its_time_has_come_and_not_before, |ground| {
    let job = ground.owned_by("one").await;
    let pause = Duration::from_mins(1);
    let paused = ground
        .store
        .suspend(&job, ErrorCode::StorageFull, "the disk is full", pause)
        .await
        .unwrap();
    let paused = paused.expect("it is ours");
    assert_eq!((paused.status, paused.attempts), (JobStatus::Paused, 0));
    assert_eq!(paused.error_code.as_deref(), Some("storage_full"));
    assert_eq!(paused.error_message.as_deref(), Some("the disk is full"));
    assert!(paused.resume_at.is_some());
    assert!(ground.claim(&claimant("one")).await.is_none(), "not before its time");
    ground.set(&job, "resume_at = '2020-01-01T00:00:00+00:00'").await;
    let again = ground.claim(&claimant("one")).await.expect("its time has come");
    assert_eq!((again.id, again.status), (job.id, JobStatus::Processing));
    assert_eq!((again.error_code, again.error_message, again.resume_at), (None, None, None));
});

on_both!(the_times_of_a_job_are_in_order_by_one_clock, |ground| {
    let job = ground.owned_by("one").await;
    ground.writer(&job).await.commit(chunk(0, false)).await.unwrap();
    let ended = ground.store.finish(&job, &End::Completed).await.unwrap().expect("it is ours");
    let (started, completed) = (ended.started_at.unwrap(), ended.completed_at.unwrap());
    assert!(ended.created_at <= started && started <= completed);
    let mut last = ended.created_at;
    for event in ground.store.events_after(job.id, 0, 100).await.unwrap() {
        assert!(event.at >= last, "event {} lies before the one before it", event.number);
        last = event.at;
    }
    assert!(last <= completed);
});
