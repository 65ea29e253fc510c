//! The scripts of the older clients' pages, as their documents print them, in a page of this server.

use serde_json::json;

use crate::files::medicine_list;
use crate::visits;
use crate::web::{Reply, Web};

const LIST: &str = include_str!("../../samples/swim_events.dsv7");

/// Keeps what the page writes to its console.
const LISTEN: &str = "\
    window.said = [];
    const log = console.log;
    console.log = (...words) => { window.said.push(words); log(...words); };
";

const SESSION: &str = include_str!("../fixtures/older_clients/session.js");
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

// Only the two addresses of the document are this test's.
visits!(
    a_session_fills_the_progress_bar_and_the_log,
    [("LOADBAY_FETCH_NETWORKS", "127.0.0.1"), ("LOADBAY_FETCH_PORTS", "any")],
    |server, visit| {
        let web = Web::start(|_, _| Reply::file(LIST));
        // The stream ends, and the document's script writes that to the console as an error.
        visit.pardon("SSE Error");
        let script = SESSION
            .replace("http://localhost:8080", server.address())
            .replace("https://example.com/file.dsv", &web.url("/file.dsv"));
        let page = "document.body.insertAdjacentHTML('beforeend', `<div id=progress-bar></div>\
             <p id=progress-text></p><div id=log-container></div>`);";
        visit.run(&format!("{LISTEN}{page}{script}"), &[]).await;
        visit.until("text('#progress-text') === '100.0%'", &[]).await;
        visit
            .until("one('#log-container').lastElementChild.className === 'log-success'", &[])
            .await;
        assert_eq!(
            visit.run("return document.getElementById('progress-bar').style.width", &[]).await,
            "100%"
        );
        let said = visit.run("return window.said.map(([words]) => words)", &[]).await;
        assert!(said.as_array().unwrap().contains(&json!("Import started successfully")), "{said}");
        let levels = "return [...document.querySelectorAll('#log-container > div')]\
             .every((line) => /^log-(info|success|warning|error)$/.test(line.className))";
        assert_eq!(visit.run(levels, &[]).await, true);
        let events =
            server.rows("select meeting, count(*) from swim_events group by meeting").await;
        assert_eq!(events, [["meeting-123", "5"]]);
    }
);
