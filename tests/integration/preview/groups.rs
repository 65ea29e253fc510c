//! Row errors by kind.

use serde_json::{Value, json};

use crate::support::{Upload, both};
use crate::upload::forms::GOOD;

both!(groups_are_listed_most_frequent_first, |server| {
    let job = server.load("products", Upload::csv(GOOD)).await["jobId"].as_i64().unwrap();
    let path = format!("/api/v1/import/jobs/{job}/errors/groups");
    let none = json!({"groups": [], "total": 0});
    assert_eq!(server.get(&path).await.ok(), &none, "nothing is wrong with this file");

    let groups = format!(
        "insert into import_error_groups \
         (import_log_id, code, column_name, error_count, first_row, message, value) values \
         ({job}, 'missing_columns', '', 2, 40, 'the row has 1 cell', null), \
         ({job}, 'not_a_number', 'mrp', 10, 17, '`x` is not a number', 'x'), \
         ({job}, 'required', 'name', 2, 5, 'Name is required', null)"
    );
    server.database.execute(&groups).await;
    assert_eq!(
        server.get(&path).await.ok(),
        &json!({"groups": [
            {"code": "not_a_number", "column": "mrp", "count": 10, "firstRow": 17,
             "message": "`x` is not a number", "value": "x"},
            {"code": "missing_columns", "column": null, "count": 2, "firstRow": 40,
             "message": "the row has 1 cell", "value": null},
            {"code": "required", "column": "name", "count": 2, "firstRow": 5,
             "message": "Name is required", "value": null},
        ], "total": 14})
    );
    // What was put there is no error of the job.
    server.database.execute("delete from import_error_groups").await;
});

both!(
    every_error_is_counted_also_those_that_the_list_has_no_room_for,
    [("LOADBAY_CHUNK_ROWS", "7"), ("LOADBAY_MAX_STORED_ERRORS", "4")],
    |server| {
        let mut text = "SKU,Name,MRP\n".to_owned();
        for row in 2..=61 {
            let name = if row % 10 == 0 { "" } else { "Arnica" };
            let price = if row % 3 == 0 { format!("x{row}") } else { row.to_string() };
            let line =
                if row % 20 == 1 { format!("S-{row}") } else { format!("S-{row},{name},{price}") };
            text.push_str(&line);
            text.push('\n');
        }
        let job = server.load("products", Upload::csv(&text)).await["jobId"].as_i64().unwrap();
        let listed = server.errors(job, "").await.ok().clone();
        assert_eq!((&listed["stored"], &listed["truncated"]), (&json!(4), &json!(true)));

        let data =
            server.get(&format!("/api/v1/import/jobs/{job}/errors/groups")).await.ok().clone();
        let found: Vec<_> = data["groups"].as_array().unwrap().iter().map(counted).collect();
        // Of 20 prices that are no number, row 21 has too few cells to have one.
        let expected = [
            ("not_a_number", "mrp", 19, 3),
            ("required", "name", 6, 10),
            ("missing_columns", "", 3, 21),
        ];
        assert_eq!(found, expected, "{data}");
        assert_eq!(data["total"], 28);
        assert_eq!(data["groups"][0]["value"], "x3");
        assert_eq!(data["groups"][0]["message"], listed["errors"][0]["message"]);
    }
);

/// Code, column, count and first row of a group.
fn counted(group: &Value) -> (&str, &str, u64, u64) {
    let number = |member: &str| group[member].as_u64().unwrap();
    let column = group["column"].as_str().unwrap_or_default();
    (group["code"].as_str().unwrap(), column, number("count"), number("firstRow"))
}

both!(groups_of_what_is_no_job_are_refused, |server| {
    for id in ["999", "0", "x"] {
        let answer = server.get(&format!("/api/v1/import/jobs/{id}/errors/groups")).await;
        answer.assert_problem(404, "job_not_found");
    }
    server.load("products", Upload::csv(GOOD)).await;
    let answer = server.get("/api/v1/import/jobs/1/errors/groups?limit=3").await;
    answer.assert_problem(400, "unknown_option");
});
