//! How many heaps the process has. Knows nothing of commands.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::config::variable_of_process;

/// The variable from which glibc reads the number of heaps ("arenas", mallopt(3)) when a process starts.
const VARIABLE: &str = "MALLOC_ARENA_MAX";

/// Heaps of a process that imports.
const HEAPS: &str = "2";

/// Starts the program again, as the same process, with few heaps, unless the environment says how many.
///
/// glibc gives each thread a heap of its own, up to eight for each core. What a chunk or a read file left
/// in one heap is of no use to a thread with another, and the process grows. A running process changes
/// the number by a call into C only, which needs `unsafe`.
pub(super) fn limit() {
    let is_set = variable_of_process(VARIABLE).is_some();
    if is_set || !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // Comes back only where the program cannot be started again: then it goes on as it is.
    let fault = again.args(arguments).env(VARIABLE, HEAPS).exec();
    tracing::debug!(event = "heaps_unlimited", %fault, "number of heaps is the system's");
}
