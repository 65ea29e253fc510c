//! Row errors by kind.

use serde_json::json;

use super::forms::GOOD;
use crate::support::{self, Upload, both};

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

both!(groups_of_what_is_no_job_are_refused, |server| {
    for id in ["999", "0", "x"] {
        let answer = server.get(&format!("/api/v1/import/jobs/{id}/errors/groups")).await;
        answer.assert_problem(404, "job_not_found");
    }
    server.load("products", Upload::csv(GOOD)).await;
    let answer = server.get("/api/v1/import/jobs/1/errors/groups?limit=3").await;
    answer.assert_problem(400, "unknown_option");
});
