//! Which job goes next.

use super::ground::{Ground, claimant, with_limit};

/// The jobs in the order in which they are claimed.
async fn claimed(ground: &Ground) -> Vec<i64> {
    let mut order = Vec::new();
    while let Some(job) = ground.claim(&claimant("one")).await {
        order.push(job.id);
    }
    order
}

on_both!(the_highest_priority_goes_first_then_the_oldest, |ground| {
    let mut jobs = Vec::new();
    for priority in [0, 5, -3, 5, 0] {
        let job = ground.job_with(|new| new.options.priority = priority).await;
        jobs.push(job.id);
    }
    let expected = [1, 3, 0, 4, 2].map(|index: usize| jobs[index]);
    assert_eq!(claimed(ground).await, expected);
});

on_both!(clients_take_turns, |ground| {
    let mut jobs = Vec::new();
    for client in ["a", "a", "a", "a", "b", "c", "c"] {
        jobs.push(ground.job_of(client).await.id);
    }
    // a, b, c, then a and c, then what is left of a.
    let expected = [0, 4, 5, 1, 6, 2, 3].map(|index: usize| jobs[index]);
    assert_eq!(claimed(ground).await, expected);
});

on_both!(a_client_with_one_file_waits_for_no_more_than_one_of_another_client, |ground| {
    for _ in 0..50 {
        ground.job_of("many").await;
    }
    for _ in 0..3 {
        ground.claim(&claimant("one")).await.unwrap();
    }
    let one = ground.job_of("few").await;
    assert_eq!(ground.claim(&claimant("one")).await.unwrap().id, one.id);
});

on_both!(jobs_without_a_client_are_those_of_one_client, |ground| {
    let mut jobs = Vec::new();
    for _ in 0..3 {
        jobs.push(ground.job().await.id);
    }
    jobs.push(ground.job_of("a").await.id);
    let expected = [0, 3, 1, 2].map(|index: usize| jobs[index]);
    assert_eq!(claimed(ground).await, expected);
});

on_both!(priority_goes_before_fairness, |ground| {
    let first = ground.job_of("a").await;
    ground.claim(&claimant("one")).await.unwrap();
    let other = ground.job_of("b").await;
    let urgent = ground
        .job_with(|new| {
            new.created_by = Some("a".to_owned());
            new.options.priority = 1;
        })
        .await;
    assert_eq!(claimed(ground).await, [urgent.id, other.id]);
    assert_ne!(first.id, urgent.id);
});

on_both!(what_has_begun_goes_on_before_anything_new, |ground| {
    let begun = ground.owned_by("one").await;
    let urgent = ground.job_with(|new| new.options.priority = 100).await;
    ground.let_lease_run_out(&begun).await;
    assert_eq!(claimed(ground).await, [begun.id, urgent.id]);
});

on_both!(files_of_one_client_for_one_table_run_in_the_order_of_their_uploads, |ground| {
    let mut jobs = Vec::new();
    for _ in 0..5 {
        jobs.push(ground.job_of("a").await.id);
    }
    let mut order = Vec::new();
    // Each is interrupted once: it still goes before the next.
    for _ in 0..5 {
        let by = with_limit("one", 1);
        let job = ground.claim(&by).await.unwrap();
        assert!(ground.claim(&by).await.is_none(), "two files of one table at a time");
        ground.let_lease_run_out(&job).await;
        let again = ground.claim(&with_limit("two", 1)).await.unwrap();
        assert_eq!(again.id, job.id);
        let end = loadbay::store::End::Completed;
        ground.store.finish(&again, &end).await.unwrap().expect("it is ours");
        order.push(job.id);
    }
    assert_eq!(order, jobs);
});

on_both!(a_forced_job_goes_before_all_that_wait, |ground| {
    let first = ground.job_with(|new| new.options.priority = 100).await;
    let last = ground.job().await;
    ground
        .store
        .force(last.id, crate::conformance::ground::LEASE)
        .await
        .unwrap()
        .expect("it waits");
    assert_eq!(claimed(ground).await, [last.id, first.id]);
});
