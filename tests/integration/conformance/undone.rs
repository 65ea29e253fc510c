//! Jobs that are taken back: what is asked of their row at the same moment takes turns.

use loadbay::store::{ChildInserted, ChildKind, Deletion, End, Inserted};

use super::ground::{Ground, PLACE, claimant, new_job};

async fn ask(ground: &Ground, undone: i64) -> ChildInserted {
    let mut wish = new_job();
    wish.rollback_of = Some(undone);
    ground.store.insert_child(&wish, ChildKind::Rollback, undone, PLACE).await.unwrap()
}

on_both!(a_job_is_taken_back_as_it_stands_when_its_row_is_locked, |ground| {
    let job = ground.job_with(|new| new.options.undo = true).await;
    let owned = ground.claim(&claimant("one")).await.expect("there is a job");
    let mut writer = ground.writer(&owned).await;
    writer.commit(crate::conformance::ground::chunk(0, true)).await.unwrap();
    ground.store.finish(&owned, &End::Completed).await.unwrap().expect("it is ours");
    assert_eq!(ground.store.undo_rows(job.id).await.unwrap(), 1);

    // Its time came to its end after somebody looked whether it can be taken back.
    ground.set(&job, "files_removed_at = completed_at").await;
    assert!(matches!(ask(ground, job.id).await, ChildInserted::Refused(it) if it.id == job.id));
    ground.set(&job, "files_removed_at = null").await;
    let ChildInserted::Inserted(Inserted::New(rollback)) = ask(ground, job.id).await else {
        panic!("it can be taken back")
    };
    assert!(
        matches!(ask(ground, job.id).await, ChildInserted::Earlier(it) if it.id == rollback.id)
    );
    // Neither deleted nor cleared before that has ended.
    let deletion = ground.store.delete(job.id).await.unwrap();
    assert_eq!(deletion, Deletion::RolledBackBy(rollback.id));
    ground.set(&job, "files_removed_at = completed_at").await;
    assert!(!ground.store.clear_expired_journals().await.unwrap());
    assert_eq!(ground.store.undo_rows(job.id).await.unwrap(), 1);
    ground.store.cancel(rollback.id).await.unwrap().expect("it has not ended");
    assert_eq!(ground.store.delete(job.id).await.unwrap(), Deletion::Done);
    assert_eq!(ground.store.undo_rows(job.id).await.unwrap(), 0);
    assert!(matches!(ask(ground, job.id).await, ChildInserted::Gone));
});
