//! The parent's side of `loadbay convert`: starts the child process, waits for it, and turns its
//! end into an answer. Knows how many may be open at a time.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ChildStderr, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{ReadError, WorkbookFault};
use super::workbook::{ConvertMode, ConvertRequest};

/// How the child process is started and bounded.
#[derive(Debug, Clone)]
pub struct Child {
    /// The program: this one.
    pub program: PathBuf,
    /// Bytes of memory (address space) that it may take.
    pub memory_bytes: u64,
    /// Seconds of processor time.
    pub cpu_seconds: u64,
    /// Seconds of wall clock.
    pub wall_seconds: u64,
    /// One for each workbook that may be open at a time, by an upload, a preview or a running
    /// job. Each takes a process that may use the whole memory limit.
    pub slots: Arc<Semaphore>,
}

/// The right to read one file: for a workbook it holds a slot, text needs none.
#[derive(Debug)]
pub struct ReadPermit {
    child: Child,
    slot: Option<OwnedSemaphorePermit>,
}

impl ReadPermit {
    /// The program that opens workbooks.
    pub(crate) fn child(&self) -> &Child {
        assert!(self.slot.is_some(), "a workbook is opened only while a slot is held for it");
        &self.child
    }
}

/// Bytes that a conversion may write.
const SPOOL_BYTES_MAX: u64 = 8 << 30;

/// Bytes that an inspection may write.
const HEAD_BYTES_MAX: u64 = 128 << 20;

/// Last words that are read: a line of JSON, or what a panic or the allocator said.
const LAST_WORDS_BYTES: u64 = 64 << 10;

/// Time past its own clock that the child gets before it is killed.
const GRACE: Duration = Duration::from_secs(5);

impl Child {
    /// Waits until a workbook may be opened; text may be read at once, it never waits behind a
    /// workbook. The caller holds no other slot that a holder of a permit may wait for.
    pub async fn permit(&self, is_workbook: bool) -> ReadPermit {
        let slot = if is_workbook {
            let slot = Arc::clone(&self.slots).acquire_owned().await;
            Some(slot.unwrap_or_else(|_| unreachable!("the semaphore is never closed")))
        } else {
            None
        };
        ReadPermit { child: self.clone(), slot }
    }

    /// Runs `request` with `output` as the child's standard output; blocks until it ended, or until
    /// `stop` is set and it was killed.
    pub(crate) fn run(
        &self,
        request: &ConvertRequest,
        output: File,
        stop: &AtomicBool,
    ) -> Result<(), ReadError> {
        if let Some(sheet) = request.mode.sheet().filter(|sheet| sheet.contains('\0')) {
            // No argument of a process can hold it, and no sheet is called so.
            let sheet = crate::domain::row_error::shown(sheet);
            return Err(WorkbookFault::NoSuchSheet { sheet, sheets: Vec::new() }.into());
        }
        let failed = ReadError::io("start the program that reads workbooks");
        // A pipe: on a full disk a file would take no last words, and that is what they would tell.
        let mut child = self
            .command(request)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(&failed)?;
        let listener = |says| std::thread::Builder::new().spawn(|| listen(says)).ok();
        let last_words = child.stderr.take().and_then(listener);
        let deadline = Instant::now() + Duration::from_secs(self.wall_seconds) + GRACE;
        let mut pause = Duration::from_micros(500);
        let ended = loop {
            if let Some(status) = child.try_wait().map_err(&failed)? {
                break Ok(status);
            }
            let stopped = stop.load(Ordering::Relaxed);
            if stopped || Instant::now() > deadline {
                child.kill().and_then(|()| child.wait()).map_err(&failed)?;
                let seconds = self.wall_seconds;
                let time_up = ReadError::Workbook(WorkbookFault::TimeUp { seconds });
                break Err(if stopped { ReadError::Stopped } else { time_up });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        let status = ended?;
        if status.success() {
            return Ok(());
        }
        let words = last_words.and_then(|words| words.join().ok()).unwrap_or_default();
        Err(self.explain(status, &words))
    }

    fn command(&self, request: &ConvertRequest) -> Command {
        let mut command = Command::new(&self.program);
        // Nothing of the server's environment is the parser's business; one arena of memory is
        // enough for it, and several would count against its limit.
        command.env_clear().env("MALLOC_ARENA_MAX", "1");
        let output_bytes = match request.mode {
            ConvertMode::Head { .. } => HEAD_BYTES_MAX,
            ConvertMode::All { .. } => SPOOL_BYTES_MAX,
        };
        command.arg("convert").arg("--input").arg(&request.path);
        for (flag, value) in [
            ("--memory-bytes", self.memory_bytes),
            ("--cpu-seconds", self.cpu_seconds),
            ("--wall-seconds", self.wall_seconds),
            ("--output-bytes", output_bytes),
            ("--parent", u64::from(std::process::id())),
        ] {
            command.arg(format!("{flag}={value}"));
        }
        if let Some(format) = request.format {
            command.arg(format!("--format={}", format.as_str()));
        }
        let (mode, sheet, header_row) = match &request.mode {
            ConvertMode::Head { sheet, header_row } => ("head", sheet.as_ref(), *header_row),
            ConvertMode::All { sheet, header_row, columns } => {
                command.arg(format!("--columns={columns}"));
                ("all", Some(sheet), Some(*header_row))
            }
        };
        command.arg(format!("--mode={mode}"));
        if let Some(sheet) = sheet {
            command.arg(format!("--sheet={sheet}"));
        }
        if let Some(row) = header_row {
            command.arg(format!("--header-row={row}"));
        }
        command
    }

    /// Why the child ended as it did.
    fn explain(&self, status: ExitStatus, words: &str) -> ReadError {
        for line in words.lines() {
            if let Ok(fault) = serde_json::from_str::<WorkbookFault>(line) {
                return fault.into();
            }
        }
        match status.signal() {
            Some(SIGXCPU) => WorkbookFault::TimeUp { seconds: self.cpu_seconds }.into(),
            Some(SIGXFSZ) => {
                let detail = "its rows take more room than a conversion may".to_owned();
                WorkbookFault::Expands { detail }.into()
            }
            // What the allocator of Rust says before it aborts; there is no other sign of it.
            Some(SIGABRT) if words.contains("memory allocation of") => {
                let limit = self.memory_bytes >> 20;
                let detail = format!("reading it takes more memory than {limit} MiB");
                WorkbookFault::Expands { detail }.into()
            }
            Some(signal) => ReadError::ParserCrashed { how: format!("it died of signal {signal}") },
            None => {
                // What it said is of the program, not of the workbook: files and lines of source.
                tracing::warn!(
                    event = "parser_crashed",
                    words,
                    "the program that reads workbooks ended"
                );
                ReadError::ParserCrashed { how: format!("it ended with {status}") }
            }
        }
    }
}

/// Reads what a child says until it has ended; keeps the beginning.
fn listen(mut says: ChildStderr) -> String {
    let mut words = Vec::new();
    // What cannot be read was not said.
    let _ = says.by_ref().take(LAST_WORDS_BYTES).read_to_end(&mut words);
    let _ = io::copy(&mut says, &mut io::sink());
    String::from_utf8_lossy(&words).into_owned()
}

/// The process gave up (Linux, `signal(7)`).
const SIGABRT: i32 = 6;

/// Processor time is up (Linux, `signal(7)`).
const SIGXCPU: i32 = 24;

/// The file is larger than the process may write.
const SIGXFSZ: i32 = 25;
