//! When a message is tried again. Pure, but for the jitter.

use std::time::Duration;

use uuid::Uuid;

/// Longest time that a receiver may ask to wait.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// The pauses between the attempts of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl Schedule {
    /// Reads pauses that are separated by commas.
    ///
    /// # Errors
    /// What is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fault = || format!("`{text}` is no list of times; write it like 5s,5min,2h");
        let pause = |part: &str| humantime::parse_duration(part.trim()).map_err(|_| fault());
        let pauses: Vec<Duration> = text.split(',').map(pause).collect::<Result<_, _>>()?;
        let is_possible = pauses.len() <= 50 && pauses.iter().all(|it| *it <= RETRY_AFTER_MAX * 7);
        if is_possible { Ok(Self(pauses)) } else { Err(fault()) }
    }

    /// The pause behind an attempt that failed, counted from 1; `None` when it was the last one. A
    /// receiver that asks for more time gets it.
    #[must_use]
    pub fn pause_after(&self, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        let index = usize::try_from(attempt).ok()?.checked_sub(1)?;
        let pause = *self.0.get(index)?;
        let pause = pause.max(asked.unwrap_or_default().min(RETRY_AFTER_MAX));
        Some(pause + jitter(pause))
    }
}

/// Up to a tenth more, so that not all messages come back at the same moment.
fn jitter(pause: Duration) -> Duration {
    let [a, b, ..] = *Uuid::new_v4().as_bytes();
    pause / 10 * u32::from(u16::from_be_bytes([a, b])) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_come_in_their_order_with_some_jitter() {
        let schedule = Schedule::parse("10s, 5min").unwrap();
        for _ in 0..100 {
            let first = schedule.pause_after(1, None).unwrap();
            assert!((10.0..=11.0).contains(&first.as_secs_f64()), "{first:?}");
        }
        assert!(schedule.pause_after(2, None).unwrap() >= Duration::from_mins(5));
        assert_eq!(schedule.pause_after(3, None), None);
        let asked = schedule.pause_after(1, Some(Duration::from_mins(1))).unwrap();
        assert!(asked >= Duration::from_mins(1));
        for text in ["", "5", "soon", "5s,", "900days"] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
    }
}
