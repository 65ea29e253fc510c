//! Named places at which a test can make the server fail: by an error of the place's own layer, a
//! panic, an abort, or a sleep that is longer than a lease.
//!
//! The lowest layer: it names no other module, and every module may name it. Only builds with the
//! feature `failpoints` have the places, which are the tested ones; in all others a place is a
//! constant `false`. The environment variable `FAILPOINTS` says what happens where, once the server
//! starts: `chunk.commit=2*off->1*return->off` fails the third commit. `return(abort)` ends the
//! process on the spot. The places are listed in `tests/failpoints`.

/// Arms the places as `FAILPOINTS` says; they are disarmed when the value goes.
#[must_use]
pub fn armed() -> Option<fail::FailScenario<'static>> {
    fail::has_failpoints().then(fail::FailScenario::setup)
}

/// True when this place is to fail with an error. Panics, aborts or sleeps if that was asked.
pub(crate) fn strikes(place: &str) -> bool {
    fail::fail_point!(place, |how| {
        if how.as_deref() == Some("abort") {
            std::process::abort();
        }
        tracing::warn!(place, "a test lets this place fail");
        true
    });
    // False in every build: no place is without a name.
    place.is_empty()
}

/// A place: `fault!("chunk.commit", error)` returns the error when the place is to fail.
macro_rules! fault {
    ($place:literal, $error:expr) => {
        if crate::faults::strikes($place) {
            return Err($error);
        }
    };
}
pub(crate) use fault;
