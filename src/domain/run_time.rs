//! How long a job ran, and how fast it was lately: only the time in which it ran counts, whatever
//! pauses, restarts and crashes lay in between.

/// The time in which a job ran and since when its pace is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunTime {
    /// Milliseconds in which it ran, in all of its runs.
    pub millis: u64,
    /// Rows that had an outcome when the time began over which its pace is measured.
    pub pace_rows: u64,
    /// `millis` then. Time in which a run reads the file and writes no rows moves it along.
    pub pace_millis: u64,
}

/// So long is the time over which the pace is measured at least, and at most twice as long.
pub const PACE_PERIOD_MILLIS: u64 = 30_000;

impl RunTime {
    /// Rows and milliseconds of the last minute; `None` where there is nothing to measure yet.
    #[must_use]
    pub fn lately(&self, processed: u64) -> Option<(u64, u64)> {
        let rows = processed.saturating_sub(self.pace_rows);
        let millis = self.millis.saturating_sub(self.pace_millis);
        (rows > 0 && millis > 0).then_some((rows, millis))
    }

    /// Rows and milliseconds of all runs.
    #[must_use]
    pub fn in_all(&self, processed: u64) -> Option<(u64, u64)> {
        (processed > 0 && self.millis > 0).then_some((processed, self.millis))
    }
}
