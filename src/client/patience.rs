//! How long and how often a client tries to reach a server that is away for a moment.

use std::time::{Duration, Instant};

/// The first pause between two attempts; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause that the client chooses by itself.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The attempts at one call.
#[derive(Debug)]
pub(super) struct Attempts {
    until: Instant,
    pause: Duration,
}

impl Attempts {
    /// Attempts for as long as `patience`.
    pub(super) fn new(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, pause: FIRST_PAUSE }
    }

    /// How long to wait before the next attempt, at least as long as the server says; `None` when
    /// the patience is over.
    pub(super) fn next(&mut self, server_says: Option<Duration>) -> Option<Duration> {
        let pause = self.pause.max(server_says.unwrap_or_default());
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        let left = self.until.checked_duration_since(Instant::now())?;
        if left.is_zero() {
            return None;
        }
        // The last attempt is made when the time is over, and not long before.
        match server_says {
            Some(wait) if wait > left => None,
            _ => Some(pause.min(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_the_patience() {
        let mut attempts = Attempts::new(Duration::from_mins(1));
        let pauses: Vec<_> = (0..7).filter_map(|_| attempts.next(None)).collect();
        let millis: Vec<_> = pauses.iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [250, 500, 1000, 2000, 4000, 8000, 8000]);
        assert_eq!(attempts.next(Some(Duration::from_secs(20))), Some(Duration::from_secs(20)));
        assert_eq!(attempts.next(Some(Duration::from_hours(1))), None);
        assert_eq!(Attempts::new(Duration::ZERO).next(None), None);
    }
}
