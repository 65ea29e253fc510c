//! The scripts of docs/cron.md as they are printed there: the line of cron, the lock, the alert, the drop
//! folder.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use crate::support::{Kind, Server, Upload};

const PARTLY: &str = "SKU,Name\nA,Arnica\nB,\n";
const GOOD: &str = "SKU,Name\nA,Arnica\n";

/// The code of the documentation below a heading, of this language.
fn documented(heading: &str, language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cron.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, below) = text.split_once(heading).unwrap();
    let (_, code) = below.split_once(&format!("```{language}\n")).unwrap();
    code.split_once("```").unwrap().0.to_owned()
}

impl Server {
    /// Runs a script with the program on its path, and a `logger` that prints: not every machine of tests
    /// has a log.
    fn shell(&self, script: &str, arguments: &[&str]) -> Output {
        let tools = self.folder().join("tools");
        self.file("tools/logger", "#!/bin/sh\necho \"alert: $*\"\n");
        std::fs::set_permissions(tools.join("logger"), PermissionsExt::from_mode(0o755)).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_loadbay")).parent().unwrap();
        Command::new("sh")
            .args(["-c", script, "script"])
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", format!("{}:{}:/usr/bin:/bin", tools.display(), program.display()))
            .env("TMPDIR", self.folder())
            .env("LOADBAY_SERVER", self.address())
            .output()
            .unwrap()
    }

    fn path_of(&self, name: &str) -> String {
        self.folder().join(name).to_str().unwrap().to_owned()
    }

    async fn job_count(&self) -> u64 {
        self.database.number("select count(*) from import_log").await
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[tokio::test]
async fn the_line_of_cron_prints_only_what_a_person_must_see() {
    let mut server = Server::start(Kind::Sqlite).await;
    let lines = documented("## cron", "cron");
    let line = lines.lines().find(|line| line.starts_with("15 2 * * *")).unwrap();
    let line = line.trim_start_matches("15 2 * * *").replace("/run/lock", &server.path_of(""));
    let line = line.replace("/srv/prices", &server.path_of(""));
    server.file("prices.csv", GOOD);
    let good = server.shell(&line, &[]);
    assert_eq!((good.status.code(), said(&good).as_str()), (Some(0), ""));
    server.file("prices.csv", PARTLY);
    let partly = server.shell(&line, &[]);
    assert!(said(&partly).contains("prices: exit code 3"), "{}", said(&partly));
    assert!(server.folder().join("bad.csv").exists());
    server.check_every_job().await;
}

#[tokio::test]
async fn the_script_runs_once_at_a_time_and_alerts() {
    let mut server = Server::start(Kind::Sqlite).await;
    let script = documented("## A script with an alert", "sh");
    server.file("prices.csv", GOOD);
    let list = server.path_of("prices.csv");
    let good = server.shell(&script, &[&list]);
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    assert!(!said(&good).contains("import-prices"), "{}", said(&good));

    server.file("prices.csv", PARTLY);
    let partly = server.shell(&script, &[&list]);
    assert_eq!(partly.status.code(), Some(3), "{}", said(&partly));
    assert!(said(&partly).contains("rows failed: "), "{}", said(&partly));
    assert!(server.folder().join("prices-bad.csv").exists());
    let missing = server.shell(&script, &[&server.path_of("missing.csv")]);
    assert!(said(&missing).contains("the import ended with 2"), "{}", said(&missing));

    // While another run holds the lock nothing is imported, and nobody is alerted.
    let before = server.job_count().await;
    let held = format!("exec 8>'{}'; flock 8\n", server.path_of("import-prices.lock"));
    let nested = format!("{held}sh -c \"$1\" script \"$2\"");
    let second = server.shell(&nested, &[&script, &list]);
    assert_eq!((second.status.code(), said(&second).as_str()), (Some(0), ""));
    assert_eq!(server.job_count().await, before);
    server.check_every_job().await;
}

#[tokio::test]
async fn the_drop_folder_keeps_what_is_fresh_and_moves_what_is_over() {
    let mut server = Server::start(Kind::Sqlite).await;
    let script = documented("## A drop folder", "sh");
    for (name, text) in [("good.csv", GOOD), ("partly.csv", PARTLY), ("fresh.csv", GOOD)] {
        server.file(&format!("drop/{name}"), text);
    }
    server.file("drop/bad.csv", "Colour\nred\n");
    let long_ago = SystemTime::now() - Duration::from_mins(5);
    for name in ["good.csv", "partly.csv", "bad.csv"] {
        let file = std::fs::File::options()
            .write(true)
            .open(server.folder().join("drop").join(name))
            .unwrap();
        file.set_modified(long_ago).unwrap();
    }
    let run = server.shell(&script, &[&server.path_of("drop")]);
    assert_ne!(run.status.code(), Some(0), "{}", said(&run));
    let there = |path: &str| server.folder().join("drop").join(path).exists();
    assert!(there("done/good.csv") && there("done/partly.csv"), "{}", said(&run));
    assert!(there("failed/bad.csv") && there("failed/partly.csv.bad.csv"), "{}", said(&run));
    assert!(there("fresh.csv") && !there("good.csv") && !there("bad.csv"), "{}", said(&run));

    // A file that was imported and not moved, as in a crash, is not imported again.
    let before = server.job_count().await;
    std::fs::rename(server.path_of("drop/done/good.csv"), server.path_of("drop/good.csv")).unwrap();
    let again = server.shell(&script, &[&server.path_of("drop")]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert!(there("done/good.csv"));
    assert_eq!(server.job_count().await, before);
    assert_eq!(server.upload("products", Upload::csv(GOOD)).await.status, 202);
    server.finished(i64::try_from(before).unwrap() + 1).await;
    server.check_every_job().await;
}
