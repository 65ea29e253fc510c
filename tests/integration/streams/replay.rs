//! Coming back: what was missed is told, exactly that, after any cut.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::files::{Chance, products};
use crate::support::{DeliveredEvent, Listener, Server, Upload, both, wait_until};

/// Number and data of the events that have a number.
fn numbered(told: &[DeliveredEvent]) -> Vec<(u64, Value)> {
    told.iter().filter_map(|heard| Some((heard.id?, heard.data.clone()))).collect()
}

async fn behind(server: &Server, job: i64, last: u64, by_header: bool) -> Listener {
    if !by_header {
        return server.events(job, &format!("?rows=all&lastEventId={last}")).await;
    }
    let path = format!("/api/v1/import/jobs/{job}/events?rows=all&lastEventId=1");
    let request = server.request(Method::GET, &path).header("last-event-id", last.to_string());
    Listener::open(server, request).await
}

both!(
    what_was_missed_is_told_after_a_cut_at_any_place,
    [("LOADBAY_CHUNK_ROWS", "150")],
    |server| {
        let rows = 2_600;
        let job = server.load("products", Upload::csv(&products("R", rows))).await;
        let job = job["jobId"].as_i64().unwrap();
        let all = numbered(&server.all_events(job, "?rows=all").await);
        let numbers: Vec<u64> = all.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=all.len() as u64).collect::<Vec<_>>());
        assert!(all.len() > rows + 18);

        let mut chance = Chance::new();
        let mut places: Vec<usize> = (0..30).map(|_| chance.below(all.len())).collect();
        places.extend([0, 1, all.len() - 1]);
        for (round, place) in places.into_iter().enumerate() {
            if round == 15 {
                server.kill();
                server.restart();
            }
            let told = behind(server, job, place as u64, round % 2 == 0).await.rest().await;
            assert_eq!(told[0].kind(), "snapshot");
            assert!(
                numbered(&told) == all[place..],
                "what is told behind {place} is not what was missed"
            );
        }
    }
);

both!(
    a_listener_that_is_cut_off_again_and_again_misses_nothing,
    [("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let job = server.import("products", Upload::csv(&products("C", 1_500))).await;
        let mut chance = Chance::new();
        let mut heard: BTreeMap<u64, Value> = BTreeMap::new();
        let mut last = 0;
        loop {
            let mut listener = behind(server, job, last, chance.below(2) == 0).await;
            let most = 1 + chance.below(200);
            let mut is_over = false;
            for _ in 0..most {
                let Some(event) = listener.next().await else { break };
                let Some(number) = event.id else { continue };
                assert!(number > last, "{number} is told after {last}");
                last = number;
                is_over = event.kind() == "complete";
                heard.insert(number, event.data);
            }
            if is_over {
                break;
            }
        }
        server.finished(job).await;
        let all = numbered(&server.all_events(job, "?rows=all").await);
        for (number, data) in all {
            match heard.remove(&number) {
                Some(told) => assert_eq!(told, data),
                // Of what happens while somebody listens not all progress is told.
                None => assert_eq!(data["type"], "progress", "{number} was not told: {data}"),
            }
        }
        assert!(heard.is_empty(), "told, but not of the job: {heard:?}");
    }
);

#[tokio::test]
async fn the_other_server_tells_the_same() {
    let [one, two] = Server::start_two(&[("LOADBAY_CHUNK_ROWS", "20")]).await;
    let job = one.import("products", Upload::csv(&products("O", 1_000))).await;
    let (here, there) = tokio::join!(one.events(job, ""), two.events(job, ""));
    let (here, there) = tokio::join!(here.rest(), there.rest());
    let facts = |told: &[DeliveredEvent]| -> Vec<(u64, Value)> {
        numbered(told).into_iter().filter(|(_, data)| data["type"] != "progress").collect()
    };
    assert_eq!(facts(&here), facts(&there));
    assert_eq!(here.last().unwrap().kind(), "complete");

    let all = numbered(&one.all_events(job, "").await);
    let mut chance = Chance::new();
    for _ in 0..5 {
        let place = chance.below(all.len());
        let told = behind(&two, job, place as u64, true).await.rest().await;
        assert!(
            numbered(&told) == all[place..],
            "what is told behind {place} is not what was missed"
        );
    }
    crate::support::check_guarantees(&one, job).await;
}

both!(
    what_is_not_kept_any_more_is_said,
    [("LOADBAY_MAX_EVENTS", "200"), ("LOADBAY_CHUNK_ROWS", "100")],
    |server| {
        let upload = Upload::csv(&products("K", 3_000)).option("rows", "all");
        let job = server.load("products", upload).await["jobId"].as_i64().unwrap();
        // The events are pruned when the job is over and nobody reads them any more.
        let kept = format!(
            "select sum(number - first_number + 1) from import_events where import_log_id = {job}"
        );
        wait_until!(server.database.number(&kept).await <= 200, "{}", server.log());
        let told = server.all_events(job, "?rows=all&lastEventId=20").await;
        let last = told.last().unwrap().id.unwrap();
        let remarks: Vec<&DeliveredEvent> =
            told.iter().skip(1).filter(|heard| heard.id.is_none()).collect();
        let [remark] = remarks.as_slice() else { panic!("{remarks:?}") };
        assert_eq!((remark.kind(), &remark.data["level"]), ("log", &"warning".into()));
        let members = ["notice", "first", "last"].map(|name| &remark.data[name]);
        assert_eq!(members, [&Value::from("events_pruned"), &21.into(), &last.into()]);
        assert!(remark.message().contains(&format!("events 21 to {last}")), "{remark:?}");
        assert_eq!(told[1].id, None, "it is said before the events");
        assert_eq!(told.last().unwrap().kind(), "complete");
    }
);
