//! Does what the plan says, and brings everything up again.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::draw::moment;
use super::files::File;
use super::harm::{Aim, Blow, Harm};
use super::world::{World, tail};

/// How long an aimed moment is waited for.
const AIM: Duration = Duration::from_millis(1_500);

/// How long a stopped server may take: it gives itself 24 seconds.
const GRACE: Duration = Duration::from_mins(1);

/// An upload in the middle of which something happens.
struct Begun {
    file: File,
    bytes: Vec<u8>,
    stream: TcpStream,
}

impl World {
    /// One harm; the files are those that are still to be uploaded. False when it struck nothing.
    pub(crate) async fn suffer(&mut self, harm: &Harm, files: &mut Vec<File>) -> bool {
        self.check_alive();
        let server = harm.server % self.servers.len();
        let upload = self.wait_for(harm.aim, server, files).await;
        moment(harm.delay).await;
        // Waiting for the moment, a job may have changed hands by itself.
        self.steady(harm.attempts).await;
        let has_struck = self.strike(harm.blow, server).await;
        if let Some(Begun { file, bytes, stream }) = upload {
            drop(stream);
            // The client knows nothing of its job: the same key must give it once.
            self.deliver_bytes(file, &bytes).await;
        }
        has_struck
    }

    async fn wait_for(&self, aim: Aim, server: usize, files: &mut Vec<File>) -> Option<Begun> {
        match aim {
            Aim::Anytime => {}
            Aim::Uploading(share) => {
                let file = files.pop()?;
                let bytes = file.bytes();
                let stream = self.send_part(file, &bytes, share, server);
                return Some(Begun { file, bytes, stream });
            }
            Aim::Parsing => {
                let parsing = "select count(*) from import_log where import_status = 'PROCESSING' \
                               and not exists (select 1 from import_chunks c \
                               where c.import_log_id = import_log.id)";
                self.aim_at(parsing, AIM).await;
            }
            Aim::Chunk => {
                let chunks = self.database.number("select count(*) from import_chunks").await;
                let more = format!(
                    "select case when count(*) > {chunks} then 1 else 0 end from import_chunks"
                );
                self.aim_at(&more, AIM).await;
            }
            Aim::Ending => {
                let ending = "select count(*) from import_log where import_status = 'PROCESSING' \
                              and processed_rows = total_rows";
                self.aim_at(ending, AIM).await;
            }
        }
        None
    }

    async fn strike(&mut self, blow: Blow, server: usize) -> bool {
        match blow {
            Blow::Kill => {
                self.servers[server].kill();
                self.start_server(server);
            }
            Blow::KillTwice(soon) => {
                self.servers[server].kill();
                let _lines = self.servers[server].spawn("127.0.0.1:0");
                moment(soon).await;
                self.servers[server].kill();
                self.start_server(server);
            }
            Blow::KillAll => {
                for server in &mut self.servers {
                    server.kill();
                }
                for server in 0..self.servers.len() {
                    self.start_server(server);
                }
            }
            Blow::Terminate => {
                let began = Instant::now();
                let status = self.servers[server].terminate();
                let (took, log) = (began.elapsed(), tail(&self.servers[server].log()));
                assert!(status.success() && took < GRACE, "{status} after {took:?}\n{log}");
                self.start_server(server);
            }
            Blow::Freeze(time) => {
                self.servers[server].signal(Signal::STOP);
                moment(time).await;
                self.servers[server].signal(Signal::CONT);
            }
            Blow::PostgresKill | Blow::PostgresCrash | Blow::Cut => self.cut_off(blow).await,
            Blow::CutCommit(passing, place) => {
                let Some(proxy) = &self.proxy else { return false };
                let before = proxy.cuts();
                proxy.arm(passing, place);
                let limit = Instant::now() + 2 * AIM;
                while proxy.cuts() == before && Instant::now() < limit {
                    moment(Duration::from_millis(5)).await;
                }
                proxy.disarm();
                return proxy.cuts() > before;
            }
            Blow::Stall(time) => {
                if let Some(proxy) = &self.proxy {
                    proxy.stall(time).await;
                }
            }
            Blow::Fill(time, rest) => {
                let Some(disk) = &self.disk else { return false };
                disk.fill(rest);
                moment(time).await;
                disk.empty();
            }
        }
        true
    }

    async fn cut_off(&self, blow: Blow) {
        let (Some(cluster), Some(proxy)) = (&self.cluster, &self.proxy) else { return };
        if blow == Blow::Cut {
            return proxy.cut_all();
        }
        if blow == Blow::PostgresKill {
            cluster.kill().await;
        }
        cluster.restart();
    }
}
