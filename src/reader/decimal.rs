//! How a text writes its decimals, as far as its rows leave no doubt.

use crate::domain::detected::DecimalSeparator;

/// Decides the separator: the option, else a comma when the delimiter is `;`, some number has one
/// that can only be a decimal comma, and none has a decimal point.
pub(crate) fn decide<'a>(
    option: DecimalSeparator,
    delimiter: char,
    cells: impl IntoIterator<Item = &'a str>,
) -> DecimalSeparator {
    if option != DecimalSeparator::Undeclared || delimiter != ';' {
        return option;
    }
    let (mut commas, mut points) = (0, 0);
    for cell in cells {
        match sign(cell.trim()) {
            Some(',') => commas += 1,
            Some(_) => points += 1,
            None => {}
        }
    }
    if commas > 0 && points == 0 { DecimalSeparator::Comma } else { option }
}

/// The decimal sign of a number that can be read in one way only: `12,50` and `1.234,5` have a
/// comma, `12.50` a point; `1,234` and `1.234` could be either and tell nothing.
fn sign(cell: &str) -> Option<char> {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let at = digits.rfind([',', '.'])?;
    let (whole, rest) = digits.split_at_checked(at)?;
    let mark = rest.chars().next()?;
    let fraction = rest.get(1..)?;
    let other = if mark == ',' { '.' } else { ',' };
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let groups: Vec<&str> = whole.split(other).collect();
    let is_digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
    let (first, thousands) = groups.split_first()?;
    let well_formed = is_digits(first)
        && (thousands.is_empty() || !first.is_empty())
        && thousands.iter().all(|group| group.len() == 3 && is_digits(group));
    let certain = fraction.len() != 3 || !thousands.is_empty() || first.starts_with('0');
    (well_formed && certain).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use DecimalSeparator::{Comma, Point, Undeclared};

    #[test]
    fn only_what_is_certain_tells() {
        for (text, expected) in [
            ("12,50", Some(',')),
            ("-0,125", Some(',')),
            ("1.234,5", Some(',')),
            ("12.50", Some('.')),
            ("1,234.567", Some('.')),
            ("1,234", None),
            ("1.234", None),
            ("12.05.2026", None),
            ("1,2,3", None),
            ("a,50", None),
            ("12,", None),
            ("1250", None),
        ] {
            assert_eq!(sign(text), expected, "{text}");
        }
    }

    #[test]
    fn a_comma_needs_the_semicolon_and_no_point() {
        assert_eq!(decide(Undeclared, ';', ["A1", "12,50"]), Comma);
        assert_eq!(decide(Undeclared, ';', ["12,50", "12.50"]), Undeclared);
        assert_eq!(decide(Undeclared, ',', ["12,50"]), Undeclared);
        assert_eq!(decide(Point, ';', ["12,50"]), Point);
        assert_eq!(decide(Comma, ',', ["12.50"]), Comma);
    }
}
