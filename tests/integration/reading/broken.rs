//! Text files with a fault that ends them: told with its place, and nothing is written.

use crate::support::{Upload, both};

const ROWS: usize = 30;

/// A file whose fault `end` lies behind the rows that are looked at before the job begins.
fn text(end: &str) -> String {
    let rows: String = (0..ROWS).map(|n| format!("R{n},Arnica\n")).collect();
    format!("SKU,Name\n{rows}{end}")
}

both!(
    an_unclosed_quote_ends_the_job_where_it_was_opened,
    [("LOADBAY_CHUNK_ROWS", "5")],
    |server| {
        let end = format!("X,\"open\n{}", "Y,more\n".repeat(5000));
        let job = server.load("products", Upload::csv(&text(&end))).await;
        assert_eq!(job["status"], "failed");
        assert_eq!(job["errorCode"], "unclosed_quote");
        let error = job["error"].as_str().unwrap();
        assert!(error.contains("row 32 (line 32)"), "{error}");
        assert_eq!(server.database.number("select count(*) from products").await, 0);
    }
);

both!(a_quote_that_is_closed_far_away_ends_the_job_where_it_was_opened, |server| {
    let end = format!("X,\"open\n{}Z,\"\n", "Y,more\n".repeat(200_000));
    let job = server.load("products", Upload::csv(&text(&end))).await;
    assert_eq!(job["status"], "failed");
    assert_eq!(job["errorCode"], "field_too_long");
    let error = job["error"].as_str().unwrap();
    assert!(error.contains("row 32 (line 32)") && error.contains("quote"), "{error}");
    assert_eq!(server.database.number("select count(*) from products").await, 0);
});

both!(a_fault_in_the_first_rows_is_told_before_there_is_a_job, |server| {
    for (text, code) in [
        ("SKU,Name\nA,\"Arnica\nB,x\n".to_owned(), "unclosed_quote"),
        ("SKU,\"Name\nA,Arnica\n".to_owned(), "unclosed_quote"),
        (format!("SKU,Name\nA,{}\n", "x".repeat((1 << 20) + 1)), "field_too_long"),
        (format!("SKU,Name\nA,{}\n", "x,".repeat(20_000)), "field_too_long"),
    ] {
        let answer = server.upload("products", Upload::csv(&text)).await;
        answer.assert_problem(422, code);
        assert!(answer.text().contains("(line "), "{}", answer.text());
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
