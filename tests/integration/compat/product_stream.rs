//! The page of `/api/erp/products/import/stream`: uploads, and shows the answer as it comes.

use serde_json::{Value, json};

use super::calls::{Locked, broken, curl, members, messages, post, post_stream, workbook};
use crate::support::{Kind, Server, Upload, both};

const PATH: &str = "/api/erp/products/import/stream";

const TEXT: &str = "SKU,Name,Category,Brand,Potency,Form\n\
                    ARM-30C-10ML,Arnica Montana 30C,Dilutions,SBL,30C,Liquid\n\
                    BEL-200C-10ML,Belladonna 200C,Dilutions,SBL,200C,Liquid\n\
                    ,Nux Vomica 30C,Dilutions,SBL,30C,Liquid\n\
                    BRY-1,,Dilutions,Allen,30C,Globules\n";

/// Uploads a file and gives the messages of the answer.
async fn told(server: &Server, name: &str, bytes: impl Into<Vec<u8>>) -> Vec<Value> {
    let answer = post(server, PATH, name, bytes).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
    let lines = answer.text().split("\n\n").collect::<Vec<_>>();
    let (last, events) = lines.split_last().unwrap();
    assert_eq!(*last, "", "the last message is whole");
    // Its page splits at blank lines and takes what follows `data: `.
    assert!(events.iter().all(|event| event.starts_with("data: {") && !event.contains('\n')));
    let told = messages(answer.text());
    told.iter().for_each(check_shape);
    check_percentages(&told);
    told
}

#[track_caller]
fn check_shape(message: &Value) {
    let members = members(message);
    let log = ["message", "percentage", "timestamp", "type"];
    let row = ["message", "percentage", "row_number", "timestamp", "type"];
    let bare_row = ["message", "row_number", "timestamp", "type"];
    let kind = message["type"].as_str().unwrap();
    let fits = match kind {
        "log" => members == log || members == row,
        "master" => members == bare_row,
        "error" => members == bare_row || members == ["message", "timestamp", "type"],
        "complete" => members == ["data", "message", "percentage", "timestamp", "type"],
        _ => false,
    };
    assert!(fits, "{message}");
    let time = message["timestamp"].as_str().unwrap();
    assert!(time.len() == "2025-10-25T12:30:00Z".len() && time.ends_with('Z'), "{time}");
}

#[track_caller]
fn check_percentages(told: &[Value]) {
    let percentages: Vec<f64> = told.iter().filter_map(|it| it["percentage"].as_f64()).collect();
    assert!(percentages.is_sorted(), "{percentages:?}");
}

/// The lines as the page shows them.
fn lines(told: &[Value]) -> Vec<&str> {
    told.iter().map(|it| it["message"].as_str().unwrap()).collect()
}

fn percentage(message: &Value) -> f64 {
    message["percentage"].as_f64().unwrap()
}

/// The figures of the last message, without the time.
fn figures(told: &[Value]) -> Value {
    let last = told.last().unwrap();
    assert_eq!(last["type"], "complete", "{last}");
    let mut data = last["data"].clone();
    let time = data.as_object_mut().unwrap().remove("process_time").unwrap();
    let seconds = time.as_str().unwrap().strip_suffix('s').unwrap();
    assert!(seconds.parse::<f64>().is_ok() && seconds.contains('.'), "{time}");
    data
}

both!(an_upload_tells_its_log_row_by_row, |server| {
    let told = told(server, "products.csv", TEXT).await;
    let expected = [
        "📁 File uploaded successfully",
        "🔍 Parsing file...",
        "✅ Found 4 products to import",
        "  🏷️  Created category: Dilutions",
        "  🏢 Created brand: SBL",
        "  💊 Created potency: 30C",
        "  📦 Created form: Liquid",
        "✅ Row 2: Created 'Arnica Montana 30C' (SKU: ARM-30C-10ML)",
        "  💊 Created potency: 200C",
        "✅ Row 3: Created 'Belladonna 200C' (SKU: BEL-200C-10ML)",
        "❌ Row 4: SKU is required",
        "❌ Row 5: Name is required",
        "⚠️  2 rows failed: 1 × required in name (first in row 5), \
         1 × required in sku (first in row 4)",
        "🎉 Import completed successfully!",
    ];
    // Which of a row's four records is created first is not said anywhere.
    let sorted = |from: usize| {
        let mut lines = lines(&told);
        lines[3..7].sort_by_key(|line| expected.iter().position(|it| it == line));
        lines.split_off(from).iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sorted(0)[..12], expected[..12]);
    assert_eq!(sorted(13), expected[13..]);
    assert!(lines(&told)[12].starts_with("⚠️  2 rows failed: "), "{}", told[12]);

    for (index, row, reached) in [(7, 2, 33.75), (9, 3, 52.5)] {
        assert_eq!((&told[index]["row_number"], percentage(&told[index])), (&row.into(), reached));
    }
    for (index, reached) in [(0, 5.0), (1, 10.0), (2, 15.0), (13, 100.0)] {
        assert!((percentage(&told[index]) - reached).abs() < f64::EPSILON, "{}", told[index]);
    }
    for (index, kind, row) in [(3, "master", 2), (8, "master", 3), (10, "error", 4)] {
        assert_eq!((&told[index]["type"], &told[index]["row_number"]), (&kind.into(), &row.into()));
    }
    assert_eq!(
        figures(&told),
        json!({"total_rows": 4, "inserted": 2, "updated": 0, "skipped": 2,
            "errors": ["Row 4: SKU is required", "Row 5: Name is required"], "success_rate": 50.0})
    );
});

both!(what_is_there_already_is_shown_as_updated, |server| {
    let first = "SKU,Name\nA,Arnica\nB,Belladonna\n";
    server.load("products", Upload::csv(first)).await;
    let text = "SKU,Name\nA,Arnica\nB,Bryonia\nC,Old\nC,Calendula\n";
    let told = told(server, "products.xlsx", workbook(text)).await;
    assert_eq!(
        lines(&told)[3..7],
        [
            "🔄 Row 2: Updated 'Arnica' (SKU: A)",
            "🔄 Row 3: Updated 'Bryonia' (SKU: B)",
            "🔄 Row 4: Updated by row 5 with the same SKU",
            "✅ Row 5: Created 'Calendula' (SKU: C)",
        ]
    );
    assert_eq!(
        figures(&told),
        json!({"total_rows": 4, "inserted": 1, "updated": 3, "skipped": 0, "errors": [],
            "success_rate": 100.0})
    );
});

both!(every_row_is_told_however_many_there_are, [("LOADBAY_CHUNK_ROWS", "1000")], |server| {
    let rows: String = (2..=12_001).map(|row| format!("R{row},Arnica\n")).collect();
    let told = told(server, "large.csv", format!("SKU,Name\n{rows}")).await;
    let mut numbers: Vec<u64> = told.iter().filter_map(|it| it["row_number"].as_u64()).collect();
    assert_eq!(numbers.len(), 12_000);
    // Two writers may tell their chunks in any order.
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((numbers.len(), numbers[0], numbers[11_999]), (12_000, 2, 12_001));
    assert_eq!(figures(&told)["inserted"], 12_000);
    let of_rows = told.iter().filter(|it| it["row_number"].is_u64()).map(percentage);
    assert!(of_rows.fold(0.0, f64::max) > 89.9);
});

#[tokio::test]
async fn the_answer_begins_while_the_file_is_imported() {
    let (mut server, lock) = Locked::start().await;
    let mut events = post_stream(&server, PATH, "products.csv", TEXT).await;
    assert_eq!(events.response.headers()["x-accel-buffering"], "no");
    let status = events.response.headers()["location"].to_str().unwrap().to_owned();
    for line in
        ["📁 File uploaded successfully", "🔍 Parsing file...", "✅ Found 4 products to import"]
    {
        assert_eq!(events.next().await.unwrap()["message"], line);
    }
    assert_eq!(server.get(&status).await.ok()["status"], "processing");
    lock.release().await;
    assert_eq!(figures(&events.all().await)["inserted"], 2);
    server.check_every_job().await;
}

#[tokio::test]
async fn an_import_goes_on_when_the_page_is_closed() {
    let (mut server, lock) = Locked::start().await;
    let mut events = post_stream(&server, PATH, "products.csv", TEXT).await;
    events.next().await.unwrap();
    drop(events);
    lock.release().await;
    assert_eq!(server.finished(1).await["counts"]["created"], 2);
    server.check_every_job().await;
}

both!(a_file_that_breaks_off_ends_with_an_error_and_the_figures, |server| {
    let told = told(server, "broken.csv", broken()).await;
    let shown = lines(&told);
    assert_eq!(shown[..2], ["📁 File uploaded successfully", "🔍 Parsing file..."]);
    let error = &told[told.len() - 2];
    assert_eq!((&error["type"], &error["row_number"]), (&"error".into(), &Value::Null));
    assert!(error["message"].as_str().unwrap().starts_with("❌ "), "{error}");
    assert!(error["message"].as_str().unwrap().contains("quote"), "{error}");
    assert!(shown.last().unwrap().starts_with("❌ Import failed"), "{shown:?}");
    assert!(percentage(told.last().unwrap()) < 100.0);
    assert_eq!(figures(&told)["inserted"], 0);
});

#[tokio::test]
async fn a_cancelled_import_says_so() {
    let (mut server, lock) = Locked::start().await;
    let mut events = post_stream(&server, PATH, "products.csv", TEXT).await;
    events.next().await.unwrap();
    server.cancel(1).await.ok();
    let told = events.all().await;
    assert!(lines(&told).last().unwrap().starts_with("⚠️  Import cancelled"), "{told:?}");
    lock.release().await;
    server.check_every_job().await;
}

#[tokio::test]
async fn a_refused_file_is_a_plain_answer_in_its_words() {
    let settings = [("LOADBAY_MAX_UPLOAD", "10MiB")];
    let mut server = Server::start_with(Kind::Sqlite, &settings).await;
    let large = vec![b'x'; (10 << 20) + 1];
    let pdf = b"%PDF-1.7\n%\x01\x00";
    for (bytes, status, words) in [
        (large.as_slice(), 413, "File too large (max 10MB)"),
        (pdf.as_slice(), 415, "Unsupported file format"),
        (b"".as_slice(), 422, "Failed to parse file"),
        (b"Colour\nred\n".as_slice(), 422, "Failed to parse file"),
    ] {
        let answer = post(&server, PATH, "products.csv", bytes).await;
        assert_eq!((answer.status, &answer.json["error"]), (status, &words.into()));
        let message = answer.json["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("❌ {words}: ")), "{message}");
        answer.assert_problem(status, answer.code());
    }
    server.check_every_job().await;
}

both!(its_command_line_works_as_it_is_documented, |server| {
    std::fs::write(server.folder().join("products.xlsx"), workbook(TEXT)).unwrap();
    let address = format!("{}{PATH}", server.address());
    let arguments = [
        "-X",
        "POST",
        &address,
        "-H",
        "Content-Type: multipart/form-data",
        "-F",
        "file=@products.xlsx",
    ];
    let Some(answer) = curl(server, &arguments) else { return };
    let told = messages(&answer);
    told.iter().for_each(check_shape);
    assert_eq!(lines(&told)[2], "✅ Found 4 products to import");
    assert_eq!(figures(&told)["inserted"], 2);
});

#[tokio::test]
async fn the_template_has_the_name_that_its_page_saves_it_under() {
    let mut server = Server::start(Kind::Sqlite).await;
    let template = server.get("/api/erp/products/template").await;
    assert_eq!(template.status, 200);
    let disposition = template.header("content-disposition").unwrap();
    let name = "attachment; filename=\"Template_File_Medicine_Product_List.csv\"";
    assert!(disposition.starts_with(name), "{disposition}");
    assert_eq!(template.bytes, server.template("products", "csv").await.bytes);
    // Filled in as it is, it can be uploaded.
    let told = told(&server, "Template_File_Medicine_Product_List.csv", template.bytes).await;
    assert_eq!(figures(&told)["inserted"], 1);
    server.check_every_job().await;
}
