//! Chance from a seed, so that a run can be had again, and drawn moments. Knows nothing of what is
//! drawn.

use std::time::Duration;

/// `SplitMix64`: short, and the same on every machine and with every version of every crate.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    /// Numbers of their own for each `purpose` of a run.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self(purpose.bytes().fold(seed, |state, byte| mixed(state ^ u64::from(byte))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// A time of at least `from` and less than `to` milliseconds.
    pub(crate) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }

    /// Puts a list into another order.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for index in (1..list.len()).rev() {
            let other = self.below(index as u64 + 1);
            list.swap(index, usize::try_from(other).expect("an index"));
        }
    }
}

/// Spreads the bits of a number.
pub(crate) fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Lets a drawn time pass, or the time between two looks. Facts are never waited for in this way.
pub(crate) async fn moment(time: Duration) {
    let _over = tokio::time::timeout(time, std::future::pending::<()>()).await;
}
