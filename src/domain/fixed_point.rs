//! How a number with digits behind the point is written: 1999 units with two of them are `19.99`.

use std::fmt;

/// Digits of a number in all, so that it fits 64 bits.
const DIGITS_MAX: u8 = 18;

/// A number of units, to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedPoint {
    units: i64,
    /// Digits behind the point.
    scale: u8,
}

impl FixedPoint {
    /// So many units, each the last of `scale` digits behind the point.
    ///
    /// # Panics
    /// When `scale` is more than a definition can say.
    #[must_use]
    pub fn new(units: i64, scale: u8) -> Self {
        assert!(scale <= DIGITS_MAX, "a definition has no column with {scale} digits");
        Self { units, scale }
    }
}

impl fmt::Display for FixedPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.units);
        }
        let sign = if self.units < 0 { "-" } else { "" };
        let one = 10_u64.pow(u32::from(self.scale));
        let (whole, fraction) = (self.units.unsigned_abs() / one, self.units.unsigned_abs() % one);
        write!(f, "{sign}{whole}.{fraction:0places$}", places = usize::from(self.scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_all_of_its_digits() {
        for (units, scale, text) in [
            (1999, 2, "19.99"),
            (0, 2, "0.00"),
            (-5, 2, "-0.05"),
            (5, 18, "0.000000000000000005"),
            (-7, 0, "-7"),
            (i64::MIN, 0, "-9223372036854775808"),
        ] {
            assert_eq!(FixedPoint::new(units, scale).to_string(), text);
        }
    }
}
