//! Definitions that change while the server runs: they hold without a restart, and faulty ones leave the
//! former ones in force.

use std::path::PathBuf;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

use crate::support::*;

const DEFINITION: &str = "name = \"parts\"\ntable = \"parts\"\nkey = [\"code\"]\ncreate_table = true\n\n\
     [[column]]\nname = \"code\"\nrequired = true\nmax_length = 64\n\n\
     [[column]]\nname = \"price\"\ntype = \"decimal(12,2)\"\n";

/// A server with a folder for definitions, which is empty.
fn with_folder(server: &mut Server, settings: Settings<'_>) -> PathBuf {
    let folder = server.folder().join("definitions");
    std::fs::create_dir(&folder).unwrap();
    server.terminate();
    let mut all = vec![("LOADBAY_DATASETS_DIR", folder.to_str().unwrap())];
    all.extend_from_slice(settings);
    server.restart_with(&all);
    folder
}

async fn reload(server: &Server) -> Answer {
    server.send(server.request(Method::POST, "/api/v1/datasets/reload")).await
}

both!(a_definition_holds_without_a_restart, |server| {
    let folder = with_folder(server, &[]);
    server.upload("parts", Upload::csv("Code\nA\n")).await.assert_problem(404, "unknown_dataset");
    let file = folder.join("parts.toml");
    std::fs::write(&file, DEFINITION).unwrap();
    let reloaded = reload(server).await.ok().clone();
    assert!(reloaded["datasets"].as_array().unwrap().contains(&json!("parts")), "{reloaded}");
    let job = server.load("parts", Upload::csv("Code,Price\nA,1.50\n")).await;
    assert_eq!(job["counts"]["created"], 1, "{job}");

    // A faulty file: what was there holds, also for files that are sound.
    let faulty = DEFINITION.replace("decimal(12,2)", "dezimal");
    std::fs::write(&file, faulty).unwrap();
    let refused = reload(server).await;
    refused.assert_problem(422, "bad_definition");
    let body: serde_json::Value = serde_json::from_str(refused.text()).unwrap();
    let fault = &body["faults"][0];
    assert!(fault["file"].as_str().unwrap().ends_with("/parts.toml"), "{body}");
    assert_eq!(
        (&fault["line"], fault["key"].as_str().unwrap().contains("type")),
        (&json!(13), true),
        "{body}"
    );
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("parts.toml:13"), "{body}");
    let job = server.load("parts", Upload::csv("Code,Price\nA,2.50\n")).await;
    assert_eq!(job["counts"]["updated"], 1, "{job}");

    let other = DEFINITION.replace("name = \"price\"", "name = \"price\"\naliases = [\"preis\"]");
    std::fs::write(&file, other).unwrap();
    // Somebody else may have seen it first.
    reload(server).await.ok();
    let job = server.load("parts", Upload::csv("Code,Preis\nB,3\n")).await;
    assert_eq!(job["counts"]["created"], 1, "{job}");

    std::fs::remove_file(&file).unwrap();
    reload(server).await.ok();
    server.dataset("parts").await.assert_problem(404, "unknown_dataset");
    // The guarantees are checked with the definition.
    std::fs::write(&file, DEFINITION).unwrap();
    reload(server).await.ok();
});

both!(a_table_that_changed_is_seen_after_a_signal, |server| {
    let folder = with_folder(server, &[]);
    std::fs::write(folder.join("parts.toml"), DEFINITION).unwrap();
    // The folder is looked at.
    wait_until!(server.dataset("parts").await.status == 200, "the dataset does not come");
    let taken = || server.log().matches("definitions_loaded").count();
    let before = taken();
    server.signal(Signal::HUP);
    wait_until!(taken() > before, "the signal is not followed: {}", server.log());
    assert!(server.is_running());
});

both!(a_job_goes_on_with_the_definition_that_it_began_with, |server| {
    let hold = Hold::new(server.folder());
    let folder = with_folder(
        server,
        &[("FAILPOINTS", &hold.at("partition.after")), ("LOADBAY_CHUNK_ROWS", "2")],
    );
    let file = folder.join("parts.toml");
    std::fs::write(&file, DEFINITION).unwrap();
    reload(server).await.ok();
    let text = "Code,Price\nA,1\nB,2\nC,3\nD,4\nE,5\n";
    let job = server.import("parts", Upload::csv(text)).await;
    server.until(job, |status| status["progress"]["total"] == 5).await;
    let narrow =
        DEFINITION.replace("type = \"decimal(12,2)\"", "type = \"decimal(12,2)\"\nmax = 1");
    std::fs::write(&file, narrow).unwrap();
    reload(server).await.ok();
    hold.release();
    let status = server.finished(job).await;
    assert_eq!(status["counts"]["created"], 5, "{status}");
    let next = server.load("parts", Upload::csv(text)).await;
    assert_eq!(next["counts"]["failed"], 4, "{next}");
});

#[tokio::test]
async fn servers_that_share_a_folder_see_what_changes() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("LOADBAY_DATASETS_DIR", folder.path().to_str().unwrap())];
    let [one, two] = Server::start_two(&settings).await;
    std::fs::write(folder.path().join("parts.toml"), DEFINITION).unwrap();
    for server in [&one, &two] {
        wait_until!(server.dataset("parts").await.status == 200, "the dataset does not come");
    }
    let job = one.import("parts", Upload::csv("Code\nA\n")).await;
    assert_eq!(two.finished(job).await["counts"]["created"], 1);
}
