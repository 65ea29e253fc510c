//! Who gets a job, and who does not.

use std::collections::BTreeSet;

use loadbay::domain::error_code::ErrorCode;
use loadbay::domain::status::JobStatus;
use loadbay::store::{Claimant, End, TableConcurrency};

use super::ground::{Ground, claimant, with_limit};
use crate::support::Kind;

/// Everything that eight claimants, half of them on another server, get when they all claim at once
/// until there is nothing left.
async fn rush(ground: &Ground, by: impl Fn(usize) -> Claimant) -> Vec<i64> {
    let other = ground.another_server().await;
    let claimants = (0..8).map(|number| {
        let store = if number % 2 == 0 { ground.store.clone() } else { other.clone() };
        let by = by(number);
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while let Some(job) = store.claim(&by).await.expect("the database answers") {
                taken.push(job.id);
            }
            taken
        })
    });
    let mut all = Vec::new();
    for taken in futures_util::future::join_all(claimants).await {
        all.extend(taken.expect("no claimant panics"));
    }
    all
}

on_both!(a_hundred_jobs_go_to_eight_claimants_one_time_each, |ground| {
    let mut jobs = BTreeSet::new();
    for number in 0..100 {
        jobs.insert(ground.job_of(&format!("client {}", number % 7)).await.id);
    }
    let taken = rush(ground, |number| claimant(&format!("server {number}"))).await;
    assert_eq!(taken.len(), 100, "a job was handed out twice, or not at all");
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), jobs);
    let wrong = "select count(*) from import_log where import_status <> 'PROCESSING' \
                 or lease_epoch <> 1 or attempts <> 1 or lease_owner is null";
    assert_eq!(ground.database.number(wrong).await, 0);
});

on_both!(claimants_that_rush_stay_within_the_places_of_a_dataset, |ground| {
    for _ in 0..20 {
        ground.job().await;
    }
    let by = |number| with_limit(&format!("server {number}"), 3);
    let taken = rush(ground, by).await;
    assert_eq!(taken.len(), 3);
    // An end frees a place.
    let first = ground.store.get(taken[0]).await.unwrap().unwrap();
    ground.store.finish(&first, &End::Completed).await.unwrap().expect("it is ours");
    assert_eq!(rush(ground, by).await.len(), 1);
});

on_both!(datasets_of_one_table_share_its_places_and_others_have_their_own, |ground| {
    for dataset in ["products", "prices", "dealers"] {
        ground.job_with(|new| dataset.clone_into(&mut new.dataset)).await;
    }
    let datasets = ["products", "prices"].map(str::to_owned).to_vec();
    let limits = vec![TableConcurrency { datasets, running_max: 1 }];
    let by = Claimant { limits, ..claimant("one") };
    assert_eq!(ground.claim(&by).await.unwrap().dataset, "products");
    assert_eq!(ground.claim(&by).await.unwrap().dataset, "dealers");
    assert!(ground.claim(&by).await.is_none(), "`prices` had no place");
});

on_both!(a_claim_makes_an_owner_with_a_new_epoch, |ground| {
    let waiting = ground.job().await;
    let job = ground.claim(&claimant("one")).await.unwrap();
    assert_eq!(job.status, JobStatus::Processing);
    assert_eq!((job.lease_epoch, job.attempts), (waiting.lease_epoch + 1, 1));
    assert!(job.started_at.is_some());
    assert_eq!(ground.column(&job, "lease_owner").await, "one");
    assert_eq!(ground.now(&job).await, job);
    assert!(ground.claim(&claimant("two")).await.is_none(), "its lease runs");
});

on_both!(a_job_whose_lease_ran_out_goes_to_another_server, |ground| {
    let job = ground.owned_by("one").await;
    ground.let_lease_run_out(&job).await;
    let taken = ground.claim(&claimant("two")).await.expect("nobody owns it");
    assert_eq!((taken.id, taken.lease_epoch, taken.attempts), (job.id, 2, 2));
    assert_eq!(taken.started_at, job.started_at);
    assert!(ground.claim(&claimant("one")).await.is_none());
});

on_both!(a_server_takes_only_jobs_whose_files_it_reaches, |ground| {
    let job = ground.job().await;
    let far = Claimant { storage_locations: vec!["elsewhere".to_owned()], ..claimant("far") };
    assert!(ground.claim(&far).await.is_none());
    let near =
        Claimant { storage_locations: vec!["elsewhere".to_owned(), "place".to_owned()], ..far };
    assert_eq!(ground.claim(&near).await.unwrap().id, job.id);
});

on_both!(a_server_does_not_take_a_job_again_that_it_still_works_on, |ground| {
    let job = ground.owned_by("one").await;
    ground.let_lease_run_out(&job).await;
    let busy = Claimant { busy_with: vec![job.id], ..claimant("one") };
    assert!(ground.claim(&busy).await.is_none());
    assert_eq!(ground.claim(&claimant("one")).await.unwrap().id, job.id);
});

on_both!(a_job_keeps_its_place_while_it_waits_for_room_but_not_when_it_is_paused, |ground| {
    let first = ground.owned_by("one").await;
    ground.job().await;
    let by = with_limit("one", 1);
    let lease = crate::conformance::ground::LEASE;
    ground
        .store
        .suspend(&first, ErrorCode::StorageFull, "no room", lease)
        .await
        .unwrap()
        .expect("it is ours");
    assert!(ground.claim(&by).await.is_none(), "a later file must not overtake it");
    ground.store.resume(first.id).await.unwrap().expect("it is set aside");
    assert_eq!(ground.claim(&by).await.unwrap().id, first.id);
    ground.store.pause(first.id).await.unwrap().expect("it runs");
    assert_ne!(ground.claim(&by).await.expect("there is a place").id, first.id);
});

on_both!(a_job_whose_owner_is_gone_has_no_place, |ground| {
    let first = ground.owned_by("one").await;
    let far = ground.job_with(|_| {}).await;
    ground.let_lease_run_out(&first).await;
    ground.set(&first, "source_server = 'gone'").await;
    assert_eq!(ground.claim(&with_limit("two", 1)).await.unwrap().id, far.id);
});

on_both!(a_job_keeps_its_place_while_its_server_works_on_it_whatever_its_lease, |ground| {
    let first = ground.owned_by("one").await;
    ground.let_lease_run_out(&first).await;
    ground.job().await;
    let by = Claimant { busy_with: vec![first.id], ..with_limit("one", 1) };
    assert!(ground.claim(&by).await.is_none(), "a later file must not overtake it");
});

on_both!(a_job_of_a_dataset_that_a_server_lacks_is_left_to_one_that_has_it, |ground| {
    let job = ground.job_with(|new| "dealers".clone_into(&mut new.dataset)).await;
    let old = Claimant { datasets: vec!["products".to_owned()], ..claimant("old") };
    let missing = ground.store.missing_datasets(&old).await.unwrap();
    let taken = ground.claim(&old).await;
    if ground.database.kind() == Kind::Sqlite {
        // The only server there is: it takes the job to end it.
        assert_eq!(taken.unwrap().id, job.id);
        assert!(missing.is_empty(), "nobody waits for {missing:?}");
        return;
    }
    assert!(taken.is_none());
    assert_eq!(missing, ["dealers"]);
    let job = ground.claim(&claimant("new")).await.expect("it has the dataset");
    // The same when it was begun and its server is gone.
    ground.let_lease_run_out(&job).await;
    assert!(ground.claim(&old).await.is_none());
    assert_eq!(ground.claim(&claimant("new")).await.unwrap().id, job.id);
});
