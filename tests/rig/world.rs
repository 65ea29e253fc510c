//! The servers, their database and everything between: how it is started, looked at, fed with files
//! and brought up again. Knows nothing of the plan.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::disk::Disk;
use super::draw::moment;
use super::files::File;
use super::proxy::Proxy;
use crate::support::{Database, Kind, PrivateCluster, Server, http_client};

/// Longest time that anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(90);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Rows of unfinished jobs below which more files are uploaded.
const ROWS_OPEN: u64 = 30_000;

/// A file that was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivered {
    pub(crate) job: i64,
    pub(crate) file: File,
}

pub(crate) struct World {
    pub(crate) servers: Vec<Server>,
    pub(crate) database: Arc<Database>,
    pub(crate) cluster: Option<PrivateCluster>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) delivered: Vec<Delivered>,
    http: reqwest::Client,
    /// Whose turn it is to take the next upload.
    turn: usize,
    /// With the data of an embedded database, or the files that the servers share.
    pub(crate) disk: Option<Disk>,
    /// Where the servers keep the files of jobs, when they share a place.
    storage: Option<String>,
    /// With the datasets and the disk.
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn start(kind: Kind, servers: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write_dataset(folder.path());
        let cluster = (kind == Kind::Postgres).then(PrivateCluster::start);
        let proxy = cluster.as_ref().map(|cluster| Proxy::start(socket_of(&cluster.address)));
        let place = folder.path().join("disk");
        std::fs::create_dir(&place).expect("a folder");
        let disk = Disk::mount(&place, if kind == Kind::Sqlite { 768 } else { 192 });
        let first = match kind {
            Kind::Sqlite => tempfile::tempdir_in(&place),
            Kind::Postgres => tempfile::tempdir(),
        };
        let first = first.expect("a folder");
        let storage = (kind == Kind::Postgres).then(|| format!("file://{}", place.display()));
        let database = match &cluster {
            Some(cluster) => Database::given(cluster.address.clone()),
            None => Database::Sqlite { path: first.path().join("data/loadbay.sqlite") },
        };
        let http = http_client()
            .timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        let mut world = Self {
            servers: Vec::new(),
            database: Arc::new(database),
            cluster,
            proxy,
            delivered: Vec::new(),
            http,
            turn: 0,
            disk,
            storage,
            folder,
        };
        world.add_server(first);
        while world.servers.len() < servers {
            world.add_server(tempfile::tempdir().expect("a folder"));
        }
        world
    }

    pub(crate) fn add_server(&mut self, folder: tempfile::TempDir) {
        let datasets = self.folder.path().to_string_lossy().into_owned();
        let mut settings = vec![
            ("LOADBAY_DATASETS_DIR", datasets.as_str()),
            ("LOADBAY_CHUNK_ROWS", "500"),
            ("LOADBAY_LEASE", "2s"),
            ("LOADBAY_MAX_RUNNING_JOBS", "3"),
            ("LOADBAY_WRITERS", "2"),
            ("LOADBAY_MIN_FREE", "16MiB"),
        ];
        settings.extend(self.storage.as_deref().map(|url| ("LOADBAY_STORAGE_URL", url)));
        let url = self.proxy.as_ref().zip(self.cluster.as_ref()).map(|(proxy, cluster)| {
            cluster
                .address
                .replace(&socket_of(&cluster.address).to_string(), &proxy.address.to_string())
        });
        settings.extend(url.as_deref().map(|url| ("DATABASE_URL", url)));
        self.servers.push(Server::new(folder, Arc::clone(&self.database), &settings));
        let last = self.servers.len() - 1;
        self.start_server(last);
    }

    /// Starts a server and waits until it listens.
    pub(crate) fn start_server(&mut self, index: usize) {
        let server = &mut self.servers[index];
        let lines = server.spawn("127.0.0.1:0");
        let listens = server.hears_address(&lines, PATIENCE);
        assert!(listens, "server {index} does not start; its log:\n{}", tail(&server.log()));
    }

    /// Nobody may have ended by itself.
    pub(crate) fn check_alive(&mut self) {
        for (index, server) in self.servers.iter_mut().enumerate() {
            assert!(
                server.is_running(),
                "server {index} ended by itself; its log:\n{}",
                tail(&server.log())
            );
        }
    }

    /// Waits for what must come; fails with the state of the jobs when nothing moves any more.
    pub(crate) async fn until(&self, what: &str, sql: &str) {
        let progress =
            "select coalesce(sum(processed_rows), 0) + count(completed_at) from import_log";
        let (mut limit, mut moved) = (Instant::now() + PATIENCE, 0);
        while self.database.number(sql).await != 0 {
            let now = self.database.number(progress).await;
            if now != moved {
                (limit, moved) = (Instant::now() + PATIENCE, now);
            }
            if Instant::now() > limit {
                let open = "select id, import_status, processed_rows, total_rows, attempts, \
                            lease_epoch, lease_owner, lease_expires_at, updated_at, error_message \
                            from import_log where import_status not in ('COMPLETED')";
                let open = self.database.rows(open).await;
                let logs: Vec<String> = self.servers.iter().map(|it| tail(&it.log())).collect();
                panic!("{what}: not within {PATIENCE:?}: {open:#?}\n{}", logs.join("\n---\n"));
            }
            moment(LOOK).await;
        }
    }

    /// Waits for a moment that may not come; then it was too short, or there is nothing to do.
    pub(crate) async fn aim_at(&self, sql: &str, at_most: Duration) {
        let limit = Instant::now() + at_most;
        while self.database.number(sql).await == 0 && Instant::now() < limit {
            moment(LOOK).await;
        }
    }

    /// A job that is taken up three times without a chunk is given up: waits until every job that
    /// was interrupted was taken up again, and at most `attempts` times since its last chunk. A lease
    /// that is about to run out may be another server's the moment after.
    pub(crate) async fn steady(&self, attempts: u32) {
        let soon = match self.database.kind() {
            Kind::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f', 'now', '+0.5 seconds')",
            Kind::Postgres => "now() + interval '0.5 seconds'",
        };
        let near = format!(
            "select count(*) from import_log where import_status = 'PROCESSING' and \
             (attempts > {attempts} or lease_expires_at is null or lease_expires_at < {soon})"
        );
        self.until("jobs that were interrupted go on", &near).await;
    }

    /// Uploads files until there is enough to do.
    pub(crate) async fn feed(&mut self, files: &mut Vec<File>) {
        let open = "select coalesce(sum(coalesce(total_rows, 1000) - processed_rows), 0) \
                    from import_log \
                    where import_status in ('PENDING', 'PROCESSING', 'PAUSED')";
        let mut open = self.database.number(open).await;
        while open < ROWS_OPEN
            && let Some(file) = files.pop()
        {
            self.deliver(file).await;
            open += u64::from(file.rows);
        }
    }

    /// Uploads a file with its own key until a server has accepted it, as a client would that gets
    /// no answer.
    pub(crate) async fn deliver(&mut self, file: File) {
        self.deliver_bytes(file, &file.bytes()).await;
    }

    pub(crate) async fn deliver_bytes(&mut self, file: File, bytes: &[u8]) {
        let limit = Instant::now() + PATIENCE;
        let job = loop {
            self.turn += 1;
            let server = &self.servers[self.turn % self.servers.len()];
            let request = self
                .http
                .post(format!("{}{PATH}", server.address()))
                .header("content-type", "application/octet-stream")
                .header("content-disposition", disposition(&file))
                .header("idempotency-key", file.name())
                .body(bytes.to_vec());
            match answer_to(request).await {
                Ok(job) => break job,
                Err(fault) => assert!(
                    Instant::now() < limit,
                    "{} is not accepted: {fault}\n{}",
                    file.name(),
                    tail(&server.log())
                ),
            }
            moment(LOOK).await;
        };
        self.delivered.push(Delivered { job, file });
    }

    /// Deletes a job that has ended, with its files, so that a long run needs no large disk.
    pub(crate) async fn forget(&self, job: i64) {
        let limit = Instant::now() + PATIENCE;
        loop {
            let address = format!("{}/api/v1/import/jobs/{job}", self.servers[0].address());
            let answer = match self.http.delete(address).send().await {
                Ok(answer) if answer.status().is_success() => return,
                Ok(answer) => answer.status().to_string(),
                Err(fault) => fault.to_string(),
            };
            assert!(Instant::now() < limit, "job {job} is not deleted: {answer}");
            moment(LOOK).await;
        }
    }

    /// Sends this share of an upload, in hundredths, and leaves the connection open.
    pub(crate) fn send_part(
        &self,
        file: File,
        bytes: &[u8],
        share: u64,
        server: usize,
    ) -> TcpStream {
        let address = self.servers[server].address();
        let address = address.trim_start_matches("http://");
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/octet-stream\r\n\
             Content-Disposition: {}\r\nIdempotency-Key: {}\r\nContent-Length: {}\r\n\r\n",
            disposition(&file),
            file.name(),
            bytes.len()
        );
        let sent = bytes.len() * usize::try_from(share).unwrap_or(100) / 100;
        let mut stream = TcpStream::connect(address).expect("the server listens");
        // What a server does not take is part of the harm.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes[..sent]));
        stream
    }
}

const PATH: &str = "/api/v1/import/products";

fn disposition(file: &File) -> String {
    format!("attachment; filename=\"{}\"", file.name())
}

/// The job's number, or why there is none yet. A refusal for good is a fault of the rig.
async fn answer_to(request: reqwest::RequestBuilder) -> Result<i64, String> {
    let answer = request.send().await.map_err(|fault| fault.to_string())?;
    let status = answer.status();
    let text = answer.text().await.map_err(|fault| fault.to_string())?;
    if status.as_u16() == 202 {
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        return Ok(json["data"]["jobId"].as_i64().expect("a job number"));
    }
    assert!(status.is_server_error(), "{status}: {text}");
    Err(format!("{status}: {text}"))
}

/// `127.0.0.1:5432` of an address.
fn socket_of(address: &str) -> std::net::SocketAddr {
    let socket = address.rsplit('@').next().and_then(|rest| rest.split('/').next());
    socket.expect("an address").parse().expect("an address and a port")
}

/// The products of the program, of which several jobs may run at the same time.
fn write_dataset(folder: &std::path::Path) {
    let text = include_str!("../../datasets/products.toml");
    let more = text.replacen("run   =", "max_running_jobs = 4\nrun   =", 1);
    assert_ne!(text, more, "the dataset has another form");
    std::fs::write(folder.join("products.toml"), more).expect("the dataset is written");
}

pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
