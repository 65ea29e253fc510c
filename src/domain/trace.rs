//! Where a request or a job stands in a trace, as W3C Trace Context writes it. Knows no header, no log
//! and no exporter.

use std::fmt;

use uuid::Uuid;

/// The only flag of version 00: somebody records the trace.
const SAMPLED: u8 = 1;

/// A place in a trace: the trace, and the span whose children come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    parent_id: u64,
    is_sampled: bool,
}

impl TraceContext {
    /// The beginning of a trace that nobody records.
    #[must_use]
    pub fn begin() -> Self {
        Self { trace_id: Uuid::new_v4().as_u128(), parent_id: new_parent_id(), is_sampled: false }
    }

    /// A place that an exporter knows; `None` where it names none.
    #[must_use]
    pub fn of_ids(trace_id: u128, parent_id: u64, is_sampled: bool) -> Option<Self> {
        (trace_id != 0 && parent_id != 0).then_some(Self { trace_id, parent_id, is_sampled })
    }

    /// Reads the value of a header `traceparent`; `None` of one that is not valid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let version = hexadecimal(parts.next()?, 2)?;
        let trace_id = hexadecimal(parts.next()?, 32)?;
        let parent_id = u64::try_from(hexadecimal(parts.next()?, 16)?).ok()?;
        let flags = hexadecimal(parts.next()?, 2)?;
        // A later version may have more parts; what version 00 has stays in its place.
        let is_known = version == 0 && parts.next().is_none();
        let is_later = version > 0 && version < 0xff;
        let is_sampled = flags & u128::from(SAMPLED) != 0;
        Self::of_ids(trace_id, parent_id, is_sampled).filter(|_| is_known || is_later)
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { parent_id: new_parent_id(), ..self }
    }

    /// The number of the trace.
    #[must_use]
    pub fn trace_id(self) -> u128 {
        self.trace_id
    }

    /// The number of the span.
    #[must_use]
    pub fn parent_id(self) -> u64 {
        self.parent_id
    }

    /// Somebody records the trace.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.is_sampled
    }

    /// The trace as logs name it.
    #[must_use]
    pub fn trace_id_text(self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = if self.is_sampled { SAMPLED } else { 0 };
        write!(f, "00-{:032x}-{:016x}-{flags:02x}", self.trace_id, self.parent_id)
    }
}

/// Half of a random UUID whose first bits are never all zero.
fn new_parent_id() -> u64 {
    Uuid::new_v4().as_u64_pair().1
}

/// A number of exactly so many lower-case digits.
fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_number = text.len() == digits && text.bytes().all(is_digit);
    is_number.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_header_is_read_and_written_as_it_was() {
        let trace = TraceContext::parse(GIVEN).unwrap();
        assert_eq!(trace.to_string(), GIVEN);
        assert_eq!(trace.trace_id_text(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(trace.is_sampled());
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert_eq!(TraceContext::parse(later), Some(trace), "a later version");
        let unsampled = TraceContext::parse(&GIVEN.replace("-01", "-00")).unwrap();
        assert!(!unsampled.is_sampled());
    }

    #[test]
    fn what_the_specification_forbids_is_not_valid() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_child_stays_in_its_trace() {
        let begun = TraceContext::begin();
        let child = begun.child();
        assert_eq!(child.trace_id(), begun.trace_id());
        assert_ne!(child.parent_id(), begun.parent_id());
        assert_eq!(TraceContext::parse(&child.to_string()), Some(child));
        assert_ne!(TraceContext::begin().trace_id(), begun.trace_id());
    }
}
