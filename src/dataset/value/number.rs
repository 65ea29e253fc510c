//! Numbers from text, fixed-point all the way: a price never passes through a float.
//!
//! Written in the many ways that spreadsheets have (`1234.5`, `1,234.50`, `1.234,50`, `1 234,50`,
//! `1'234.50`, `1,00,000`), read only when there is one way to read it.

use crate::domain::detected::DecimalSeparator;

/// Why a text is not a number of the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum NumberFault {
    /// Not a number at all.
    NotANumber,
    /// `1,234`: one thousand, or one and a bit.
    Ambiguous,
    /// More digits after the point than the column holds, and they are not zeros.
    TooManyDecimals,
    /// More digits than the column holds.
    Overflow,
}

/// How many digits a number may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) struct Digits {
    /// In all; 19 means the whole range of an `i64`.
    pub(in crate::dataset) precision: u8,
    /// After the point.
    pub(in crate::dataset) scale: u8,
}

impl Digits {
    /// A whole number of 64 bits.
    pub(in crate::dataset) const INTEGER: Self = Self { precision: 19, scale: 0 };

    /// The largest magnitude, in units of the last digit.
    fn limit(self) -> u64 {
        10_u64.pow(u32::from(self.precision.min(18))) - 1
    }

    fn units(self, negative: bool, magnitude: u64) -> Result<i64, NumberFault> {
        if self.precision < 19 && magnitude > self.limit() {
            return Err(NumberFault::Overflow);
        }
        let units = if negative {
            0_i64.checked_sub_unsigned(magnitude)
        } else {
            i64::try_from(magnitude).ok()
        };
        units.ok_or(NumberFault::Overflow)
    }
}

/// Reads `text` (already trimmed) in units of the last digit.
pub(in crate::dataset) fn parse(
    text: &str,
    digits: Digits,
    decimal: DecimalSeparator,
) -> Result<i64, NumberFault> {
    if decimal != DecimalSeparator::Comma
        && let Some((negative, magnitude)) = plain(text.as_bytes(), digits.scale)
    {
        return digits.units(negative, magnitude);
    }
    let (negative, body) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(body) => (true, body),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let marks = Marks::of(body)?;
    let (point, grouping) = marks.roles(body, digits.scale, decimal)?;
    let (whole, fraction) = match point {
        Some(point) => body.split_once(point).unwrap_or((body, "")),
        None => (body, ""),
    };
    if !fraction.bytes().all(|b| b.is_ascii_digit()) || (whole.is_empty() && fraction.is_empty()) {
        return Err(NumberFault::NotANumber);
    }
    if let Some(grouping) = grouping
        && !is_grouped(whole, grouping)
    {
        return Err(NumberFault::NotANumber);
    }
    digits.units(negative, magnitude(whole, fraction, digits.scale)?)
}

/// The common case: a sign, digits, at most one point, nothing that needs a second look.
fn plain(text: &[u8], scale: u8) -> Option<(bool, u64)> {
    let (negative, body) = match text {
        [b'-', body @ ..] => (true, body),
        [b'+', body @ ..] | body => (false, body),
    };
    // 18 digits always fit 64 bits, so nothing below can overflow.
    if body.is_empty() || body.len() + usize::from(scale) > 18 {
        return None;
    }
    let (mut magnitude, mut places, mut point) = (0_u64, 0_u8, false);
    for byte in body {
        match byte {
            b'0'..=b'9' => {
                magnitude = magnitude * 10 + u64::from(byte - b'0');
                places += u8::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    // `5.`, `.5` and more places than the column has are looked at again, slowly.
    if places > scale || (point && (places == 0 || usize::from(places) + 1 == body.len())) {
        return None;
    }
    Some((negative, magnitude * 10_u64.pow(u32::from(scale - places))))
}

/// Which marks stand between the digits.
struct Marks {
    points: usize,
    commas: usize,
    /// A space or an apostrophe between groups.
    space: Option<char>,
    last: Option<char>,
}

impl Marks {
    fn of(body: &str) -> Result<Self, NumberFault> {
        let mut marks = Self { points: 0, commas: 0, space: None, last: None };
        for mark in body.chars().filter(|c| !c.is_ascii_digit()) {
            match mark {
                '.' => marks.points += 1,
                ',' => marks.commas += 1,
                ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '\u{2019}' => {
                    if *marks.space.get_or_insert(mark) != mark {
                        return Err(NumberFault::NotANumber);
                    }
                }
                _ => return Err(NumberFault::NotANumber),
            }
            marks.last = Some(mark);
        }
        Ok(marks)
    }

    /// The mark before the decimals and the mark between groups.
    fn roles(
        &self,
        body: &str,
        scale: u8,
        decimal: DecimalSeparator,
    ) -> Result<(Option<char>, Option<char>), NumberFault> {
        let (point, grouping) = match decimal {
            DecimalSeparator::Point => (some('.', self.points), some(',', self.commas)),
            DecimalSeparator::Comma => (some(',', self.commas), some('.', self.points)),
            DecimalSeparator::Undeclared => self.only_roles(body, scale)?,
        };
        let one_point = point.is_none_or(|p| body.matches(p).count() == 1);
        match (grouping, self.space) {
            (_, _) if !one_point => Err(NumberFault::NotANumber),
            (Some(_), Some(_)) => Err(NumberFault::NotANumber),
            (grouping, space) => Ok((point, grouping.or(space))),
        }
    }

    /// The roles when nothing is declared: only what can be read in one way.
    fn only_roles(
        &self,
        body: &str,
        scale: u8,
    ) -> Result<(Option<char>, Option<char>), NumberFault> {
        match (self.points, self.commas) {
            (0, 0) => Ok((None, None)),
            // Both: the last one stands before the decimals.
            (1.., 1..) if self.last == Some('.') => Ok((Some('.'), Some(','))),
            (1.., 1..) => Ok((Some(','), Some('.'))),
            (0, 2..) => Ok((None, Some(','))),
            (2.., 0) => Ok((None, Some('.'))),
            (points, _) => {
                let mark = if points == 1 { '.' } else { ',' };
                // A column with three or more decimals expects `1.234` to be just that.
                let expected = mark == '.' && scale >= 3;
                if self.space.is_none() && !expected && could_be_group(body, mark) {
                    return Err(NumberFault::Ambiguous);
                }
                Ok((Some(mark), None))
            }
        }
    }
}

fn some(mark: char, count: usize) -> Option<char> {
    (count > 0).then_some(mark)
}

/// True for `1,234`: one to three digits that do not begin with 0, the mark, three digits.
fn could_be_group(body: &str, mark: char) -> bool {
    body.split_once(mark).is_some_and(|(before, after)| {
        (1..=3).contains(&before.len()) && !before.starts_with('0') && after.len() == 3
    })
}

/// True when the digits stand in groups of three, or in lakh and crore (`1,00,00,000`).
fn is_grouped(whole: &str, mark: char) -> bool {
    let size =
        |group: &str| if group.bytes().all(|b| b.is_ascii_digit()) { group.len() } else { 0 };
    let mut groups = whole.rsplit(mark).map(size).peekable();
    if groups.next() != Some(3) {
        return false;
    }
    let (mut thousands, mut lakhs) = (true, true);
    while let Some(size) = groups.next() {
        let is_first = groups.peek().is_none();
        thousands &= size == 3 || (is_first && (1..=3).contains(&size));
        lakhs &= size == 2 || (is_first && size == 1);
    }
    thousands || lakhs
}

fn magnitude(whole: &str, fraction: &str, scale: u8) -> Result<u64, NumberFault> {
    let places = usize::from(scale);
    if fraction.bytes().skip(places).any(|byte| byte != b'0') {
        return Err(NumberFault::TooManyDecimals);
    }
    let padding = places.saturating_sub(fraction.len());
    let kept = fraction.bytes().take(places).chain(std::iter::repeat_n(b'0', padding));
    let mut magnitude = 0_u64;
    for byte in whole.bytes().filter(u8::is_ascii_digit).chain(kept) {
        magnitude = magnitude
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
            .ok_or(NumberFault::Overflow)?;
    }
    Ok(magnitude)
}

/// `units` as people write it: 1999 with two places is `19.99`.
pub(in crate::dataset) fn written(units: i64, scale: u8) -> String {
    if scale == 0 {
        return units.to_string();
    }
    let sign = if units < 0 { "-" } else { "" };
    let one = 10_u64.pow(u32::from(scale));
    let (whole, fraction) = (units.unsigned_abs() / one, units.unsigned_abs() % one);
    format!("{sign}{whole}.{fraction:0places$}", places = usize::from(scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use DecimalSeparator::{Comma, Point, Undeclared};
    use NumberFault::{Ambiguous, NotANumber, Overflow, TooManyDecimals};

    const MONEY: Digits = Digits { precision: 12, scale: 2 };

    #[track_caller]
    fn check(decimal: DecimalSeparator, text: &str, expected: Result<i64, NumberFault>) {
        assert_eq!(parse(text, MONEY, decimal), expected, "{text} under {decimal:?}");
    }

    #[test]
    fn a_number_with_one_reading_needs_no_dialect() {
        for (text, units) in [
            ("12.50", 1250),
            ("12.5", 1250),
            ("12", 1200),
            ("+12", 1200),
            ("-12.01", -1201),
            ("\u{2212}3", -300),
            ("0", 0),
            ("-0", 0),
            (".5", 50),
            ("5.", 500),
            ("007", 700),
            ("12,5", 1250),
            ("12,50", 1250),
            (",5", 50),
            ("0,500", 50),
            ("0.500", 50),
            ("1234.5000", 123_450),
            ("1,234.56", 123_456),
            ("1.234,56", 123_456),
            ("1 234,56", 123_456),
            ("1\u{a0}234.56", 123_456),
            ("1\u{202f}234,5", 123_450),
            ("1'234.50", 123_450),
            ("1\u{2019}234", 123_400),
            ("1 234", 123_400),
            ("1,234,567", 123_456_700),
            ("1.234.567", 123_456_700),
            ("1,00,000", 10_000_000),
            ("12,34,567.89", 123_456_789),
            ("1234,500", 123_450),
            ("9999999999.99", 999_999_999_999),
        ] {
            check(Undeclared, text, Ok(units));
        }
    }

    #[test]
    fn two_readings_are_an_error_until_the_dialect_is_declared() {
        for text in ["1,234", "12,345", "-999,000", "1.234", "1.000"] {
            check(Undeclared, text, Err(Ambiguous));
        }
        check(Point, "1,234", Ok(123_400));
        check(Comma, "1,234", Err(TooManyDecimals));
        check(Comma, "1,230", Ok(123));
        check(Comma, "1.234", Ok(123_400));
        check(Comma, "1.234,56", Ok(123_456));
        check(Comma, "12.5", Err(NotANumber));
        check(Point, "1.234", Err(TooManyDecimals));
        check(Point, "1.000", Ok(100));
        check(Point, "12,5", Err(NotANumber));
        check(Point, "1.234,56", Err(NotANumber));
        let three = Digits { precision: 12, scale: 3 };
        assert_eq!(parse("1.234", three, Undeclared), Ok(1234));
        assert_eq!(parse("1,234", three, Undeclared), Err(Ambiguous));
    }

    #[test]
    fn what_is_not_a_number_is_never_made_one() {
        for text in [
            "",
            "-",
            "+",
            ".",
            ",",
            "1e3",
            "NaN",
            "inf",
            "-inf",
            "$5",
            "5%",
            "12,50 €",
            "12.5.1",
            "--1",
            "- 1",
            "5-",
            "(5)",
            "0x1F",
            "1_000",
            "1,2,3",
            "1,23,45",
            "1 23",
            "1,234 567",
            "1, 234",
            "1,,234",
            "1.2,3.4",
            "١٢",
            "１２",
            "12\u{0}",
            "1,234.56.7",
            "1,2345.6",
        ] {
            check(Undeclared, text, Err(NotANumber));
        }
    }

    #[test]
    fn more_digits_than_the_column_holds_are_not_rounded() {
        check(Undeclared, "1.999", Err(Ambiguous));
        check(Undeclared, "1.9999", Err(TooManyDecimals));
        check(Undeclared, "0.001", Err(TooManyDecimals));
        check(Undeclared, "10000000000", Err(Overflow));
        check(Undeclared, &"9".repeat(400), Err(Overflow));
        check(Undeclared, &format!("{}.5", "0".repeat(400)), Ok(50));
        check(Undeclared, &format!("1.{}", "0".repeat(400)), Ok(100));
    }

    #[test]
    fn integers_have_the_whole_range_of_64_bits() {
        let parse = |text: &str| parse(text, Digits::INTEGER, Undeclared);
        assert_eq!(parse("9223372036854775807"), Ok(i64::MAX));
        assert_eq!(parse("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(parse("9223372036854775808"), Err(Overflow));
        assert_eq!(parse("5.0"), Ok(5));
        assert_eq!(parse("5,00"), Ok(5));
        assert_eq!(parse("1.5"), Err(TooManyDecimals));
        assert_eq!(parse("1,5"), Err(TooManyDecimals));
    }

    proptest::proptest! {
        #[test]
        fn a_number_written_and_read_again_is_the_same(
            units in -999_999_999_999_i64..=999_999_999_999,
        ) {
            let text = written(units, 2);
            proptest::prop_assert_eq!(parse(&text, MONEY, Undeclared), Ok(units));
            let comma = text.replace('.', ",");
            proptest::prop_assert_eq!(parse(&comma, MONEY, Comma), Ok(units));
        }

        #[test]
        fn the_short_way_and_the_long_way_agree(text in "[+-]?[0-9]{0,8}\\.?[0-9]{0,4}") {
            let slow = text.replace('.', ",");
            let (short, long) = (parse(&text, MONEY, Point), parse(&slow, MONEY, Comma));
            proptest::prop_assert_eq!(short, long);
        }
    }
}
