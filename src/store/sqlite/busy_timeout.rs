//! How long a write waits for another program that has the file of SQLite locked. Whoever waits for the
//! turn to write already waits behind one that waits for that program: both times count.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection};

/// A wait for the turn that is no longer than this takes nothing of the time.
const SHORT_WAIT: Duration = Duration::from_millis(500);

/// What is left in any case: SQLite looks several times.
const SHORTEST: Duration = Duration::from_millis(50);

/// How long the connection that writes waits now. It belongs to the one whose turn it is.
#[derive(Debug)]
pub(in crate::store) struct BusyTimeout(Duration);

impl Default for BusyTimeout {
    fn default() -> Self {
        Self(Self::LONGEST)
    }
}

impl BusyTimeout {
    /// How long a request waits for other programs altogether.
    pub(in crate::store) const LONGEST: Duration = Duration::from_secs(5);

    /// Leaves as much time as a request has that waited for its turn.
    pub(in crate::store) async fn set_after(
        &mut self,
        waited: Duration,
        connection: &DatabaseConnection,
    ) {
        let left = left_after(waited);
        if self.0 == left {
            return;
        }
        let pragma = format!("PRAGMA busy_timeout = {}", left.as_millis());
        // A connection that cannot take this cannot write either; the write reports it then.
        if connection.execute_unprepared(&pragma).await.is_ok() {
            self.0 = left;
        }
    }
}

fn left_after(waited: Duration) -> Duration {
    if waited <= SHORT_WAIT {
        return BusyTimeout::LONGEST;
    }
    BusyTimeout::LONGEST.saturating_sub(waited).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_for_the_turn_counts() {
        let left = |millis| left_after(Duration::from_millis(millis)).as_millis();
        assert_eq!([left(0), left(500), left(2_000), left(60_000)], [5_000, 5_000, 3_000, 50]);
    }
}
