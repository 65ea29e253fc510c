//! Rows imported again: all of them, those that failed, those that were not reached. Together parent
//! and child leave what an undisturbed run leaves.

use reqwest::Method;
use rust_xlsxwriter::Workbook;

use super::steer::*;
use crate::support::{Kind, SLOW, Server, Upload, both};
use crate::survival::*;

/// Numbers of the rows that failed, as the list of the job has them.
async fn failed_rows(server: &Server, job: i64) -> Vec<String> {
    let list = server.errors_file(job, "csv").await;
    let mut reader = csv::Reader::from_reader(&*list.bytes);
    let at = reader.headers().unwrap().iter().position(|name| name == "_row").unwrap();
    reader.records().map(|row| row.unwrap()[at].to_owned()).collect()
}

both!(all_rows_are_imported_again_as_a_job_of_its_own, |server| {
    let upload = Upload::csv(&file()).option("mode", "upsert").option("priority", "7");
    let parent = server.load("products", upload).await;
    let before = server.status(id(&parent)).await.text().to_owned();
    let child = server.retry(id(&parent), "all").await;
    let status = server.finished(child).await;
    assert_eq!(status["counts"]["unchanged"], parent["counts"]["created"], "{status}");
    for same in ["failed", "superseded"] {
        assert_eq!(status["counts"][same], parent["counts"][same], "{status}");
    }
    for same in ["options", "detected", "sha256", "fileSize", "fileName", "dataset"] {
        assert_eq!(status[same], parent[same]);
    }
    assert_eq!(status["selection"], serde_json::Value::Null);
    assert_eq!(status["priority"], 7);
    assert_eq!(server.status(id(&parent)).await.text(), before, "history is never overwritten");
});

both!(
    only_the_rows_that_failed_are_taken_with_their_numbers,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10"), ("LOADBAY_MAX_STORED_ERRORS", "3")],
    |server| {
        // Nothing is there to update: every valid row fails, far more than the table lists.
        let parent = server.load("products", Upload::csv(&file()).option("mode", "update")).await;
        let failed = parent["counts"]["failed"].as_u64().unwrap();
        assert!(failed > 800, "{parent}");
        let numbers = failed_rows(server, id(&parent)).await;

        // Nobody mended anything: the same rows fail again.
        let same = server.retry(id(&parent), "failed").await;
        let status = server.finished(same).await;
        assert_eq!(status["progress"]["total"], failed, "{status}");
        assert_eq!(status["counts"]["failed"], failed, "{status}");
        assert_eq!(status["selection"], "failed");
        assert_eq!(failed_rows(server, same).await, numbers, "numbers are those of the file");

        // Half of the keys are there now.
        let mut text = "SKU,Name\n".to_owned();
        for row in (0..ROWS).step_by(2) {
            text.push_str(&format!("S{row:05},There\n"));
        }
        server.load("products", Upload::csv(&text)).await;
        let child = server.retry(id(&parent), "failed").await;
        let status = server.finished(child).await;
        let updated = status["counts"]["updated"].as_u64().unwrap();
        assert!(updated > 300, "{status}");
        assert_eq!(status["counts"]["failed"], failed - updated, "{status}");

        // A selection of a selection: what failed of what had failed, and all of that again.
        for (of, rows) in [(child, "failed"), (child, "all")] {
            let grandchild = server.retry(of, rows).await;
            let again = server.finished(grandchild).await;
            let taken = if rows == "all" { failed } else { failed - updated };
            assert_eq!(again["progress"]["total"], taken, "{again}");
            assert_eq!(again["counts"]["failed"], failed - updated, "{again}");
            assert_eq!(again["selection"], "failed");
            assert_eq!(failed_rows(server, grandchild).await, failed_rows(server, child).await);
        }
    }
);

/// Cancels a job over [`file`] midway and has the rest imported, over `times` jobs.
async fn in_parts(server: &mut Server, upload: Upload, writers: &[&str]) {
    let (counts, expected) = undisturbed(server).await;
    server.load("products", Upload::csv(&before())).await;
    let mut job = server.import("products", upload).await;
    let mut parts = Vec::new();
    for writers in writers {
        reaches(server, job, 0, 100).await;
        let part = server.cancel(job).await.ok().clone();
        let left = part["results"]["unprocessed"].as_u64().unwrap();
        assert!(left > 0, "{part}");
        parts.push(part);
        server.kill();
        server.restart_with(&[SLOW, ("LOADBAY_CHUNK_ROWS", "4"), ("LOADBAY_WRITERS", writers)]);
        job = server.retry(job, "unprocessed").await;
        let child = server.until(job, |status| !status["progress"]["total"].is_null()).await;
        assert_eq!(child["progress"]["total"], left, "{child}");
        assert_eq!(child["selection"], "unprocessed");
    }
    let last = server.finished(job).await;
    assert_eq!(last["status"], "completed", "{last}");
    parts.push(last);
    assert_eq!(sum(&parts), counts, "parent and children add up to the file");
    assert!(contents(server).await == expected, "the tables differ from an undisturbed run");
    for part in &parts[..parts.len() - 1] {
        let now = server.status(id(part)).await.ok().clone();
        assert_eq!(now["counts"], part["counts"], "history is never overwritten");
        assert_eq!(now["status"], "cancelled");
    }
    let answer = server.ask(Method::POST, job, "retry?rows=unprocessed", "").await;
    answer.assert_problem(409, "nothing_to_retry");
}

both!(
    what_was_not_reached_is_imported_and_nothing_twice,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "4"), ("LOADBAY_WRITERS", "2")],
    |server| { in_parts(server, Upload::csv(&file()), &["2", "2"]).await }
);

#[tokio::test]
async fn rows_stay_divided_whatever_the_number_of_writers_is_later() {
    let settings = [SLOW, ("LOADBAY_CHUNK_ROWS", "4"), ("LOADBAY_WRITERS", "3")];
    let mut server = Server::start_with(Kind::Postgres, &settings).await;
    in_parts(&mut server, Upload::csv(&file()), &["2", "1", "3"]).await;
    server.check_every_job().await;
}

/// The file as a workbook whose cells are all texts.
fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (place, line) in (0..).zip(file().lines()) {
        for (column, cell) in (0..).zip(line.split(',')) {
            sheet.write_string(place, column, cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

both!(
    what_was_not_reached_of_a_workbook_is_imported_as_well,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "4"), ("LOADBAY_WRITERS", "2")],
    |server| { in_parts(server, Upload::file("list.xlsx", workbook()), &["3"]).await }
);

both!(
    what_was_not_reached_of_failed_rows_is_imported_too,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "4")],
    |server| {
        let parent = server.load("products", Upload::csv(&file()).option("mode", "update")).await;
        let failed = parent["counts"]["failed"].as_u64().unwrap();
        let child = server.retry(id(&parent), "failed").await;
        reaches(server, child, 0, 50).await;
        let part = server.cancel(child).await.ok().clone();
        let rest = server.retry(child, "unprocessed").await;
        let rest = server.finished(rest).await;
        let taken = processed(&part) + processed(&rest);
        assert_eq!(taken, failed, "{part} {rest}");
        let mut numbers = failed_rows(server, child).await;
        numbers.extend(failed_rows(server, id(&rest)).await);
        numbers.sort_by_key(|number| number.parse::<u32>().unwrap());
        assert_eq!(numbers, failed_rows(server, id(&parent)).await);
    }
);

both!(
    a_job_that_never_began_leaves_all_of_its_rows,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "1")],
    |server| {
        let first = server.import_long("L").await;
        let job = server.import("products", Upload::csv("SKU,Name\nA,Arnica\nB,Bryonia\n")).await;
        server.cancel(job).await.ok();
        server.cancel(first).await.ok();
        let child = server.retry(job, "unprocessed").await;
        let status = server.finished(child).await;
        assert_eq!(status["counts"]["created"], 2, "{status}");
    }
);

both!(where_there_are_no_such_rows_there_is_no_job, |server| {
    let job = id(&server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await);
    for rows in ["failed", "unprocessed"] {
        let call = format!("retry?rows={rows}");
        let answer = server.ask(Method::POST, job, &call, "").await;
        answer.assert_problem(409, "nothing_to_retry");
    }
    let empty = server.load("products", Upload::csv("SKU,Name\n")).await;
    assert_eq!(empty["actions"], serde_json::json!(["delete"]));
    let empty = id(&empty);
    server.ask(Method::POST, empty, "retry", "").await.assert_problem(409, "nothing_to_retry");
    assert_eq!(server.jobs("").await.ok()["jobs"].as_array().unwrap().len(), 2);
});

both!(files_whose_time_is_over_cannot_be_imported_again, |server| {
    let job = id(&server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await);
    server.kill();
    let sql = format!("update import_log set files_removed_at = completed_at where id = {job}");
    server.database.execute(&sql).await;
    server.restart();
    let status = server.status(job).await.ok().clone();
    assert_eq!(status["actions"], serde_json::json!(["delete"]));
    assert_eq!(status["links"].get("retry"), None);
    server.ask(Method::POST, job, "retry", "").await.assert_problem(410, "files_removed");
    server.delete(job).await.ok();
});

both!(the_same_wish_is_one_job_whatever_became_of_the_parent, |server| {
    let parent = id(&server.load("products", Upload::csv("SKU,Name\nA,Arnica\nB,\n")).await);
    let asked = async |of: i64, rows: &str| {
        let path = format!("/api/v1/import/jobs/{of}/retry?rows={rows}");
        let request = server.request(Method::POST, &path).header("idempotency-key", "again");
        server.send(request).await
    };
    let child = id(asked(parent, "failed").await.ok());
    server.finished(child).await;
    let other = id(&server.load("products", Upload::csv("SKU,Name\nC,\n")).await);
    let again = async || {
        let answer = asked(parent, "failed").await;
        assert_eq!(id(answer.ok()), child);
        assert_eq!(answer.header("idempotency-replayed"), Some("true"));
        asked(parent, "all").await.assert_problem(422, "idempotency_mismatch");
        asked(parent, "unprocessed").await.assert_problem(422, "idempotency_mismatch");
        asked(other, "failed").await.assert_problem(422, "idempotency_mismatch");
    };
    again().await;
    let over = format!("update import_log set files_removed_at = completed_at where id = {parent}");
    server.database.execute(&over).await;
    again().await;
    server.delete(parent).await.ok();
    again().await;
    assert_eq!(server.jobs("").await.ok()["jobs"].as_array().unwrap().len(), 2);
});

/// A hundred keys, each twice: the second time with another name.
fn twice() -> String {
    let row = |row: u32| format!("S{:03},Name {row}\n", row % 100);
    format!("SKU,Name\n{}", (0..200).map(row).collect::<String>())
}

both!(
    a_duplicate_that_failed_fails_again_and_overwrites_nothing,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "4"), ("LOADBAY_WRITERS", "2")],
    |server| {
        let upload = Upload::csv(&twice()).option("duplicates", "error");
        let parent = server.load("products", upload).await;
        assert_eq!(parent["counts"]["failed"], 100, "{parent}");
        let names = "select sku, name from products order by sku";
        let expected = server.rows(names).await;
        let child = server.retry(id(&parent), "failed").await;
        reaches(server, child, 0, 10).await;
        let part = server.cancel(child).await.ok().clone();
        let rest = server.retry(child, "unprocessed").await;
        let rest = server.finished(rest).await;
        for job in [&part, &rest] {
            assert_eq!(job["counts"]["failed"], processed(job), "{job}");
            let page = server.errors(id(job), "?limit=1").await;
            assert_eq!(page.data()["errors"][0]["code"], "duplicate_in_file", "{}", page.text());
        }
        assert_eq!(processed(&part) + processed(&rest), 100, "{part} {rest}");
        assert!(server.rows(names).await == expected, "older values came over newer ones");
    }
);

both!(a_row_that_is_valid_by_now_does_not_overwrite_a_later_one, |server| {
    let folder = server.data_dir().with_file_name("datasets");
    std::fs::create_dir(&folder).unwrap();
    let table = "create table stock (code varchar(9) unique, name varchar(99))";
    server.database.execute(table).await;
    let file = "Code,Name\nA,Arnica montana\nB,Belladonna\nA,Arnica\n";
    let mut parent = 0;
    for longest in [6, 64] {
        let text = format!(
            "name = \"stock\"\ntable = \"stock\"\nkey = [\"code\"]\n[[column]]\nname = \"code\"\n\
             required = true\nmax_length = 9\n[[column]]\nname = \"name\"\nmax_length = {longest}\n"
        );
        std::fs::write(folder.join("stock.toml"), text).unwrap();
        server.terminate();
        server.restart_with(&[("LOADBAY_DATASETS_DIR", folder.to_str().unwrap())]);
        if longest == 6 {
            let job = server.load("stock", Upload::csv(file)).await;
            assert_eq!(
                (&job["counts"]["failed"], &job["counts"]["created"]),
                (&2.into(), &1.into())
            );
            parent = id(&job);
        }
    }
    let child = server.retry(parent, "failed").await;
    let status = server.finished(child).await;
    let counts = &status["counts"];
    assert_eq!(
        (&counts["superseded"], &counts["created"], &status["progress"]["total"]),
        (&1.into(), &1.into(), &2.into()),
        "{status}"
    );
    let names = server.rows("select name from stock order by code").await;
    assert_eq!(names, [["Arnica"], ["Belladonna"]]);
});
