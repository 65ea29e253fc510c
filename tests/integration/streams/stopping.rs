//! A server that stops: streams end at once, and go on after the restart where they were.

use super::files::{Locked, products};
use crate::support::{DeliveredEvent, SLOW, Upload, both};

both!(
    a_stream_ends_with_the_server_and_goes_on_after_its_restart,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let job = server.import("products", Upload::csv(&products("T", 6_000))).await;
        let mut facts: Vec<u64> = Vec::new();
        let mut last = 0;
        for rows in [0, 200, 600] {
            server.until(job, |status| status["progress"]["current"].as_u64() >= Some(rows)).await;
            let mut listener = server.events(job, &format!("?lastEventId={last}")).await;
            listener.until(|heard| heard.id.is_some()).await;
            assert!(server.terminate().success());
            let told = listener.until(|_| false).await;
            assert_eq!(listener.retry(), Some(3_000));
            let ids =
                |told: &[DeliveredEvent]| told.iter().filter_map(|it| it.id).collect::<Vec<_>>();
            facts.extend(last + 1..=ids(&told).last().copied().unwrap_or(last + 1));
            last = facts.last().copied().unwrap();
            assert_ne!(
                told.last().map(DeliveredEvent::kind),
                Some("complete"),
                "the job ended too early"
            );
            server.restart();
        }
        let told = server.events(job, &format!("?lastEventId={last}")).await.rest().await;
        assert_eq!(told.last().unwrap().kind(), "complete");
        assert!(told[1].id.unwrap() > last);
        server.finished(job).await;
    }
);

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_do_not_hold_a_server_that_stops() {
    let (mut server, job, lock) = Locked::job(300, |upload| upload).await;
    let mut listeners = vec![server.listen("/api/v1/import/events").await];
    for _ in 0..20 {
        listeners.push(server.events(job, "").await);
    }
    for listener in &mut listeners {
        listener.next().await.expect("a snapshot");
    }
    // The chunk in flight can commit.
    let release = tokio::spawn(lock.release());
    assert!(server.terminate().success());
    release.await.unwrap();
    for listener in listeners {
        listener.rest().await;
    }
    server.restart();
    assert_eq!(server.finished(job).await["status"], "completed");
    server.check_every_job().await;
}
