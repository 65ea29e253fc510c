//! Meet definition lists: every event is a row with its meeting in the key, every line with a fault is
//! told with its number and element, and what is no such list is refused.

use std::io::Write;
use std::path::PathBuf;

use zip::write::SimpleFileOptions;

use crate::support::{Upload, both};

const SAMPLE: &str = include_str!("../../../samples/swim_events.dsv7");
const EVENTS: &str = "swim_events";

fn list(text: &str) -> Upload {
    Upload::file("2026-11-22-Dresden-Wk.dsv7", text)
}

both!(a_list_is_imported_as_its_events, |server| {
    let status = server.load(EVENTS, list(SAMPLE)).await;
    assert_eq!(status["counts"]["created"], 5, "{status}");
    assert_eq!(status["detected"]["format"], "dsv");
    assert_eq!(status["detected"]["meet"]["meeting"], "Herbstschwimmfest 2026-11-21");
    assert_eq!(status["warnings"].as_array().map(Vec::len), Some(0), "{status}");
    let rows = server
        .rows(
            "select meeting, event_number, kind, city, section, section_start, swimmers, stroke, \
             qualifying_event, fee from swim_events order by place_in_order",
        )
        .await;
    let meeting = "Herbstschwimmfest 2026-11-21";
    let rows: Vec<Vec<&str>> =
        rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    assert_eq!(rows[0][..8], [meeting, "1", "V", "Dresden", "1", "09:00", "1", "F"]);
    assert_eq!(rows[2][..9], [meeting, "1", "F", "Dresden", "2", "00:30", "1", "F", "1"]);
    assert_eq!(rows[4][..8], [meeting, "3", "E", "Dresden", "3", "09:00", "4", "L"]);
    assert!(rows[1][9].starts_with('6'), "{rows:?}");

    let again = server.load(EVENTS, list(&SAMPLE.replace("6,00;2;", "7,00;2;"))).await;
    assert_eq!(again["counts"]["unchanged"], 3, "{again}");
    assert_eq!(again["counts"]["updated"], 2, "{again}");
});

both!(the_client_names_the_meeting_and_chooses_events, |server| {
    let upload = list(SAMPLE)
        .field("meeting", "meeting-123")
        .field("includeEvents", "1,3")
        .field("excludeEvents", "3, 99");
    let status = server.load(EVENTS, upload).await;
    assert_eq!(status["counts"]["created"], 2, "{status}");
    assert_eq!(status["warnings"][0]["code"], "unknown_events");
    let rows = server.rows("select distinct meeting, event_number from swim_events").await;
    assert_eq!(rows, [["meeting-123", "1"]]);

    server.load(EVENTS, list(SAMPLE).option("meeting", "meeting-124")).await;
    let rows = server.rows("select count(*) from swim_events").await;
    assert_eq!(rows, [["7"]], "the same events of another meeting are others");
    let refused = server.upload(EVENTS, list(SAMPLE).option("excludeEvents", "one")).await;
    refused.assert_problem(400, "invalid_option");
});

both!(each_faulty_line_is_a_row_that_failed, |server| {
    let text = SAMPLE
        .replace("WETTKAMPF:2;F;2;1;100;F", "WETTKAMPF:2;F;2;1;100;Q")
        .replace("21.11.2026;08:00;08:30;09:00", "21.11.2026;08:00;08:30;25:00");
    let job = server.load(EVENTS, list(&text)).await;
    assert_eq!(job["counts"]["failed"], 4, "{job}");
    assert_eq!(job["counts"]["created"], 2, "{job}");
    let id = job["jobId"].as_i64().unwrap();
    let errors = server.errors(id, "?limit=500").await.ok()["errors"].clone();
    let found = errors.as_array().unwrap();
    let sentences: Vec<&str> = found.iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!(
        sentences,
        [
            "line 11, ABSCHNITT: Anfangszeit is `25:00`, but must be a time of day such as 08:45",
            "line 14, WETTKAMPF: the file has no ABSCHNITT 1 for it",
            "line 15, WETTKAMPF: the file has no ABSCHNITT 1 for it",
            "line 17, WETTKAMPF: Technik is `Q`, but must be one of F, R, B, S, L, X",
        ]
    );
    assert!(found.iter().all(|it| it["code"] == "malformed_row"), "{found:?}");
});

both!(what_is_no_definition_list_is_refused_with_its_line, |server| {
    let refuse = async |text: &str| {
        let answer = server.upload(EVENTS, list(text)).await;
        answer.assert_problem(422, "invalid_meet_list");
        answer.json["detail"].as_str().unwrap().to_owned()
    };
    let results = refuse(&SAMPLE.replace("definitions", "ergebnis")).await;
    assert!(results.starts_with("Line 2, FORMAT: the list is a `Wettkampfergebnisliste`"));
    let version = refuse(&SAMPLE.replace("liste;7", "liste;9")).await;
    assert!(version.contains("the server reads the formats 6 to 8"), "{version}");
    let cut = refuse(SAMPLE.split_at(SAMPLE.len() - 40).0).await;
    assert!(cut.starts_with("Line 28: the file ends without DATEIENDE"), "{cut}");
    let table = refuse("sku,name\nA1,Arnica\n").await;
    assert!(table.contains("the first element must be FORMAT"), "{table}");
    let long = refuse(&[SAMPLE, &"(* *)\n".repeat(200_000)].concat()).await;
    assert!(long.contains("at most 1048576 bytes"), "{long}");

    let other = server.upload("products", list(SAMPLE)).await;
    other.assert_problem(422, "no_header");
    let named = server.upload(EVENTS, Upload::file("list.csv", SAMPLE)).await;
    named.assert_problem(415, "format_mismatch");
});

both!(older_and_packed_lists_are_read, |server| {
    let older = SAMPLE.replace("liste;7", "liste;6");
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&older);
    let upload = Upload::file("list.DSV6", bytes.to_vec()).option("meeting", "older");
    let upload = upload.option("encoding", "windows-1252");
    let status = server.load(EVENTS, upload).await;
    assert_eq!(status["counts"]["created"], 5, "{status}");

    let newer = SAMPLE.replace("liste;7", "liste;8");
    let packed = zipped(&[("list.DSV8", &newer)]);
    let upload = Upload::file("list.DSV8z", packed).option("meeting", "packed");
    let status = server.load(EVENTS, upload).await;
    assert_eq!(status["counts"]["created"], 5, "{status}");
    assert_eq!(status["detected"]["format"], "dsv");

    let two = zipped(&[("a.DSV8", &newer), ("b.DSV8", &newer)]);
    let answer = server.upload(EVENTS, Upload::file("list.DSV8z", two)).await;
    answer.assert_problem(422, "invalid_meet_list");
    let broken = Upload::file("list.DSV8z", b"PK\x03\x04 and no archive".to_vec());
    server.upload(EVENTS, broken).await.assert_problem(422, "invalid_meet_list");
});

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

// The lists of real meetings beside the project; where they are missing the test says so and passes.
both!(every_list_of_the_corpus_is_read_or_refused, |server| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora/dsv");
    // Events that are created, rows that fail, and codes of warnings.
    let expected: [(&str, u64, u64, &[&str]); 8] = [
        ("delta-wettkampfdefinitionsliste-verstoss.dsv7", 0, 4, &["extra_attributes"]),
        ("dsc-2025-11-02-Dresden-Wk.dsv7", 54, 0, &[]),
        ("gh-dsvparser-definition.dsv7", 6, 0, &["dangling_reference"]),
        ("gh-swimresults-2023-12-10-Marienbe-Wk.dsv7", 70, 0, &[]),
        ("gh-swimresults-Definitionsdatei.dsv6", 70, 0, &[]),
        ("lastschrift-dsv8.dsv8", 1, 0, &[]),
        ("nachweis.dsv7", 1, 0, &[]),
        ("pflichtzeit.dsv7", 1, 0, &[]),
    ];
    for (name, created, failed, warnings) in expected {
        let Ok(bytes) = std::fs::read(folder.join(name)) else {
            println!("there is no {name} beside the project");
            return;
        };
        let upload = Upload::file(name, bytes).option("meeting", name);
        let status = server.load(EVENTS, upload).await;
        let counts = (&status["counts"]["created"], &status["counts"]["failed"]);
        assert_eq!(counts, (&created.into(), &failed.into()), "{name}: {status}");
        let told = status["warnings"].as_array().unwrap();
        let codes: Vec<_> = told.iter().map(|it| it["code"].as_str().unwrap()).collect();
        assert_eq!(codes, warnings, "{name}");
    }
    let results = std::fs::read(folder.join("dsc-2026-07-01-Dresden-Pr.dsv7")).unwrap();
    let answer = server.upload(EVENTS, Upload::file("results.dsv7", results)).await;
    answer.assert_problem(422, "invalid_meet_list");
    assert!(answer.text().contains("Line 3, FORMAT"), "{}", answer.text());
});
