//! A Chromium of a test's own, without a window, driven through chromedriver, with a profile in a
//! temporary folder. It reaches this machine only, and ends with the test however that ends.
//! Knows nothing of the page.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::json;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel, WebDriver};

const START_LIMIT: Duration = Duration::from_mins(1);
const STARTS_MAX: usize = 5;
const END_LIMIT: Duration = Duration::from_secs(10);

/// No call of the driver takes longer; a script that waits in the page takes at most this long.
const CALL_LIMIT: Duration = Duration::from_mins(2);

/// What keeps the browser to itself, and quick.
const SWITCHES: [&str; 16] = [
    "--headless=new",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-proxy-server",
    // No name leads anywhere: only addresses of this machine are reached.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--lang=en-GB",
];

/// A running browser.
#[derive(Debug)]
pub(crate) struct Browser {
    driver: Option<WebDriver>,
    /// Ends everything when its standard input is closed.
    keeper: Child,
    /// What the processes print; it ends with the last of them.
    output: Receiver<String>,
    profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser.
    pub(crate) async fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let (keeper, output, address) = start_driver(profile.path());
        let mut browser = Self { driver: None, keeper, output, profile };
        let client = crate::support::http_client().timeout(CALL_LIMIT).build();
        let driver = WebDriver::builder(address, browser.wishes())
            .client(client.expect("a client"))
            .connect()
            .await
            .unwrap_or_else(|e| panic!("the browser does not start: {e}"));
        driver.set_script_timeout(CALL_LIMIT).await.expect("a limit for scripts");
        browser.driver = Some(driver);
        browser
    }

    /// The handle of the session.
    pub(crate) fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("the browser runs")
    }

    /// A folder that ends with the browser.
    pub(crate) fn folder(&self) -> &Path {
        self.profile.path()
    }

    fn wishes(&self) -> ChromeCapabilities {
        let mut wishes = ChromeCapabilities::new();
        for switch in SWITCHES {
            wishes.add_arg(switch).expect("a switch");
        }
        let own = format!("--user-data-dir={}", self.folder().join("profile").display());
        wishes.add_arg(&own).expect("a switch");
        // Chromium refuses to run as root with its sandbox.
        if rustix::process::geteuid().is_root() {
            wishes.set_no_sandbox().expect("a switch");
        }
        let [program, _] = programs();
        wishes.set_binary(program).expect("a program");
        // The first tab would show what the maker of the browser wants to be seen.
        let first_tab =
            json!({"session.restore_on_startup": 4, "session.startup_urls": ["about:blank"]});
        wishes.add_experimental_option("prefs", first_tab).expect("preferences");
        for kind in ["browser", "performance"] {
            wishes.set_logging_prefs(kind, LoggingPrefsLogLevel::All).expect("a log");
        }
        wishes
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the session politely takes longer, and nothing of it is kept.
        if let Some(driver) = self.driver.take() {
            let _ = driver.leak();
        }
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        // The profile can be removed when nobody writes into it any more.
        while self.output.recv_timeout(END_LIMIT).is_ok() {}
    }
}

/// The browser and its chromedriver.
fn programs() -> &'static [String; 2] {
    static PROGRAMS: OnceLock<[String; 2]> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/browser-find");
        let found = Command::new(script).output().expect("scripts/browser-find can be run");
        let found = String::from_utf8(found.stdout).expect("paths");
        let lines: Vec<String> = found.lines().map(str::to_owned).collect();
        lines.try_into().unwrap_or_else(|_| {
            panic!(
                "The tests of the page need Chromium and chromedriver and never skip them: run \
                 them with `scripts/test`, which installs both."
            )
        })
    })
}

/// Starts chromedriver on a free port. The port that it chose may be taken by another program before
/// it listens there: then chromedriver ends, and another one is started.
fn start_driver(home: &Path) -> (Child, Receiver<String>, String) {
    let mut said = Vec::new();
    for _ in 0..STARTS_MAX {
        let (mut keeper, output) = spawn_driver(home);
        if let Some(address) = address(&output, &mut said) {
            return (keeper, output, address);
        }
        drop(keeper.stdin.take());
        keeper.wait().expect("the processes end");
    }
    panic!("chromedriver does not start: {said:?}");
}

/// Where chromedriver listens, as it says itself; `None` when it ends before.
fn address(output: &Receiver<String>, said: &mut Vec<String>) -> Option<String> {
    let limit = Instant::now() + START_LIMIT;
    loop {
        let left = limit.saturating_duration_since(Instant::now());
        match output.recv_timeout(left) {
            Ok(line) => {
                if let Some((_, port)) = line.split_once("started successfully on port ") {
                    return Some(format!("http://127.0.0.1:{}", port.trim_end_matches('.')));
                }
                said.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => panic!("chromedriver does not start: {said:?}"),
        }
    }
}

/// Chromedriver, the browser and all that these start are one group of processes, which a shell ends
/// when chromedriver ends or the pipe to the shell is closed: by the end of the test, or of the whole
/// test binary.
fn spawn_driver(home: &Path) -> (Child, Receiver<String>) {
    let [_, driver] = programs();
    let mut keeper = Command::new("sh")
        .args([
            "-c",
            r#"{ "$0" --port=0 2>&1; kill -KILL 0; } & cat >/dev/null; kill -KILL 0"#,
            driver,
        ])
        .current_dir(home)
        .env_clear()
        .envs([("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("PATH", "/usr/local/bin:/usr/bin:/bin")])
        // Nothing is read from, or left in, the folders of whoever runs the tests.
        .envs([("HOME", home), ("TMPDIR", home)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh starts");
    let output = BufReader::new(keeper.stdout.take().expect("its output is a pipe"));
    let (lines, receiver) = mpsc::channel();
    // Reads to the end, so that nobody waits for someone to take its lines.
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
    (keeper, receiver)
}
