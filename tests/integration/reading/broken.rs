//! Text files with a fault: of a row, which costs that row only, or of the file, which ends it. Either
//! is told with its place.

use serde_json::json;

use crate::support::{Upload, both};

const ROWS: usize = 30;

/// A file whose fault `end` lies behind the rows that are looked at before the job begins.
fn text(end: &str) -> String {
    let rows: String = (0..ROWS).map(|n| format!("R{n},Arnica\n")).collect();
    format!("SKU,Name\n{rows}{end}")
}

both!(a_quote_that_is_never_closed_costs_its_line_only, [("LOADBAY_CHUNK_ROWS", "5")], |server| {
    let job = server.load("products", Upload::csv(&text("X,\"open\nY,more\nZ,\"last\n"))).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(
        (&job["counts"]["created"], &job["counts"]["failed"]),
        (&json!(ROWS + 1), &json!(2))
    );
    let errors = server
        .rows("select row_number, line, code, value from import_errors order by row_number")
        .await;
    assert_eq!(
        errors,
        [["32", "32", "malformed_row", "X,\"open"], ["34", "34", "malformed_row", "Z,\"last"]]
    );
    let messages = server.rows("select message from import_errors order by row_number").await;
    assert!(messages[0][0].contains("line 32"), "{messages:?}");
});

both!(a_quote_that_is_closed_far_away_swallows_no_row, |server| {
    let between: String = (0..90_000).map(|n| format!("Y{n},more Arnica\n")).collect();
    assert!(between.len() > 1 << 20, "a field may be shorter than that");
    let end = format!("X,\"open\n{between}Z,\"\n");
    let job = server.load("products", Upload::csv(&text(&end))).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(job["counts"]["created"], ROWS + 90_000);
    let failed =
        server.rows("select row_number, code from import_errors order by row_number").await;
    assert_eq!(failed, [["32", "malformed_row"], ["90033", "malformed_row"]]);
});

both!(a_record_over_two_lines_fails_with_the_line_of_its_quote, |server| {
    let end = "A,\"one\ntwo\"\nB,\"three\nfour\",\"x\" five\nC,six\n";
    let job = server.load("products", Upload::csv(&text(end))).await;
    assert_eq!(job["counts"]["created"], ROWS + 2);
    let errors = server.rows("select row_number, line, message from import_errors").await;
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0][..2], ["33", "34"]);
    assert!(errors[0][2].contains("begins in line 35"), "{errors:?}");
});

both!(rows_between_two_inch_marks_are_told, |server| {
    // Both quotes stand where the rules allow them: the text between is a cell, or three rows.
    let file = "SKU,Name,Brand\nA,\"24 wide,x\nB,Bolt,y\nC,19\",z\n";
    let job = server.load("products", Upload::csv(file)).await;
    assert_eq!(job["warnings"][0]["code"], "rows_in_quotes", "{job}");
    assert_eq!(job["warnings"][0]["examples"][0]["rowNumber"], 2);
    let strict = server.load("products", Upload::csv(file).option("strict", "true")).await;
    assert_eq!(strict["counts"]["failed"], 1);
    // In two columns: the cells do not fit the header, so they are rows.
    let file = "SKU,Name,Brand\nA,B,\"24 wide\nD,Bolt,y\nC,19\",z\n";
    let job = server.load("products", Upload::csv(file)).await;
    assert_eq!((&job["counts"]["created"], &job["counts"]["failed"]), (&json!(2), &json!(1)));
    assert_eq!(server.rows("select name from products where sku = 'C'").await, [["19\""]]);
});

both!(a_backslash_before_quotes_is_a_dialect, |server| {
    let file = "SKU,Name\nA,\"24\\\" wide, black\"\nB,\"plain\"\n";
    let job = server.load("products", Upload::csv(file)).await;
    assert_eq!(job["detected"]["escape"], "\\");
    assert_eq!(job["warnings"][0]["code"], "backslash_escapes");
    assert_eq!(
        server.rows("select name from products where sku = 'A'").await,
        [["24\" wide, black"]]
    );
    let strict = server.upload("products", Upload::csv(file).option("strict", "true")).await;
    strict.assert_problem(422, "refused_by_strict");
});

both!(a_fault_in_the_first_rows_is_told_before_there_is_a_job, |server| {
    for (text, code) in [
        ("SKU,\"Name\nA,Arnica\n".to_owned(), "unclosed_quote"),
        (format!("SKU,Name\nA,{}\n", "x".repeat((1 << 20) + 1)), "field_too_long"),
        (format!("SKU,Name\nA,{}\n", "x,".repeat(20_000)), "field_too_long"),
    ] {
        let answer = server.upload("products", Upload::csv(&text)).await;
        answer.assert_problem(422, code);
        assert!(answer.text().contains("line "), "{}", answer.text());
    }
    assert_eq!(server.database.number("select count(*) from import_log").await, 0);
});

both!(a_field_of_just_the_bound_is_a_fault_of_its_row, |server| {
    let job =
        server.load("products", Upload::csv(&text(&format!("X,{}\n", "x".repeat(1 << 20))))).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(job["counts"]["created"], ROWS);
    assert_eq!(server.rows("select code from import_errors").await, [["too_long"]]);
});
