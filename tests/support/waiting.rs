//! Waiting for a fact: asked for again and again, up to a limit.

use std::time::Duration;

/// Longest time that a test waits for one fact, unless it has a limit of its own. Long, because a
/// busy machine is no fault of the server.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// Time between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Lets the others work before the next look.
pub(crate) async fn before_the_next_look() {
    tokio::time::sleep(BETWEEN_LOOKS).await;
}

/// Looks until an expression is true; fails with what stands behind it when that takes too long.
macro_rules! wait_until {
    ($fact:expr, $($what:tt)+) => {{
        let limit = std::time::Instant::now() + crate::support::PATIENCE;
        while !$fact {
            assert!(std::time::Instant::now() < limit, $($what)+);
            crate::support::before_the_next_look().await;
        }
    }};
}
pub(crate) use wait_until;
