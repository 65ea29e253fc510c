//! The scripts of `/api/dropship`: order files, many at once, a batch for each.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::calls::{curl, members};
use crate::support::*;

const HEADER: &str = "Kode Pesanan,SKU,Nama Produk,Qty,Total Harga Produk,Biaya Lainnya,\
                      Biaya Mitra Jakmall,Total Transaksi,Total Harga Produk Channel,\
                      Potensi Keuntungan,Jenis Channel,Nama Toko,Waktu Pesanan Terbuat\n";

/// A file of one order with these lines: SKU, pieces, channel and the month in which it was ordered.
fn order(code: &str, lines: &[(&str, &str, &str, &str)]) -> String {
    let line = |(sku, qty, channel, month): &(&str, &str, &str, &str)| {
        format!(
            "{code},{sku},Lampu LED,{qty},30000.10,1000.00,500.20,31500.30,44000.00,12499.70,\
             {channel},MyStore,\"15 {month} 2024, 10:30:00\"\n"
        )
    };
    format!("{HEADER}{}", lines.iter().map(line).collect::<String>())
}

fn one(code: &str) -> String {
    order(code, &[("S-1", "2", "Shopee", "January")])
}

async fn post(server: &Server, files: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
    let mut form = Form::new();
    for (name, text) in files {
        let part = Part::bytes(text.as_bytes().to_vec()).file_name((*name).to_owned());
        form = form.part("files", part);
    }
    for (name, value) in fields {
        form = form.text((*name).to_owned(), (*value).to_owned());
    }
    let request = server.request(Method::POST, "/api/dropship/bulk-import");
    server.send(request.multipart(form)).await
}

fn batches(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let ids = answer.json["batch_ids"].as_array().unwrap();
    assert_eq!(answer.json["queued_files"], ids.len());
    ids.iter().map(|id| id.as_i64().unwrap()).collect()
}

/// The batch at its end.
async fn ended(server: &Server, batch: i64) -> Value {
    server.finished(batch).await;
    get(server, &format!("/api/dropship/import-status/{batch}")).await
}

async fn get(server: &Server, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json
}

#[track_caller]
fn is_duration(value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let is_part = |c: char| c.is_ascii_digit() || "hms".contains(c);
    assert!(text.ends_with('s') && text.chars().all(is_part), "{value}");
}

both!(files_become_batches_whose_status_has_the_documented_members, |server| {
    let files = [("file1.csv", one("A")), ("file2.csv", one("B")), ("file3.csv", one("C"))];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let fields =
        [("channel", "Shopee"), ("use_streaming", "true"), ("process_concurrently", "true")];
    let answer = post(server, &files, &fields).await;
    let expected =
        ["batch_ids", "estimated_time", "process_concurrently", "queued_files", "use_streaming"];
    assert_eq!(members(&answer.json), expected);
    assert_eq!(answer.json["use_streaming"], true);
    is_duration(&answer.json["estimated_time"]);
    for batch in batches(&answer) {
        server.finished(batch).await;
    }
    for (batch, (name, _)) in batches(&answer).into_iter().zip(files) {
        let status = ended(server, batch).await;
        assert_eq!((&status["batch_id"], &status["file_name"]), (&json!(batch), &json!(name)));
        assert_eq!((&status["status"], &status["progress"]), (&json!("completed"), &json!(100.0)));
        assert_eq!((&status["rows_processed"], &status["total_rows"]), (&json!(1), &json!(1)));
        assert_eq!((&status["total_files"], &status["successful_files"]), (&json!(3), &json!(3)));
        assert_eq!((&status["failed_files"], &status["errors"]), (&json!(0), &json!([])));
        is_duration(&status["estimated_eta"]);
        for member in ["created_at", "updated_at"] {
            assert!(status[member].as_str().unwrap().ends_with('Z'), "{status}");
        }
    }
    let orders = server.rows("select order_code from transactions order by 1").await;
    assert_eq!(orders, [["A"], ["B"], ["C"]]);
    let job = server.load("products", Upload::csv("SKU,Name\nA,A\n")).await["jobId"].clone();
    for unknown in ["999", "x", &job.to_string()] {
        let answer = server.get(&format!("/api/dropship/import-status/{unknown}")).await;
        answer.assert_problem(404, "job_not_found");
    }
});

both!(bad_files_and_bad_rows_stop_nothing_and_are_reported, |server| {
    let bad_row = order("B", &[("S-1", "two", "Shopee", "January"), ("S-2", "1", "Shopee", "May")]);
    let good = one("A");
    let files = [("good.csv", good.as_str()), ("bad.csv", "Colour\nred\n"), ("row.csv", &bad_row)];
    let answer = post(server, &files, &[]).await;
    assert_eq!(answer.json["use_streaming"], false);
    let report = &answer.json;
    assert_eq!((&report["status"], &report["total_files"]), (&json!("partial_success"), &json!(3)));
    assert_eq!((&report["successful_files"], &report["failed_files"]), (&json!(2), &json!(1)));
    assert_eq!(report["errors"][0]["file"], "bad.csv");
    let [good, row] = batches(&answer)[..] else { panic!("{}", answer.text()) };
    server.finished(row).await;
    assert_eq!(ended(server, good).await["status"], "completed", "the others do not change it");
    let report = ended(server, row).await;
    assert_eq!(report["status"], "partial_success");
    assert_eq!((&report["rows_processed"], &report["failed_rows"]), (&json!(2), &json!(1)));
    assert_eq!((&report["successful_files"], &report["failed_files"]), (&json!(2), &json!(1)));
    let of_row = report["errors"].as_array().unwrap().last().unwrap();
    assert_eq!(members(of_row), ["details", "error", "file", "row_number"]);
    assert_eq!((&of_row["file"], &of_row["row_number"]), (&json!("row.csv"), &json!(2)));
    assert_eq!(of_row["error"], "invalid data format in row 2");
    assert!(of_row["details"].as_str().unwrap().starts_with("qty field: `two`"), "{of_row}");
    let errors = server.get(report["errors_url"].as_str().unwrap()).await;
    assert_eq!(errors.ok()["total"], 1);

    let refused = post(server, &files[1..2], &[]).await;
    refused.assert_problem(422, "no_header");
    let refused = post(server, &[files[1], files[1]], &[]).await;
    refused.assert_problem(422, "all_files_refused");
    post(server, &[], &[("channel", "x")]).await.assert_problem(400, "no_file");
    let unknown = post(server, &files[..1], &[("colour", "red")]).await;
    unknown.assert_problem(400, "unknown_option");
});

both!(rows_of_another_channel_are_counted_and_listed, [("LOADBAY_CHUNK_ROWS", "2")], |server| {
    let lines = [
        ("S-1", "1", "SHOPEE ", "January"),
        ("S-2", "bad", "Tokopedia", "January"),
        ("S-3", "1", "", "January"),
        ("S-4", "1", "Shopee", "January"),
        ("S-4", "2", "Lazada", "January"),
    ];
    let text = order("A", &lines);
    let answer = post(server, &[("mixed.csv", &text)], &[("channel", "Shopee")]).await;
    let [batch] = batches(&answer)[..] else { panic!("{}", answer.text()) };
    let report = ended(server, batch).await;
    assert_eq!(report["status"], "completed");
    assert_eq!((&report["rows_processed"], &report["skipped_rows"]), (&json!(5), &json!(2)));
    assert_eq!(report["failed_rows"], 0);
    let rows: Vec<_> = report["errors"].as_array().unwrap().iter().collect();
    assert_eq!((&rows[0]["row_number"], &rows[1]["row_number"]), (&json!(3), &json!(6)));
    assert_eq!((rows.len(), &rows[0]["error"]), (2, &json!("row 3 is of another channel")));
    assert!(rows[0]["details"].as_str().unwrap().contains("`Tokopedia`"), "{report}");
    let stored = server.rows("select sku, qty from transactions order by sku").await;
    assert_eq!(stored, [["S-1", "1"], ["S-3", "1"], ["S-4", "1"]]);
    check_guarantees(server, batch).await;
    let errors = server.errors(batch, "").await;
    assert_eq!(errors.ok()["errors"][0]["code"], "other_value");
    // Without a channel, all rows are taken.
    let answer = post(server, &[("mixed.csv", &text)], &[("channel", " ")]).await;
    let report = ended(server, batches(&answer)[0]).await;
    assert_eq!((&report["failed_rows"], &report["skipped_rows"]), (&json!(1), &json!(0)));
});

both!(active_imports_are_listed_and_forced, |server| {
    let hold = Hold::new(server.folder());
    server.terminate();
    server.restart_with(&[("FAILPOINTS", &hold.at("partition.after"))]);
    let (first, second, third) = (one("A"), one("B"), one("C"));
    let files = [("a.csv", first.as_str()), ("b.csv", &second), ("c.csv", &third)];
    let answer = post(server, &files, &[]).await;
    let [first, second, third] = batches(&answer)[..] else { panic!("{}", answer.text()) };
    server.until(first, |job| job["status"] == "processing").await;
    let active = get(server, "/api/dropship/bulk-import-status").await;
    let queue = &active["queue_status"];
    assert_eq!((&queue["queue_length"], &queue["active_jobs"]), (&json!(2), &json!(1)));
    assert_eq!((&queue["max_workers"], &queue["queue_capacity"]), (&json!(2), &json!(1000)));
    let listed = active["active_jobs"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["batch_id"]), (3, &json!(first)));
    assert!(listed[0]["started_at"].is_string(), "{active}");
    let force = async |batch: i64| {
        let path = format!("/api/dropship/force-process/{batch}");
        let answer = server.send(server.request(Method::POST, &path)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json
    };
    assert_eq!(force(third).await["message"], format!("Batch {third} is processed next"));
    assert_eq!(force(first).await["status"], "processing", "it moves already");
    hold.release();
    for batch in [first, second, third] {
        assert_eq!(ended(server, batch).await["status"], "completed");
    }
    let started = "select id from import_log order by started_at";
    let expected = [first, third, second].map(|id| vec![id.to_string()]);
    assert_eq!(server.rows(started).await, expected);
    assert_eq!(force(first).await["message"], format!("Batch {first} is completed already"));
    let active = get(server, "/api/dropship/bulk-import-status").await;
    assert_eq!(active["active_jobs"], json!([]));
    let stats = json!({"total_files": 3, "processed_files": 3, "failed_files": 0, "total_rows": 3,
        "processed_rows": 3, "failed_rows": 0});
    assert_eq!(active["streaming_stats"], stats);
});

both!(a_failed_batch_is_forced_by_importing_its_file_again, |server| {
    let text = order("A", &[("S-1", "x", "Shopee", "January")]);
    let answer = post(server, &[("a.csv", &text)], &[("onError", "abort")]).await;
    let batch = batches(&answer)[0];
    let report = ended(server, batch).await;
    assert_eq!((&report["status"], &report["failed_files"]), (&json!("failed"), &json!(1)));
    let path = format!("/api/dropship/force-process/{batch}");
    let again = server.send(server.request(Method::POST, &path)).await;
    assert_eq!((again.status, &again.json["retry_of"]), (200, &json!(batch)), "{}", again.text());
    server.finished(again.json["batch_id"].as_i64().unwrap()).await;
});

both!(metrics_are_sums_over_the_imported_order_lines, |server| {
    let a = order("A", &[("S-1", "2", "Shopee", "January"), ("S-2", "3", "Shopee", "January")]);
    let b = order("B", &[("S-1", "5", "Lazada", "February")]);
    for batch in batches(&post(server, &[("a.csv", &a), ("b.csv", &b)], &[]).await) {
        ended(server, batch).await;
    }
    let january = get(server, "/api/metrics?shop=MyStore&period=2024-01").await;
    let expected = json!({"shop": "MyStore", "period": "2024-01", "orders": 1, "transactions": 2,
        "quantity": 5, "product_cost": 60_000.2, "other_fees": 2000.0, "partner_fees": 1000.4,
        "total": 63_000.6, "revenue": 88_000.0, "potential_profit": 24_999.4});
    assert_eq!(january, expected);
    let all = get(server, "/api/metrics").await;
    assert_eq!((&all["orders"], &all["quantity"]), (&json!(2), &json!(10)));
    assert_eq!(get(server, "/api/metrics?period=2024-02-15").await["orders"], 1);
    assert_eq!(get(server, "/api/metrics?shop=Nobody").await["transactions"], 0);
    let wrong = server.get("/api/metrics?period=January").await;
    wrong.assert_problem(400, "invalid_option");
});

both!(the_server_says_what_it_measured_of_itself, |server| {
    let path = "/api/dropship/import-recommendations?file_count=100&avg_file_size=52428800";
    let advice = get(server, path).await;
    assert_eq!(members(&advice), ["estimated_time", "recommendations"]);
    let sentences = advice["recommendations"].as_array().unwrap();
    assert!(sentences[1].as_str().unwrap().starts_with("Large files detected"), "{advice}");
    // Before the first import: 5,242,880,000 bytes at the pace of the documentation.
    assert_eq!(advice["estimated_time"], "16m11s");
    let before = get(server, "/api/performance").await;
    assert_eq!(
        (&before["imports_measured"], &before["rows_per_second"]),
        (&json!(0), &json!(null))
    );

    let text = one("A");
    ended(server, batches(&post(server, &[("a.csv", &text)], &[]).await)[0]).await;
    let after = get(server, "/api/performance").await;
    assert_eq!((&after["imports_measured"], &after["success_rate"]), (&json!(1), &json!(1.0)));
    assert!(after["rows_per_second"].as_u64().is_some(), "{after}");
    let memory = get(server, "/api/memory-stats").await;
    let bytes = |name: &str| memory[name].as_u64().unwrap();
    assert!(bytes("current_memory_usage") > 1 << 20, "{memory}");
    assert!(bytes("max_memory_usage") >= bytes("allocated_memory"), "{memory}");
    assert!(bytes("system_memory") > 0 && bytes("total_allocated") > 0, "{memory}");
    assert_eq!((&memory["gc_count"], &memory["last_gc_time"]), (&json!(0), &json!(null)));
    let pressure = memory["memory_pressure"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&pressure), "{memory}");
});

both!(the_old_call_is_taken_from_curl, |server| {
    std::fs::write(server.folder().join("data.csv"), one("A")).unwrap();
    let url = format!("{}/api/dropship/import", server.address());
    let Some(told) = curl(server, &["-X", "POST", "-F", "file=@data.csv", &url]) else { return };
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["queued_files"], 1);
    ended(server, told["batch_ids"][0].as_i64().unwrap()).await;
    assert_eq!(server.rows("select order_code from transactions").await, [["A"]]);
});
