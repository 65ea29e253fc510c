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
    let (negative, body) = split_sign(text);
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

/// Reads `text` where other numbers of the file prove `proven`. It decides what has two readings;
/// what has one is read as it stands. The flag is true where it decided.
pub(in crate::dataset) fn parse_proven(
    text: &str,
    digits: Digits,
    proven: DecimalSeparator,
) -> Result<(i64, bool), NumberFault> {
    let undecided =
        || parse(text, digits, DecimalSeparator::Undeclared).map(|units| (units, false));
    match proven {
        DecimalSeparator::Undeclared => undecided(),
        DecimalSeparator::Point => match undecided() {
            Err(NumberFault::Ambiguous) => parse(text, digits, proven).map(|units| (units, true)),
            read => read,
        },
        DecimalSeparator::Comma => {
            let (_, body) = split_sign(text);
            // Also in a column with three decimals, where a point would be taken for a decimal one.
            if could_be_group(body, ',') || could_be_group(body, '.') {
                return parse(text, digits, proven).map(|units| (units, true));
            }
            undecided()
        }
    }
}

/// The decimal separator that `text` proves: a number that can be read in one way only, and in
/// which one of the marks can be no other.
pub(in crate::dataset) fn proof(text: &str) -> Option<DecimalSeparator> {
    let (_, body) = split_sign(text);
    let marks = Marks::of(body).ok()?;
    let of_mark = |mark: char| match mark {
        '.' => DecimalSeparator::Point,
        _ => DecimalSeparator::Comma,
    };
    let other = |mark: char| if mark == '.' { ',' } else { '.' };
    let proven = match (marks.points, marks.commas) {
        (0, 0) => return None,
        (1, 0) | (0, 1) => {
            let mark = if marks.points == 1 { '.' } else { ',' };
            (!could_be_group(body, mark)).then(|| of_mark(mark))
        }
        // Only marks between groups come more than once.
        (0, 2..) => Some(DecimalSeparator::Point),
        (2.., 0) => Some(DecimalSeparator::Comma),
        (1.., 1..) => marks.last.map(of_mark),
    }?;
    let mark = if proven == DecimalSeparator::Point { '.' } else { ',' };
    let (whole, fraction) = body.split_once(mark).unwrap_or((body, "0"));
    let is_number = !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && (!whole.contains(other(mark)) || is_grouped(whole, other(mark)));
    is_number.then_some(proven)
}

/// Whether a minus sign stands in front, and what is behind the sign.
fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix(['-', '\u{2212}']) {
        Some(body) => (true, body),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
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
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    body.split_once(mark).is_some_and(|(before, after)| {
        (1..=3).contains(&before.len())
            && !before.starts_with('0')
            && after.len() == 3
            && is_digits(before)
            && is_digits(after)
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

#[cfg(test)]
mod tests;
