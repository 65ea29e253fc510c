//! The first rows, with what is wrong with them.

use serde_json::{Value, json};

use super::{codes, each, seen};
use crate::support::{Kind, Server, Upload};

/// Twelve rows; the faulty ones have one of each kind.
const TEXT: &str = "SKU,Name,MRP,Is Active,Note\n\
                    A-1,Arnica,3,yes,x\n\
                    ,Belladonna,x,perhaps,\n\
                    A-3,Calendula\n\
                    A-4\n\
                    \n\
                    A-5,\"Dros\nera\",\"1,5\",no,,,surplus\n\
                    A-6,Echinacea,-1,,y\n\
                    A-1,Arnica again,4,yes,z\n\
                    A-8,Gelsemium,5,1,z\n\
                    A-9,Hepar,6,0,z\n\
                    A-10,Ignatia,7,true,late\n\
                    A-11,Kalium,bad,true,w\n\
                    A-12,Lachesis,bad,true,w\n";

#[tokio::test]
async fn the_first_ten_rows_are_shown_with_the_errors_that_the_job_reports() {
    let server = Server::start(Kind::Sqlite).await;
    let data = seen(&server, Upload::csv(TEXT)).await;
    let rows = data["rows"].as_array().unwrap();
    let numbers = [2, 3, 4, 5, 7, 8, 9, 10, 11, 12];
    assert_eq!(each(&data["rows"], "rowNumber"), numbers.map(Value::from).each_ref());
    assert_eq!(rows[3]["cells"], json!(["A-4"]), "as many as the row has");
    assert_eq!(rows[4]["cells"], json!(["A-5", "Dros\nera", "1,5", "no", "", "", "surplus"]));

    let job = server.load("products", Upload::csv(TEXT)).await;
    let found = server.errors(job["jobId"].as_i64().unwrap(), "").await.ok()["errors"].clone();
    for row in rows {
        let mut of_row: Vec<Value> = found.as_array().unwrap().clone();
        of_row.retain(|error| error["rowNumber"] == row["rowNumber"]);
        for error in &mut of_row {
            let error = error.as_object_mut().unwrap();
            error.retain(|member, _| !["rowNumber", "line", "key"].contains(&member.as_str()));
        }
        assert_eq!(row["errors"], Value::from(of_row), "{row}");
    }
    assert_eq!(codes(&rows[1]["errors"]), ["required", "not_a_number", "not_a_boolean"]);
    assert_eq!(codes(&rows[4]["errors"]), ["too_many_columns"]);
    assert_eq!(codes(&rows[6]["errors"]), [""; 0], "that an earlier row has the key is no fault");
}

#[tokio::test]
async fn samples_are_different_and_not_empty_and_from_the_first_twenty_rows() {
    let server = Server::start(Kind::Sqlite).await;
    let mut text = "SKU,Name,Brand,Form\n".to_owned();
    for row in 1..=30 {
        let brand = if row < 15 { " ".to_owned() } else { format!(" Brand {row} ") };
        let form = if row < 25 { "drops" } else { "tablets" };
        text.push_str(&format!("A-{row},Arnica,{brand},{form}\n"));
    }
    let data = seen(&server, Upload::csv(&text)).await;
    assert_eq!(data["rows"].as_array().unwrap().len(), 10);
    assert_eq!(
        each(&data["columns"], "samples"),
        [
            &json!(["A-1", "A-2", "A-3"]),
            &json!(["Arnica"]),
            &json!(["Brand 15", "Brand 16", "Brand 17"]),
            &json!(["drops"]),
        ]
    );
}

#[tokio::test]
async fn long_cells_are_shortened_as_in_row_errors() {
    let server = Server::start(Kind::Sqlite).await;
    let text = format!("SKU,Name,MRP\nA,{},{}\n", "ä".repeat(101), "ö".repeat(5000));
    let data = seen(&server, Upload::csv(&text)).await;
    let short = |letter: &str| Value::from(format!("{}…", letter.repeat(99)));
    let row = &data["rows"][0];
    assert_eq!(row["cells"], json!(["A", short("ä"), short("ö")]));
    assert_eq!(row["errors"][0]["value"], short("ö"));
    assert_eq!(data["columns"][1]["samples"], json!([short("ä")]));
}

#[tokio::test]
async fn a_list_of_failed_rows_is_shown_as_it_will_be_read() {
    let server = Server::start(Kind::Sqlite).await;
    let text = "SKU,Name,MRP,_row,_error\n'-A,'=Arnica,#VALUE!,7,why\n";
    let data = seen(&server, Upload::csv(text)).await;
    assert_eq!(data["ready"], true);
    assert_eq!(data["columns"][3]["column"], json!(null));
    let row = &data["rows"][0];
    assert_eq!(row["cells"], json!(["-A", "=Arnica", "#VALUE!", "7", "why"]));
    assert_eq!(codes(&row["errors"]), ["cell_error"]);
}

#[tokio::test]
async fn numbers_are_read_by_the_separator_that_was_found_or_asked_for() {
    let server = Server::start(Kind::Sqlite).await;
    let text = "SKU;Name;MRP\nA;Arnica;12,50\nB;Belladonna;1.234\n";
    let data = seen(&server, Upload::csv(text)).await;
    assert_eq!(data["detected"]["decimal"], "comma");
    assert_eq!(each(&data["rows"], "errors"), [&json!([]), &json!([])]);
    let data = seen(&server, Upload::csv(text).option("decimal", "point")).await;
    assert_eq!(codes(&data["rows"][0]["errors"]), ["not_a_number"]);
}
