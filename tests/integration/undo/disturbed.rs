//! A rollback ends as if nothing had happened, whatever happens to the server; and imports that did
//! not come to their end are taken back as far as they came.

use super::tables::*;
use crate::support::*;
use crate::survival::{ROWS, before, file, processed, reaches};

both!(
    a_rollback_survives_being_killed_again_and_again,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        server.load("products", Upload::csv(&before())).await;
        let (rows, records) = (products(server).await, current(server).await);
        let job = load(server, &file()).await;
        // Something to keep as well.
        server
            .database
            .execute("update products set uom = 'x' where sku in ('S00004', 'S00500')")
            .await;
        let counts = server.status(job).await.ok()["counts"].clone();
        let changed = counts["created"].as_u64().unwrap() + counts["updated"].as_u64().unwrap();
        let rollback = ask(server, job).await;
        let mut seen = 0;
        for rows in [0, 1, 150, 300, 301, 500] {
            seen = reaches(server, rollback, seen, rows).await;
            server.kill();
            server.restart();
        }
        let status = server.finished(rollback).await;
        let created = counts["created"].as_u64().unwrap();
        assert_counts(&status, [created - 2, changed - created, 0, 2]);
        let kept = server.rows("select sku from products where uom = 'x' order by sku").await;
        assert_eq!(kept, [["S00004"], ["S00500"]]);
        let forget = "delete from product_stocks where product_id in (select id from products \
                  where uom = 'x'); delete from product_prices where product_id in \
                  (select id from products where uom = 'x'); delete from products where uom = 'x'";
        server.database.execute(forget).await;
        assert!(products(server).await == rows, "the products differ from those before the import");
        assert!(current(server).await == records, "the histories differ");
    }
);

both!(
    a_cancelled_rollback_is_finished_by_the_next,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        server.load("products", Upload::csv(&before())).await;
        let (rows, records) = (products(server).await, current(server).await);
        let job = load(server, &file()).await;
        let rollback = ask(server, job).await;
        reaches(server, rollback, 0, 200).await;
        assert_eq!(server.cancel(rollback).await.ok()["status"], "cancelled");
        check_guarantees(server, rollback).await;
        let done = processed(server.status(rollback).await.ok());
        let status = take_back(server, job).await;
        let counts = &status["counts"];
        assert_eq!(
            (&counts["unchanged"], &counts["failed"]),
            (&done.into(), &0.into()),
            "{status}"
        );
        assert!(products(server).await == rows, "the products differ from those before the import");
        assert!(current(server).await == records, "the histories differ");
    }
);

both!(a_cancelled_import_is_taken_back, [SLOW, ("LOADBAY_CHUNK_ROWS", "10")], |server| {
    server.load("products", Upload::csv(&before())).await;
    let (rows, records) = (products(server).await, current(server).await);
    let job = server.import("products", undoable(&file())).await;
    reaches(server, job, 0, 300).await;
    server.cancel(job).await.ok();
    let status = take_back(server, job).await;
    let done = processed(&status);
    assert!(done > 100 && done < ROWS, "{status}");
    assert_counts(
        &status,
        [
            status["counts"]["removed"].as_u64().unwrap(),
            done - status["counts"]["removed"].as_u64().unwrap(),
            0,
            0,
        ],
    );
    assert!(products(server).await == rows, "the products differ from those before the import");
    assert!(current(server).await == records, "the histories differ");
});

both!(a_failed_import_is_taken_back, [("LOADBAY_CHUNK_ROWS", "10")], |server| {
    server.load("products", Upload::csv(&before())).await;
    let rows = products(server).await;
    let job = server.import("products", undoable(&file()).option("maxErrors", "20")).await;
    let failed = server.finished(job).await;
    assert_eq!(failed["errorCode"], "too_many_errors", "{failed}");
    let status = take_back(server, job).await;
    assert_eq!(status["counts"]["failed"], 0, "{status}");
    assert_eq!(status["options"]["maxErrors"], serde_json::Value::Null, "{status}");
    assert!(products(server).await == rows, "the products differ from those before the import");
});

both!(
    an_import_that_was_killed_keeps_one_journal,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        server.load("products", Upload::csv(&before())).await;
        let rows = products(server).await;
        let job = server.import("products", undoable(&file())).await;
        let mut seen = 0;
        for rows in [100, 400] {
            seen = reaches(server, job, seen, rows).await;
            server.kill();
            server.restart();
        }
        let counts = server.finished(job).await["counts"].clone();
        let changed = counts["created"].as_u64().unwrap() + counts["updated"].as_u64().unwrap();
        assert_eq!(server.database.number("select count(*) from import_undo").await, changed);
        take_back(server, job).await;
        assert!(products(server).await == rows, "the products differ from those before the import");
    }
);

both!(a_list_that_cannot_be_reached_for_a_moment_is_waited_for, |server| {
    let shared = server.data_dir().with_file_name("shared");
    let (uploads, away) = (shared.join("uploads"), shared.join("away"));
    std::fs::create_dir(&shared).unwrap();
    let url = format!("file://{}", shared.display());
    server.terminate();
    let settings = [SLOW, ("LOADBAY_CHUNK_ROWS", "10"), ("LOADBAY_STORAGE_URL", url.as_str())];
    server.restart_with(&settings);
    let job = load(server, &file()).await;
    server.database.execute("update products set uom = 'x' where sku like '%4'").await;
    let rollback = ask(server, job).await;
    reaches(server, rollback, 0, 200).await;
    server.action(rollback, "pause").await.ok();
    std::fs::rename(&uploads, &away).unwrap();
    server.action(rollback, "resume").await.ok();
    wait_until!(
        server.log().contains("what failed is tried again"),
        "the job did not notice:\n{}",
        server.log()
    );
    std::fs::rename(&away, &uploads).unwrap();
    let status = server.finished(rollback).await;
    assert_eq!(status["status"], "completed", "{status}");
    let list = server.errors_file(rollback, "csv").await;
    let mut rows = csv::Reader::from_reader(&*list.bytes);
    let keys: Vec<_> = rows.records().map(|row| row.unwrap()[0].to_owned()).collect();
    assert_eq!(status["counts"]["failed"], keys.len(), "{status}");
    assert!(keys.iter().all(|key| key.ends_with('4')), "a row lost its cells: {keys:?}");
});
