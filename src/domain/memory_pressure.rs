//! How much of its memory the server uses, and what that means for chunks and jobs. Pure: who measures
//! is unknown here.

/// Percent of the limit from which on no job starts and readers wait.
const CRITICAL: u8 = 90;

/// From so many percent of the limit on, chunks have so many percent of their rows.
const STEPS: [(u8, u8); 3] = [(80, 25), (60, 50), (40, 75)];

/// The used part of the memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryPressure(u8);

impl MemoryPressure {
    /// `used` bytes of `limit`.
    #[must_use]
    pub fn of(used: u64, limit: u64) -> Self {
        let percent = used.saturating_mul(100).checked_div(limit).unwrap_or(100);
        Self(u8::try_from(percent.min(100)).unwrap_or(100))
    }

    /// Percent of the limit.
    #[must_use]
    pub fn percent(self) -> u8 {
        self.0
    }

    /// Percent of their rows that chunks have.
    #[must_use]
    pub fn chunk_percent(self) -> u8 {
        STEPS.iter().find(|(from, _)| self.0 >= *from).map_or(100, |(_, rows)| *rows)
    }

    /// True when no job is to start and readers wait.
    #[must_use]
    pub fn is_critical(self) -> bool {
        self.0 >= CRITICAL
    }

    /// What follows from it: changes of the pressure within one level change nothing.
    #[must_use]
    pub fn level(self) -> (u8, bool) {
        (self.chunk_percent(), self.is_critical())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_shrink_as_memory_is_used_up() {
        let of = |used| {
            let pressure = MemoryPressure::of(used, 1_000);
            (pressure.chunk_percent(), pressure.is_critical())
        };
        assert_eq!(of(0), (100, false));
        assert_eq!(of(399), (100, false));
        assert_eq!(of(400), (75, false));
        assert_eq!(of(600), (50, false));
        assert_eq!(of(800), (25, false));
        assert_eq!(of(900), (25, true));
        assert_eq!(of(5_000), (25, true));
        assert_eq!(MemoryPressure::of(1, 0).percent(), 100);
    }
}
