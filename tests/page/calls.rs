//! The page of the calls: it shows the description of the API, and sends a call.

use crate::visits;

visits!(the_calls_are_shown_and_sent, |server, visit| {
    visit.go("/docs").await;
    visit.sees("#calls[aria-busy=false]").await;
    let calls = server.get("/openapi.json").await.json;
    let paths = calls["paths"].as_object().unwrap();
    let expected: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(visit.count("details.call").await, expected as u64);
    visit.element("#get_limits > summary").await.click().await.unwrap();
    visit.element("#get_limits > div > details > summary").await.click().await.unwrap();
    visit.reads("#get_limits pre", "maxUploadBytes").await;
    visit.element("#get_limits form button").await.click().await.unwrap();
    visit.reads("#get_limits form pre", "\"success\": true").await;
});
