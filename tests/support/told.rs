//! What every job must have told by its end: events in numbers without gaps, percentages that never
//! go back, one end, and a sum that is the job's counts.

use serde_json::Value;

use super::server::Server;

/// A stored event: its first and last number, and what it says.
pub(crate) struct Told {
    pub(crate) first: u64,
    pub(crate) number: u64,
    pub(crate) event: Value,
}

/// Everything that is stored of a job's events, in order.
pub(crate) async fn told(server: &Server, job: i64) -> Vec<Told> {
    let sql = format!(
        "select first_number, number, event from import_events where import_log_id = {job} \
         order by number"
    );
    let number = |text: &String| text.parse().expect("events have numbers");
    let read = |row: &Vec<String>| Told {
        first: number(&row[0]),
        number: number(&row[1]),
        event: serde_json::from_str(&row[2]).expect("an event is JSON"),
    };
    server.rows(&sql).await.iter().map(read).collect()
}

/// Checks the events of a finished job.
pub(crate) async fn check_told(server: &Server, job: i64) {
    let told = told(server, job).await;
    let count = format!("select event_count from import_log where id = {job}");
    let count = server.database.number(&count).await;
    let last = told.last().unwrap_or_else(|| panic!("job {job} tells nothing"));
    assert_eq!(last.number, count, "the last event of job {job} has another number");
    let ends = told.iter().filter(|it| it.event["type"] == "complete").count();
    assert!(
        ends == 1 && last.event["type"] == "complete",
        "job {job} ends {ends} times, the last event is {}",
        last.event
    );
    check_numbers(server, job, &told);
    check_percentages(job, &told);
}

fn check_numbers(server: &Server, job: i64, told: &[Told]) {
    let is_pruned = server.has_setting("LOADBAY_MAX_EVENTS");
    let mut before = 0;
    for it in told {
        assert!(it.first <= it.number, "an event of job {job} ends before it begins");
        assert!(
            it.first == before + 1 || is_pruned && it.first > before,
            "after event {before} of job {job} comes {}",
            it.first
        );
        if it.event["type"] == "rows" {
            let notes = it.event["notes"].as_array().map_or(0, Vec::len) as u64;
            assert_eq!(it.number - it.first + 1, notes, "{}", it.event);
        } else {
            assert_eq!(it.first, it.number, "{}", it.event);
        }
        before = it.number;
    }
}

fn check_percentages(job: i64, told: &[Told]) {
    let mut reached = 0.0;
    for it in told {
        let Some(percentage) = it.event["percentage"].as_f64() else { continue };
        assert!(
            percentage >= reached && percentage <= 100.0,
            "job {job} goes from {reached} % to {}",
            it.event
        );
        reached = percentage;
    }
}
