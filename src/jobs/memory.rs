//! How much of its memory the server uses, and what follows: chunks shrink, readers wait, no job starts.
//!
//! Pressure is memory that the system cannot take back: anonymous pages, of the process or, where a
//! cgroup limits it, of all processes in it, so that the child that reads a workbook counts, too. Pages
//! of files (the program, the database, the page cache) go away by themselves and do not count.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::memory_pressure::MemoryPressure;

/// How often it is measured.
const MEASURE: Duration = Duration::from_millis(250);

/// The limit where neither a setting nor a cgroup names one.
const LIMIT_BYTES: u64 = 1 << 30;

/// What a cgroup of the first version calls no limit is above this.
const NO_LIMIT_BYTES: u64 = 1 << 60;

/// The memory of the server.
#[derive(Debug)]
pub(super) struct Memory {
    limit: u64,
    cgroup: Option<Cgroup>,
    pressure: watch::Sender<MemoryPressure>,
    /// The most that was used at any look.
    peak: AtomicU64,
}

/// What the server uses of its memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// Bytes that the system cannot take back.
    pub used: u64,
    /// The most of them since the start.
    pub peak: u64,
    /// Bytes that may be used.
    pub limit: u64,
    /// Bytes of the process in memory, the program and other files included.
    pub resident: u64,
    /// Bytes of the process's address space for its values, used or not.
    pub reserved: u64,
    /// The used part.
    pub pressure: MemoryPressure,
}

impl Memory {
    /// The memory of this process, of which it should use at most `limit`; without one the limit of
    /// its cgroup, else 1 GiB.
    pub(super) fn new(limit: Option<u64>) -> Self {
        let cgroup = Cgroup::find();
        let limit = limit.or(cgroup.as_ref().map(|it| it.limit)).unwrap_or(LIMIT_BYTES);
        let pressure = watch::Sender::new(MemoryPressure::default());
        Self { limit, cgroup, pressure, peak: AtomicU64::new(0) }
    }

    /// Bytes that the server should use at most.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// The pressure at the last look.
    pub(super) fn pressure(&self) -> MemoryPressure {
        *self.pressure.borrow()
    }

    /// Follows the pressure.
    pub(super) fn watch(&self) -> watch::Receiver<MemoryPressure> {
        self.pressure.subscribe()
    }

    /// What is used now.
    pub(super) fn now(&self) -> MemoryUse {
        self.look();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        MemoryUse {
            used: self.used().unwrap_or(0),
            peak: self.peak.load(Ordering::Relaxed),
            limit: self.limit,
            resident: kib(&status, "VmRSS:").unwrap_or(0),
            reserved: kib(&status, "VmData:").unwrap_or(0),
            pressure: self.pressure(),
        }
    }

    /// Measures until the server stops.
    pub(super) async fn measure(&self, stop: &CancellationToken) {
        let mut tick = tokio::time::interval(MEASURE);
        loop {
            tokio::select! {
                _ = tick.tick() => self.look(),
                () = stop.cancelled() => return,
            }
        }
    }

    fn look(&self) {
        let Some(used) = self.used() else { return };
        self.peak.fetch_max(used, Ordering::Relaxed);
        let now = MemoryPressure::of(used, self.limit);
        let before = self.pressure.send_replace(now);
        if before.level() == now.level() {
            return;
        }
        let (percent, chunk_percent) = (now.percent(), now.chunk_percent());
        if now.is_critical() {
            tracing::warn!(
                event = "memory_full",
                used,
                limit = self.limit,
                percent,
                "memory is nearly used up, no job starts and readers wait"
            );
        } else {
            tracing::info!(
                event = "memory_pressure",
                used,
                limit = self.limit,
                percent,
                chunk_percent,
                "memory pressure changed"
            );
        }
    }

    /// Bytes that the system cannot take back.
    fn used(&self) -> Option<u64> {
        if let Some(percent) = crate::faults::answer("memory.percent") {
            return Some(self.limit / 100 * percent.parse::<u64>().ok()?);
        }
        let own = kib(&fs::read_to_string("/proc/self/status").ok()?, "RssAnon:")?;
        let shared = self.cgroup.as_ref().and_then(Cgroup::anonymous);
        Some(own.max(shared.unwrap_or(0)))
    }
}

/// A value of `/proc/self/status` in bytes.
fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// A cgroup that limits the memory of this process.
#[derive(Debug)]
struct Cgroup {
    limit: u64,
    /// Its file with what is used for what.
    statistics: String,
    /// The name of anonymous memory in it.
    anonymous: &'static str,
}

impl Cgroup {
    /// The cgroup of this process, if it has a limit.
    fn find() -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mut found = groups.lines().filter_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            if controllers.is_empty() {
                Self::at(&format!("/sys/fs/cgroup{path}"), "memory.max", "anon ")
            } else if controllers.split(',').any(|controller| controller == "memory") {
                let folder = format!("/sys/fs/cgroup/memory{path}");
                Self::at(&folder, "memory.limit_in_bytes", "total_rss ")
            } else {
                None
            }
        });
        found.next()
    }

    fn at(folder: &str, limit: &str, anonymous: &'static str) -> Option<Self> {
        let folder = folder.trim_end_matches('/');
        let text = fs::read_to_string(format!("{folder}/{limit}")).ok()?;
        let limit = text.trim().parse().ok().filter(|limit| *limit < NO_LIMIT_BYTES)?;
        Some(Self { limit, statistics: format!("{folder}/memory.stat"), anonymous })
    }

    fn anonymous(&self) -> Option<u64> {
        let text = fs::read_to_string(&self.statistics).ok()?;
        text.lines().find_map(|line| line.strip_prefix(self.anonymous))?.trim().parse().ok()
    }
}

/// What a reader asks before it fills a chunk.
#[derive(Debug, Clone)]
pub(super) struct ChunkRoom {
    pub(super) memory: Arc<Memory>,
    /// Rows of a chunk without pressure.
    pub(super) chunk_rows: usize,
}

/// How often a reader looks again while it waits.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A reader waits so long for one chunk at most: others may use the memory for good, and a job that
/// waited for them would never end.
const WAIT_MAX: Duration = Duration::from_secs(5);

impl ChunkRoom {
    /// Rows of the next chunk. Blocks while memory is nearly used up, until `is_stopped`.
    pub(super) fn rows(&self, is_stopped: impl Fn() -> bool) -> usize {
        let mut waited = Duration::ZERO;
        while self.memory.pressure().is_critical() && waited < WAIT_MAX && !is_stopped() {
            std::thread::sleep(LOOK_AGAIN);
            waited += LOOK_AGAIN;
        }
        let percent = usize::from(self.memory.pressure().chunk_percent());
        (self.chunk_rows.saturating_mul(percent) / 100).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_process_uses_is_read() {
        let status = "Name:\tloadbay\nVmRSS:\t   60748 kB\nRssAnon:\t   15948 kB\n";
        assert_eq!(kib(status, "RssAnon:"), Some(15_948 * 1024));
        let memory = Memory::new(Some(1 << 30));
        memory.look();
        assert!(memory.used().is_some_and(|used| used > 1 << 18), "{:?}", memory.used());
    }

    #[test]
    fn chunks_shrink_and_never_vanish() {
        let memory = Arc::new(Memory::new(Some(1_000)));
        let room = |rows| ChunkRoom { memory: Arc::clone(&memory), chunk_rows: rows };
        for (used, rows) in [(0, 100), (400, 75), (600, 50), (800, 25)] {
            memory.pressure.send_replace(MemoryPressure::of(used, 1_000));
            assert_eq!((room(100).rows(|| false), room(1).rows(|| false)), (rows, 1));
        }
        memory.pressure.send_replace(MemoryPressure::of(950, 1_000));
        assert_eq!(room(100).rows(|| true), 25);
    }
}
