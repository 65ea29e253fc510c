//! Each action along each status: 200 where the table of the domain allows it, else 409 with what is
//! allowed. The table is the library's own.

use loadbay::domain::action::{Action, RULES};
use loadbay::domain::status::JobStatus;
use reqwest::Method;

use super::steer::*;
use crate::support::{Answer, Server, Upload, both};

/// The actions that every import has; a rollback needs an upload with `undo=true`, and only dry runs are
/// confirmed.
fn actions() -> impl Iterator<Item = Action> {
    let needs_option = |action: &Action| matches!(action, Action::Rollback | Action::Confirm);
    RULES.iter().map(|rule| rule.action).filter(move |action| !needs_option(action))
}

fn allowed(status: JobStatus) -> Vec<&'static str> {
    actions().filter(|action| action.is_legal_when(status)).map(Action::as_str).collect()
}

async fn ask(server: &Server, job: i64, action: Action) -> Answer {
    match action {
        Action::Delete => server.delete(job).await,
        action => server.ask(Method::POST, job, action.as_str(), "").await,
    }
}

/// A job with this status, alone but for one that it waits for.
async fn job_in(server: &Server, status: JobStatus) -> i64 {
    server.cancel_all().await;
    let small = || Upload::csv("SKU,Name\nA,Arnica\n");
    let job = match status {
        JobStatus::Pending => {
            server.import_long("L").await;
            server.import("products", small()).await
        }
        JobStatus::Processing => server.import_long("L").await,
        JobStatus::Paused => {
            let job = server.import_long("L").await;
            server.action(job, "pause").await.ok();
            job
        }
        JobStatus::Completed => id(&server.load("products", small()).await),
        JobStatus::Failed => {
            let broken = Upload::csv("SKU,Name\nA,\n").option("onError", "abort");
            id(&server.load("products", broken).await)
        }
        JobStatus::Cancelled => {
            let job = server.import_long("L").await;
            server.cancel(job).await.ok();
            job
        }
    };
    let now = server.status(job).await.ok().clone();
    assert_eq!(now["status"], status.as_str());
    assert_eq!(now["actions"], serde_json::json!(allowed(status)), "{status}");
    let links = now["links"].as_object().unwrap();
    for action in actions() {
        let legal = action.is_legal_when(status);
        assert_eq!(links.contains_key(action.as_str()), legal, "{status}: {links:?}");
    }
    job
}

both!(
    every_action_is_legal_where_the_table_says_so_and_nowhere_else,
    [("LOADBAY_CHUNK_ROWS", "1")],
    |server| {
        for status in JobStatus::ALL {
            let job = job_in(server, status).await;
            for action in actions().filter(|action| !action.is_legal_when(status)) {
                let answer = ask(server, job, action).await;
                answer.assert_problem(409, "invalid_job_state");
                assert_eq!(answer.json["jobStatus"], status.as_str());
                assert_eq!(answer.json["actions"], serde_json::json!(allowed(status)));
            }
            for action in actions().filter(|action| action.is_legal_when(status)) {
                let job = job_in(server, status).await;
                let answer = ask(server, job, action).await;
                let now = answer.ok()["status"].as_str().unwrap();
                let then = match action {
                    Action::Pause => "paused",
                    Action::Resume => "processing",
                    Action::Cancel => "cancelled",
                    Action::Force | Action::Retry => "pending",
                    Action::Delete | Action::Rollback | Action::Confirm => status.as_str(),
                };
                // A job that may run does.
                let may_run = then == "pending" && ["processing", "completed"].contains(&now);
                assert!(now == then || may_run, "{} from {status}: {now}", action.as_str());
            }
        }
        server.cancel_all().await;
    }
);

both!(a_terminal_status_never_changes_whatever_is_asked, [("LOADBAY_CHUNK_ROWS", "1")], |server| {
    for status in [JobStatus::Completed, JobStatus::Failed, JobStatus::Cancelled] {
        let job = job_in(server, status).await;
        let end = server.status(job).await.text().to_owned();
        for call in ["pause", "resume", "force", "cancel", "priority?priority=3", "retry"] {
            let answer = server.ask(Method::POST, job, call, "").await;
            let expected = if call == "retry" { 200 } else { 409 };
            assert_eq!(answer.status, expected, "{call}: {}", answer.text());
        }
        server.cancel_all().await;
        server.kill();
        server.restart();
        assert_eq!(server.status(job).await.text(), end);
    }
});

both!(there_is_no_action_on_a_job_that_does_not_exist, |server| {
    for job in [4711, 0] {
        for action in actions() {
            ask(server, job, action).await.assert_problem(404, "job_not_found");
        }
        let answer = server.ask(Method::POST, job, "priority", "{\"priority\": 1}").await;
        answer.assert_problem(404, "job_not_found");
        let list = format!("/api/v1/import/jobs/{job}/unprocessed.csv");
        server.get(&list).await.assert_problem(404, "job_not_found");
    }
});
