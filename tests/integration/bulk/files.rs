//! Files become jobs of one bulk, in their order; a bad one is refused in its place.

use serde_json::json;

use super::*;

both!(several_files_become_one_bulk_in_their_order, |server| {
    let first = b"SKU,Name\nA,First\nB,First\n";
    let second = b"SKU,Name\nB,Second\nC,Second\nD,\n";
    let answer = upload(server, &[("1.csv", first), ("2.csv", second)], &[]).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let (id, jobs) = ids(&answer);
    let url = format!("/api/v1/import/bulks/{id}");
    assert_eq!(answer.data()["statusUrl"], url.as_str());
    assert_eq!(answer.header("location"), Some(url.as_str()));
    let found = ended(server, &id).await;
    assert_eq!((&found["status"], &found["dataset"]), (&json!("completed"), &json!("products")));
    assert_eq!(found["files"]["done"], 2);
    assert_eq!(found["results"], json!({"totalRows": 5, "successCount": 4, "errorCount": 1}));
    assert_eq!(found["progress"], json!({"current": 5, "total": 5, "percentage": 100}));
    let names = server.rows("select sku, name from products order by sku").await;
    assert_eq!(names, [["A", "First"], ["B", "Second"], ["C", "Second"]], "the last file wins");
    for (job, name) in jobs.into_iter().zip(["1.csv", "2.csv"]) {
        assert_eq!(server.status(job).await.ok()["fileName"], name);
        check_guarantees(server, job).await;
    }
});

both!(a_bad_file_is_refused_in_its_place_and_stops_no_other, |server| {
    let files: [(&str, &[u8]); 5] = [
        ("a.csv", b"SKU,Name\nA,A\n"),
        ("b.pdf", b"%PDF-1.7 not a table"),
        ("c.csv", b"Colour,Size\n1,2\n"),
        ("d.csv", b""),
        ("e.csv", b"SKU,Name\nE,E\n"),
    ];
    let answer = upload(server, &files, &[]).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let entries = answer.data()["jobs"].as_array().unwrap().clone();
    let codes: Vec<_> = entries.iter().map(|it| it["errorCode"].clone()).collect();
    let expected = [
        json!(null),
        json!("unsupported_format"),
        json!("missing_column"),
        json!("empty_file"),
        json!(null),
    ];
    assert_eq!(codes, expected);
    assert!(entries[1]["error"].as_str().unwrap().contains("PDF"), "{}", entries[1]);
    assert_eq!((&entries[4]["fileName"], &entries[4]["index"]), (&json!("e.csv"), &json!(4)));
    let (id, jobs) = ids(&answer);
    assert_eq!(jobs.len(), 2);
    let found = ended(server, &id).await;
    assert_eq!(found["status"], "partial_success");
    assert_eq!((&found["files"]["done"], &found["files"]["refused"]), (&json!(2), &json!(3)));
    let skus = server.rows("select sku from products order by sku").await;
    assert_eq!(skus, [["A"], ["E"]]);

    let refused = upload(server, &files[1..3], &[]).await;
    refused.assert_problem(422, "all_files_refused");
    assert_eq!(refused.json["files"][1]["code"], "missing_column");
    let bulks = server.database.number("select count(*) from import_bulks").await;
    assert_eq!(bulks, 1, "nothing is kept of an upload without a job");
});

both!(one_idempotency_key_covers_the_bulk, |server| {
    let files: [(&str, &[u8]); 2] = [("a.csv", b"SKU,Name\nA,A\n"), ("b.csv", b"SKU,Name\nB,B\n")];
    let key = [("idempotency-key", "night-1")];
    let first = upload(server, &files, &key).await;
    let second = upload(server, &files, &key).await;
    assert_eq!((second.status, ids(&first)), (202, ids(&second)));
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert!(second.data()["status"].is_string());
    let other = upload(server, &[files[1], files[0]], &key).await;
    other.assert_problem(422, "idempotency_mismatch");
    let single = Upload::csv("SKU,Name\nC,C\n").header("idempotency-key", "night-1");
    server.upload("products", single).await.assert_problem(422, "idempotency_mismatch");
    let single = Upload::csv("SKU,Name\nC,C\n").header("idempotency-key", "night-2");
    server.load("products", single).await;
    let taken = upload(server, &files, &[("idempotency-key", "night-2")]).await;
    taken.assert_problem(422, "idempotency_mismatch");
    ended(server, &ids(&first).0).await;
});

both!(options_are_those_of_all_files_and_one_file_is_a_job, |server| {
    let only = form(&[("a.csv", b"SKU;Name\nA;A\n")]).text("dryRun", "true");
    let request = server.request(Method::POST, "/api/v1/import/products");
    let answer = server.send(request.multipart(only)).await;
    assert!(answer.data()["jobId"].is_i64(), "{}", answer.text());
    let two = form(&[("a.csv", b"SKU;Name\nA;A\n"), ("b.csv", b"SKU;Name\nB;B\n")]);
    let request = server.request(Method::POST, "/api/v1/import/products?dryRun=true");
    let answer = server.send(request.header("prefer", "wait=60").multipart(two)).await;
    assert_eq!(answer.ok()["counts"]["created"], 2, "the answer waits for the end");
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    let refused = form(&[("a.csv", b"x"), ("b.csv", b"y")]).text("colour", "red");
    let request = server.request(Method::POST, "/api/v1/import/products");
    server.send(request.multipart(refused)).await.assert_problem(400, "unknown_option");
    let unknown = server.get("/api/v1/import/bulks/00000000-0000-0000-0000-000000000000").await;
    unknown.assert_problem(404, "bulk_not_found");
    server.get("/api/v1/import/bulks/7").await.assert_problem(404, "bulk_not_found");
});

both!(a_hundred_mixed_files_at_once_are_all_accounted_for, |server| {
    let workbook = server.template("products", "xlsx").await.bytes;
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for number in 0..100 {
        files.push(match number % 10 {
            0 => (format!("{number}.csv"), b"no header at all\n".to_vec()),
            1 => (format!("{number}.xlsx"), workbook.clone()),
            2 => (
                format!("{number}.ndjson"),
                format!("{{\"SKU\":\"N{number}\",\"Name\":\"n\"}}\n").into_bytes(),
            ),
            3 => (format!("{number}.bin"), vec![0, 1, 2, 3, 255]),
            _ => (
                format!("{number}.csv"),
                format!("SKU,Name\nC{number},c\nLAST,{number}\n").into_bytes(),
            ),
        });
    }
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, it)| (name.as_str(), it.as_slice())).collect();
    let answer = upload(server, &files, &[]).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let (id, jobs) = ids(&answer);
    assert_eq!(jobs.len(), 80);
    let found = ended(server, &id).await;
    assert_eq!((&found["files"]["done"], &found["files"]["refused"]), (&json!(80), &json!(20)));
    assert_eq!(found["counts"]["created"], 60 + 10 + 1 + 1);
    let last = server.rows("select name from products where sku = 'LAST'").await;
    assert_eq!(last, [["99"]], "files run in their order");
});

both!(hundreds_of_files_of_one_client_delay_the_file_of_another_by_one, |server| {
    // The dataset's place is taken until all of them wait.
    let busy = "insert into import_log (uuid, dataset, file_name, file_size, sha256, import_status, options, \
         detected, source_server, lease_expires_at, created_at, updated_at) \
         values ('busy', 'products', 'f', 1, 'x', 'PROCESSING', '{}', '{}', 'elsewhere', \
         '2999-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')";
    server.database.execute(busy).await;
    let files: Vec<_> = (0..300)
        .map(|number| (format!("{number}.csv"), format!("SKU,Name\nM{number},Many\n")))
        .collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let answer = upload(server, &files, &[("x-loadbay-client", "many")]).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let (bulk, jobs) = ids(&answer);
    assert_eq!(jobs.len(), 300);
    let one = Upload::csv("SKU,Name\nONE,One\n").header("x-loadbay-client", "one");
    let one = server.import("products", one).await;
    assert!(server.status(one).await.ok()["queuePosition"].as_u64() <= Some(2));
    server.database.execute("delete from import_log where uuid = 'busy'").await;
    server.finished(one).await;
    let before = format!(
        "select count(*) from import_log where claimed_at < \
         (select claimed_at from import_log where id = {one})"
    );
    let before = server.database.number(&before).await;
    assert!(before <= 1, "{before} files of the other client went before");
    let cancel = format!("/api/v1/import/bulks/{bulk}/cancel");
    server.send(server.request(Method::POST, &cancel)).await.ok();
    ended(server, &bulk).await;
});
