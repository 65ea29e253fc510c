//! Failpoints: named points at which a test makes the server fail, by an error of the layer there, a
//! panic, an abort, or a sleep that is longer than a lease.
//!
//! The lowest layer: it names no other module, and every module may name it. Only builds with the
//! feature `failpoints` have them, and the tests use such a build; in all others a failpoint is a
//! constant `false`. The environment variable `FAILPOINTS` sets what happens where when the server
//! starts: `chunk.commit=2*off->1*return->off` fails the third commit. `return(abort)` ends the
//! process at once; `return(hold:FILE)` holds the task as long as the file is there.
//! `tests/failpoints` lists the names.

/// Arms the failpoints as `FAILPOINTS` sets them; they are disarmed when the value is dropped.
#[must_use]
pub fn armed() -> Option<fail::FailScenario<'static>> {
    fail::has_failpoints().then(fail::FailScenario::setup)
}

/// True when the code at this failpoint is to fail with an error. Panics, aborts, sleeps or waits if
/// the test set that.
pub(crate) fn strikes(failpoint: &str) -> bool {
    fail::fail_point!(failpoint, |how| {
        let how = how.as_deref().unwrap_or_default();
        if how == "abort" {
            std::process::abort();
        }
        if let Some(file) = how.strip_prefix("hold:") {
            // Other tasks go on: this one alone is held.
            tokio::task::block_in_place(|| {
                while std::path::Path::new(file).exists() {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
            });
            return false;
        }
        tracing::warn!(event = "failpoint_struck", failpoint, "failpoint struck");
        true
    });
    // False in every build: each failpoint has a name.
    failpoint.is_empty()
}

/// What the code at this failpoint is to take for an answer, as the test set it.
pub(crate) fn answer(failpoint: &str) -> Option<String> {
    fail::fail_point!(failpoint, |answer| answer);
    // `None` in every build: each failpoint has a name.
    failpoint.is_empty().then(String::new)
}

/// A failpoint: `fault!("chunk.commit", error)` returns the error when a test makes it fail.
macro_rules! fault {
    ($failpoint:literal, $error:expr) => {
        if crate::faults::strikes($failpoint) {
            return Err($error);
        }
    };
}
pub(crate) use fault;
