//! The limits that the child process puts on itself before it touches a workbook, and its last
//! words.

use std::io::Write;
use std::time::Duration;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit,
};

use super::fault::unreadable;
use crate::reader::error::WorkbookFault;

/// Exit code of a process that wrote why it gave up.
pub const GAVE_UP: u8 = 3;

/// What the process may use.
#[derive(Debug, Clone, Copy)]
pub struct ProcessLimits {
    /// Bytes of address space, besides what the program itself has when it begins.
    pub memory_bytes: u64,
    /// Seconds of processor time.
    pub cpu_seconds: u64,
    /// Seconds of wall clock.
    pub wall_seconds: u64,
    /// Bytes of the file that it writes.
    pub output_bytes: u64,
    /// The process that started it, which it does not outlive.
    pub parent: u32,
}

/// Puts the limits on the running process and starts its clock.
///
/// # Errors
/// When the system refuses a limit, or the parent is gone already.
pub fn confine(limits: ProcessLimits) -> Result<(), WorkbookFault> {
    let refused = |error: rustix::io::Errno| unreadable(error);
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(refused)?;
    // The parent may have died before the line above.
    let parent = getppid().map(Pid::as_raw_nonzero).map(|pid| pid.get().unsigned_abs());
    if parent != Some(limits.parent) {
        return Err(unreadable("the server that asked for it is gone"));
    }
    for (resource, bound) in [
        (Resource::As, own_bytes().saturating_add(limits.memory_bytes)),
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::Fsize, limits.output_bytes),
        (Resource::Core, 0),
    ] {
        let limit = Rlimit { current: Some(bound), maximum: Some(bound) };
        setrlimit(resource, limit).map_err(refused)?;
    }
    std::thread::Builder::new()
        .stack_size(128 << 10)
        .spawn(move || {
            std::thread::sleep(Duration::from_secs(limits.wall_seconds));
            give_up(&WorkbookFault::TimeUp { seconds: limits.wall_seconds });
        })
        .map_err(unreadable)?;
    Ok(())
}

/// Address space that the process has now: program, libraries, stack (proc(5), `statm`).
fn own_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: Option<u64> = statm.split(' ').next().and_then(|pages| pages.parse().ok());
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    pages.unwrap_or(0) * page
}

/// Writes `fault` as one line of JSON to standard error: the parent reads it there.
pub fn report(fault: &WorkbookFault) {
    if let Ok(mut line) = serde_json::to_vec(fault) {
        line.push(b'\n');
        // Without a reader there is nobody left to tell.
        let _ = std::io::stderr().write_all(&line);
    }
}

/// Reports `fault` and ends the process, whatever its other threads are doing.
pub fn give_up(fault: &WorkbookFault) -> ! {
    report(fault);
    #[expect(clippy::exit, reason = "the main thread may be deep inside a hostile file")]
    std::process::exit(i32::from(GAVE_UP))
}
