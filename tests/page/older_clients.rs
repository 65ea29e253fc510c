//! The scripts of the older clients' pages, as their documents print them, in a page of this server.

use serde_json::json;

use crate::files::medicine_list;
use crate::visits;

/// Keeps what the page writes to its console.
const LISTEN: &str = "\
    window.said = [];
    const log = console.log;
    console.log = (...words) => { window.said.push(words); log(...words); };
";

const UPLOAD_AND_MONITOR: &str = include_str!("../fixtures/older_clients/upload_and_monitor.js");

visits!(upload_and_monitor_runs_unchanged_with_its_cookie, |server, visit| {
    let script = format!(
        "{LISTEN}
        document.cookie = 'token=YOUR_TOKEN; path=/';
        const file = new File([arguments[0]], 'products.csv');
        const formData = new FormData();
        formData.append('file', file);
        {UPLOAD_AND_MONITOR}
        return uploadAndMonitor(file);"
    );
    let list = String::from_utf8(medicine_list()).unwrap();
    visit.run(&script, &[json!(list)]).await;
    let finished = "window.said.find(([words]) => words === 'Import finished:')?.[1]";
    let status = visit.until(finished, &[]).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["results"]["totalRows"], 24, "{status}");
    assert_eq!(status["results"]["successCount"], 24, "{status}");
    let said = visit.run("return window.said.map(([words]) => words)", &[]).await;
    assert!(said.as_array().unwrap().contains(&json!("Progress: 100%")), "{said}");
    assert_eq!(visit.run("return document.cookie", &[]).await, "token=YOUR_TOKEN");
    assert_eq!(server.rows("select count(*) from products").await, [["24"]]);
});
