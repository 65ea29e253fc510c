//! What a person may do with a job in which status, and what it does.

use std::time::Duration;

use loadbay::domain::action::Action;
use loadbay::domain::job::Job;
use loadbay::domain::status::JobStatus;
use loadbay::store::{Deletion, End};

use super::ground::{Ground, LEASE, claimant};

/// A job with this status.
async fn job_that_is(ground: &Ground, status: JobStatus) -> Job {
    if status == JobStatus::Pending {
        return ground.job().await;
    }
    let job = ground.owned_by("one").await;
    let store = &ground.store;
    let failed = || End::Failed {
        code: loadbay::domain::error_code::ErrorCode::Internal,
        message: "it fails".to_owned(),
    };
    match status {
        JobStatus::Pending | JobStatus::Processing => {}
        JobStatus::Paused => drop(store.pause(job.id).await.unwrap().unwrap()),
        JobStatus::Completed => drop(store.finish(&job, &End::Completed).await.unwrap().unwrap()),
        JobStatus::Failed => drop(store.finish(&job, &failed()).await.unwrap().unwrap()),
        JobStatus::Cancelled => drop(store.cancel(job.id).await.unwrap().unwrap()),
    }
    let now = ground.now(&job).await;
    assert_eq!(now.status, status);
    now
}

/// Whether the store does it.
async fn does(ground: &Ground, action: Action, job: &Job) -> bool {
    let store = &ground.store;
    match action {
        Action::Pause => store.pause(job.id).await.unwrap().is_some(),
        Action::Resume => store.resume(job.id).await.unwrap().is_some(),
        Action::Cancel => store.cancel(job.id).await.unwrap().is_some(),
        Action::Force => store.force(job.id, LEASE).await.unwrap().is_some(),
        Action::Delete => store.delete(job.id).await.unwrap() == Deletion::Done,
        Action::Retry | Action::Rollback | Action::Confirm => {
            panic!("these make a job of their own")
        }
    }
}

on_both!(every_action_is_taken_in_the_statuses_that_allow_it_and_in_no_other, |ground| {
    for status in JobStatus::ALL {
        for action in [Action::Pause, Action::Resume, Action::Cancel, Action::Force, Action::Delete]
        {
            let job = job_that_is(ground, status).await;
            let before = ground.tables(&job).await;
            let done = does(ground, action, &job).await;
            assert_eq!(done, action.is_legal_when(status), "{} of {status}", action.as_str());
            if !done {
                assert_eq!(ground.tables(&job).await, before, "{} of {status}", action.as_str());
            }
            // Out of the way of the next one.
            let end = format!("delete from import_log where id = {}", job.id);
            ground.database.execute(&end).await;
        }
    }
});

on_both!(the_priority_changes_until_a_job_has_ended, |ground| {
    for status in JobStatus::ALL {
        let job = job_that_is(ground, status).await;
        let changed = ground.store.set_priority(job.id, 7).await.unwrap();
        assert_eq!(changed.is_some(), !status.is_terminal(), "{status}");
        let expected = if status.is_terminal() { job.priority } else { 7 };
        let now = ground.now(&job).await;
        assert_eq!(
            (now.priority, now.status, now.lease_epoch),
            (expected, status, job.lease_epoch)
        );
        ground.database.execute(&format!("delete from import_log where id = {}", job.id)).await;
    }
});

on_both!(a_change_of_status_takes_the_job_from_its_owner, |ground| {
    for action in [Action::Pause, Action::Cancel] {
        let job = ground.owned_by("one").await;
        assert!(does(ground, action, &job).await);
        assert!(ground.now(&job).await.lease_epoch > job.lease_epoch, "{}", action.as_str());
        assert_eq!(ground.column(&job, "lease_owner").await, "NULL");
        assert!(ground.claim(&claimant("two")).await.is_none());
    }
});

on_both!(a_resumed_job_is_processing_at_once_and_the_next_claim_has_it, |ground| {
    let job = job_that_is(ground, JobStatus::Paused).await;
    ground.set(&job, "attempts = 3, resume_at = '2999-01-01T00:00:00+00:00'").await;
    let resumed = ground.store.resume(job.id).await.unwrap().expect("it is paused");
    assert_eq!((resumed.status, resumed.resume_at), (JobStatus::Processing, None));
    let next = ground.claim(&claimant("two")).await.expect("it has no owner");
    assert_eq!((next.id, next.attempts), (job.id, 1));
});

on_both!(a_job_that_moves_cannot_be_forced_and_one_that_is_stuck_can, |ground| {
    let force = async |job: &Job| ground.store.force(job.id, LEASE).await.unwrap();
    // Its lease runs and it moved a moment ago.
    let job = ground.owned_by("one").await;
    assert!(force(&job).await.is_none());
    // Its lease runs, but nothing moved for longer than two leases.
    ground.set(&job, "updated_at = '2020-01-01T00:00:00+00:00', attempts = 3").await;
    let forced = force(&job).await.expect("it is stuck");
    assert_eq!((forced.status, forced.lease_epoch), (JobStatus::Processing, job.lease_epoch + 1));
    assert!(!ground.store.renew(&job, &claimant("one")).await.unwrap(), "its owner has lost it");
    let next = ground.claim(&claimant("two")).await.expect("it goes next");
    // However often it was taken up before: a person looked at it.
    assert_eq!((next.id, next.attempts), (job.id, 1));
    // Its lease ran out.
    ground.let_lease_run_out(&next).await;
    assert!(force(&next).await.is_some());
});

on_both!(a_job_that_never_commits_is_forced_by_the_clock_of_the_database, |ground| {
    let job = ground.owned_by("one").await;
    let stuck = ground.store.force(job.id, Duration::ZERO).await.unwrap();
    assert!(stuck.is_some(), "twice no time has passed since it was claimed");
});

on_both!(a_deleted_job_leaves_nothing, |ground| {
    let job = ground.owned_by("one").await;
    let mut writer = ground.writer(&job).await;
    writer.commit(crate::conformance::ground::chunk(0, true)).await.unwrap();
    ground.store.finish(&job, &End::Completed).await.unwrap().expect("it is ours");
    assert_eq!(ground.store.delete(job.id).await.unwrap(), Deletion::Done);
    assert!(ground.store.get(job.id).await.unwrap().is_none());
    let tables = ground.tables(&job).await;
    let (products, of_job) = tables.split_last().expect("tables");
    assert!(of_job.iter().all(Vec::is_empty), "{of_job:?}");
    assert_eq!(products.len(), 1, "imported rows stay");
    let again = ground.store.delete(job.id).await.unwrap();
    assert_eq!(again, Deletion::NotNow, "there is nothing left to delete");
});
