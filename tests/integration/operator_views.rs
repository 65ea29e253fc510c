//! The statements of an older system's operators run as they are printed.

use crate::support::*;

both!(the_statements_of_an_older_system_run_as_printed, |server| {
    server.load("products", Upload::csv("SKU,Name\nA-1,Arnica\n,Nobody\n")).await;
    server.load("products", Upload::csv("SKU,Name\nA-2,Belladonna\n")).await;
    let dry = Upload::csv("SKU,Name\nA-3,Calendula\n").option("dryRun", "true");
    server.load("products", dry).await;
    for (which, ids) in [
        ("ORDER BY \"createdAt\" DESC LIMIT 10", vec!["2", "1"]),
        ("AND \"completedAt\" IS NULL", vec![]),
        ("AND \"errorCount\" > 0", vec!["1"]),
    ] {
        let whole = format!("SELECT * FROM \"ImportLog\" WHERE type = 'PARTS' {which};");
        server.database.execute(&whole).await;
        let sql = format!("SELECT id FROM \"ImportLog\" WHERE type = 'PARTS' {which}");
        assert_eq!(server.rows(&sql).await.concat(), ids, "{which}");
    }
    let errors = "SELECT \"importLogId\", \"rowNumber\", code FROM \"ImportErrorsLog\"";
    assert_eq!(server.rows(errors).await.concat(), ["1", "3", "required"]);
});
