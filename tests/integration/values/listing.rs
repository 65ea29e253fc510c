//! The pages of row errors.

use crate::support::{Upload, both};

/// `rows` rows of which every third has no name.
fn text(rows: usize) -> String {
    let row = |n: usize| format!("S{n},{}\n", if n.is_multiple_of(3) { "" } else { "Arnica" });
    "SKU,Name\n".to_owned() + (1..=rows).map(row).collect::<String>().as_str()
}

both!(every_error_is_on_one_page, [("LOADBAY_CHUNK_ROWS", "7")], |server| {
    let job = server.load("products", Upload::csv(&text(100))).await["jobId"].as_i64().unwrap();
    let (mut numbers, mut query, mut pages) = (Vec::new(), "?limit=10".to_owned(), 0);
    loop {
        let page = server.errors(job, &query).await.ok().clone();
        assert_eq!((&page["total"], &page["stored"]), (&33.into(), &33.into()));
        assert_eq!(page["truncated"], false);
        let errors = page["errors"].as_array().unwrap();
        assert!(errors.len() <= 10);
        numbers.extend(errors.iter().map(|error| error["rowNumber"].as_u64().unwrap()));
        pages += 1;
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        query = format!("?limit=10&cursor={cursor}");
    }
    assert_eq!(pages, 4);
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=33).map(|n| n * 3 + 1).collect::<Vec<_>>());
});

both!(
    what_the_table_does_not_hold_is_in_the_file,
    [("LOADBAY_MAX_STORED_ERRORS", "5")],
    |server| {
        let job = server.load("products", Upload::csv(&text(60))).await["jobId"].as_i64().unwrap();
        let page = server.errors(job, "").await.ok().clone();
        assert_eq!(page["errors"].as_array().unwrap().len(), 5);
        assert_eq!((&page["total"], &page["stored"]), (&20.into(), &5.into()));
        assert_eq!(page["truncated"], true);
        let path = page["links"]["errorsCsv"].as_str().unwrap();
        assert_eq!(server.get(path).await.text().lines().count(), 21);
    }
);

both!(a_bad_page_is_refused, |server| {
    let job = server.load("products", Upload::csv(&text(9))).await["jobId"].as_i64().unwrap();
    for (query, code) in [
        ("?cursor=zzz", "invalid_option"),
        ("?limit=0", "invalid_option"),
        ("?limit=x", "invalid_option"),
        ("?page=2", "unknown_option"),
    ] {
        server.errors(job, query).await.assert_problem(400, code);
    }
    server.errors(99, "").await.assert_problem(404, "job_not_found");
    server.errors_file(99, "csv").await.assert_problem(404, "job_not_found");
    server.errors_file(99, "xlsx").await.assert_problem(404, "job_not_found");
});
