//! The real binary, started on a free port with a folder and a database of its own, and ended with
//! the test. Tests kill it, stop it and start it again; the folder and the database stay.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::database::{Database, Kind};
use super::guarantees::check_guarantees;
use super::waiting::wait_until;

/// Settings of a server: names and values of environment variables.
pub(crate) type Settings<'a> = &'a [(&'a str, &'a str)];

// Long, because a busy machine is no fault of the server.
const START_LIMIT: Duration = Duration::from_mins(3);
const STOP_LIMIT: Duration = Duration::from_mins(3);

/// A running server, or one that was killed and can be started again.
#[derive(Debug)]
pub(crate) struct Server {
    child: Option<Child>,
    address: String,
    settings: Vec<(String, String)>,
    /// For direct looks into the tables.
    pub(crate) database: Arc<Database>,
    /// Connections are kept, as a real client would.
    pub(super) http: reqwest::Client,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with the settings that a user gets without setting any, except that it stops
    /// without a drain: no balancer is in front of it.
    pub(crate) async fn start(kind: Kind) -> Self {
        Self::start_with(kind, &[]).await
    }

    /// Starts a server with these settings.
    pub(crate) async fn start_with(kind: Kind, settings: Settings<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let database = Database::create(kind, &folder.path().join("data")).await;
        let mut server = Self::new(folder, Arc::new(database), settings);
        server.restart();
        server
    }

    /// Starts two servers at the same moment on one new PostgreSQL database, each with a folder
    /// of its own.
    pub(crate) async fn start_two(settings: Settings<'_>) -> [Self; 2] {
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder for the test"));
        let database = Arc::new(Database::create(Kind::Postgres, folders[0].path()).await);
        let mut servers = folders.map(|it| Self::new(it, Arc::clone(&database), settings));
        std::thread::scope(|scope| {
            for server in &mut servers {
                scope.spawn(|| server.restart());
            }
        });
        servers
    }

    /// A server on this folder and database that is not started yet.
    pub(crate) fn new(
        folder: tempfile::TempDir,
        database: Arc<Database>,
        settings: Settings<'_>,
    ) -> Self {
        let http = super::http_client()
            .timeout(Duration::from_mins(10))
            // Far from the server's: a request on a connection that closes just then is lost.
            .pool_idle_timeout(Duration::from_secs(2))
            .build()
            .expect("a client");
        let mut server = Self {
            child: None,
            address: String::new(),
            settings: Vec::new(),
            database,
            http,
            folder,
        };
        server.set(settings);
        server
    }

    fn set(&mut self, settings: Settings<'_>) {
        let owned = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.settings = owned.collect();
    }

    /// Starts the server again on the same folder and database, with the same settings.
    pub(crate) fn restart(&mut self) {
        self.start_on("127.0.0.1:0");
    }

    /// Starts the server again where it listened before, so that those who knew its address find it.
    pub(crate) fn restart_in_place(&mut self) {
        let address = self.address.trim_start_matches("http://").to_owned();
        self.start_on(&address);
    }

    /// Starts the server again; false when it does not come to listen.
    pub(crate) fn starts(&mut self) -> bool {
        self.listens_on("127.0.0.1:0")
    }

    fn listens_on(&mut self, listen: &str) -> bool {
        let lines = self.spawn(listen);
        self.hears_address(&lines, START_LIMIT)
    }

    fn start_on(&mut self, listen: &str) {
        let listens = self.listens_on(listen);
        assert!(listens, "the server does not say where it listens; its log:\n{}", self.log());
    }

    /// Starts the process and gives the lines that it prints, without waiting for any.
    pub(crate) fn spawn(&mut self, listen: &str) -> mpsc::Receiver<String> {
        assert!(self.child.is_none(), "the server runs already: kill or stop it first");
        let mut child = Command::new(env!("CARGO_BIN_EXE_loadbay"));
        child
            .args(["serve", "--listen", listen, "--data-dir"])
            .arg(self.data_dir())
            .current_dir(self.folder.path())
            .env_clear()
            .envs([("LC_ALL", "C.UTF-8"), ("RUST_BACKTRACE", "1"), ("LOADBAY_DRAIN", "0s")])
            // Else the program starts itself again for it, which a test of its own shows.
            .env("MALLOC_ARENA_MAX", "2")
            .envs(self.database.url().map(|url| ("DATABASE_URL", url)))
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log_file());
        let mut child = child.spawn().expect("the binary starts");
        let output = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        self.child = Some(child);

        let (lines, first) = mpsc::channel();
        // Reads to the end, so that the server never waits for someone to take its lines.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        first
    }

    /// Takes the lines of [`Server::spawn`] until one says where the server listens; false when
    /// none does in time.
    pub(crate) fn hears_address(
        &mut self,
        lines: &mpsc::Receiver<String>,
        at_most: Duration,
    ) -> bool {
        let limit = Instant::now() + at_most;
        loop {
            let line = lines.recv_timeout(limit.saturating_duration_since(Instant::now()));
            let Ok(line) = line else { return false };
            if let Some(address) = line.trim().strip_prefix("Loadbay listens on ") {
                address.trim_end_matches('/').clone_into(&mut self.address);
                return true;
            }
        }
    }

    /// Starts the server again with other settings.
    pub(crate) fn restart_with(&mut self, settings: Settings<'_>) {
        self.set(settings);
        self.restart();
    }

    /// Starts the server again with a dataset of the test's own and these settings.
    pub(crate) fn define(&mut self, name: &str, definition: &str, settings: Settings<'_>) {
        let folder = self.folder().join("definitions");
        fs::create_dir_all(&folder).expect("a folder can be made");
        fs::write(folder.join(format!("{name}.toml")), definition).expect("a file can be written");
        let folder = ("LOADBAY_DATASETS_DIR", folder.to_str().expect("a path in UTF-8"));
        if self.is_running() {
            self.terminate();
        }
        self.restart_with(&[&[folder], settings].concat());
    }

    /// Ends the server at once, as `kill -9` or a power cut would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("the server runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it is gone");
    }

    /// Asks the server to stop (SIGTERM) and gives what it ended with.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let mut child = self.child.take().expect("the server runs");
        let (ended, end) = mpsc::channel();
        let id = pid(&child);
        std::thread::spawn(move || {
            let _ = ended.send(child.wait());
        });
        let Ok(status) = end.recv_timeout(STOP_LIMIT) else {
            let _ = kill_process(id, Signal::KILL);
            panic!("the server did not stop within {STOP_LIMIT:?}; its log:\n{}", self.log())
        };
        status.expect("it was waited for")
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("the server runs");
        kill_process(pid(child), signal).expect("the signal is sent");
    }

    /// A server that is not started yet, with a copy of the folder and the database of this one,
    /// which is stopped.
    pub(crate) async fn copy(&self, settings: Settings<'_>) -> Self {
        assert!(self.child.is_none(), "a copy is made of a stopped server");
        let folder = tempfile::tempdir().expect("a folder for the test");
        let data = folder.path().join("data");
        copy_folder(&self.data_dir(), &data);
        let database = Database::copy(&self.database, &data).await;
        Self::new(folder, Arc::new(database), settings)
    }

    /// What the process ended with, if it did by itself; then it can be started again.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().expect("it can be waited for")?;
        self.child = None;
        Some(status)
    }

    /// True while the process runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// True when the server was started with this setting.
    pub(crate) fn has_setting(&self, name: &str) -> bool {
        self.settings.iter().any(|(known, _)| known == name)
    }

    /// The process's number.
    pub(crate) fn process_id(&self) -> u32 {
        self.child.as_ref().map(Child::id).expect("the server runs")
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The folder of the uploads and of the embedded database.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Waits until no temporary file is left: what belongs to a request goes with it, which may be after
    /// its answer.
    pub(crate) async fn nothing_temporary_is_left(&self) {
        let folder = self.data_dir().join("tmp");
        let left = || std::fs::read_dir(&folder).map(Iterator::count).unwrap_or_default();
        wait_until!(left() == 0, "{} files are left in {}", left(), folder.display());
    }

    /// A folder for the test's own files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the server logged, over all its starts.
    pub(crate) fn log(&self) -> String {
        let path = self.log_path();
        let is_file = fs::metadata(&path).is_ok_and(|found| found.is_file());
        let bytes = if is_file { fs::read(path).unwrap_or_default() } else { Vec::new() };
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Removes what the server, which is stopped, has logged.
    pub(crate) fn forget_log(&self) {
        assert!(self.child.is_none(), "a server that runs writes on");
        fs::remove_file(self.log_path()).expect("there is a log");
    }

    /// From its next start on there is no room for a line of its log.
    pub(crate) fn fill_log(&self) {
        fs::remove_file(self.log_path()).expect("there is a log");
        std::os::unix::fs::symlink("/dev/full", self.log_path()).expect("a link");
    }

    /// The rows of a query; see [`Database::rows`].
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.database.rows(sql).await
    }

    /// Checks the guarantees for every job there is. None may be unfinished: a test ends its jobs.
    pub(crate) async fn check_every_job(&mut self) {
        if self.child.is_none() {
            self.restart();
        }
        assert!(self.is_running(), "the server died; its log:\n{}", self.log());
        for row in self.rows("select id from import_log order by id").await {
            let job = row.concat().parse().expect("a job number");
            check_guarantees(self, job).await;
        }
        assert!(self.is_running(), "the server died; its log:\n{}", self.log());
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn log_file(&self) -> File {
        let file = File::options().create(true).append(true).open(self.log_path());
        file.expect("the log can be written")
    }
}

/// Copies a folder with all that is in it, and who may use it.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder is made");
    let mode = fs::metadata(from).expect("the folder is there").permissions();
    fs::set_permissions(to, mode).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("the folder can be listed") {
        let entry = entry.expect("the entry can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file is copied");
        }
    }
}

fn pid(child: &Child) -> Pid {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process number")
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            eprintln!("last lines of the server's log:\n{}", tail.join("\n"));
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
