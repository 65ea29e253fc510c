//! Pause and resume: the job keeps its checkpoint, others get its place, and it ends as if nobody had
//! touched it.

use crate::support::{SLOW, Upload, both};
use crate::survival::*;

both!(
    a_job_that_was_paused_ends_as_if_nobody_had_touched_it,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "4")],
    |server| {
        let (counts, expected) = undisturbed(server).await;
        server.load("products", Upload::csv(&before())).await;
        let job = server.import("products", Upload::csv(&file())).await;
        let mut seen = 0;
        for rows in [1, 200, 500] {
            reaches(server, job, seen, rows).await;
            let paused = server.action(job, "pause").await;
            assert_eq!(paused.ok()["status"], "paused");
            assert_eq!(paused.data()["actions"], serde_json::json!(["resume", "cancel"]));
            assert_eq!(paused.data()["error"], serde_json::Value::Null);
            seen = processed(paused.data());
            let still = server.status(job).await.text().to_owned();

            // Its place is free, and nothing of it is written meanwhile.
            let other = Upload::csv("SKU,Name\nZ,Zincum\n").option("dryRun", "true");
            server.load("products", other).await;
            assert_eq!(server.status(job).await.text(), still);
            if rows == 200 {
                server.kill();
                server.restart();
                assert_eq!(server.status(job).await.text(), still, "it stays paused");
            }
            let resumed = server.action(job, "resume").await;
            assert_eq!(resumed.ok()["status"], "processing");
            assert!(processed(resumed.data()) >= seen);
        }
        let status = server.finished(job).await;
        assert_eq!(status["status"], "completed", "{status}");
        assert_eq!(status["counts"], counts);
        assert!(contents(server).await == expected, "the tables differ from an undisturbed run");
    }
);

both!(
    a_paused_job_is_cancelled_and_keeps_what_it_wrote,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "4")],
    |server| {
        let job = server.import("products", Upload::csv(&file())).await;
        reaches(server, job, 0, 100).await;
        let paused = server.action(job, "pause").await.ok().clone();
        let cancelled = server.cancel(job).await.ok().clone();
        assert_eq!(cancelled["status"], "cancelled");
        assert_eq!(cancelled["counts"], paused["counts"]);
        let created = server.database.number("select count(*) from products").await;
        assert_eq!(cancelled["counts"]["created"], created);
    }
);

both!(
    who_listens_hears_of_a_pause_and_of_what_follows,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "1")],
    |server| {
        let job = server.import_long("L").await;
        let mut listener = server.events(job, "").await;
        server.action(job, "pause").await.ok();
        let says = |text: &'static str| {
            move |heard: &crate::support::DeliveredEvent| {
                heard.data["message"].as_str().is_some_and(|message| message.starts_with(text))
            }
        };
        assert!(listener.until(says("Paused")).await.last().is_some_and(says("Paused")));
        server.action(job, "resume").await.ok();
        assert!(listener.until(says("Resumed")).await.last().is_some_and(says("Resumed")));
        server.cancel(job).await.ok();
        let rest = listener.rest().await;
        assert_eq!(rest.last().unwrap().data["status"], "cancelled");
    }
);
