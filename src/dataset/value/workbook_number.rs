//! Numbers of a workbook: plain digits with a point, whatever the file's dialect, and what the cell
//! shows of them.

use super::number::{Digits, NumberFault, parse};
use crate::domain::detected::DecimalSeparator;
use crate::domain::row::CellKind;
use crate::domain::warning::WarningCode;

/// Reads `cell` in units of the last digit. `is_percent`: the column's numbers are percents.
///
/// A number with more decimals than the column takes is what the cell shows, if that fits the
/// column; a warning says so.
pub(super) fn read(
    cell: &str,
    kind: CellKind,
    is_percent: bool,
    digits: Digits,
    warnings: &mut Vec<WarningCode>,
) -> Result<i64, NumberFault> {
    match kind {
        CellKind::RoundedNumber { decimals } => shown_number(cell, decimals, digits, warnings),
        CellKind::Percent { decimals } => {
            let percents = cell.strip_suffix('%').unwrap_or(cell);
            let hundredth;
            let (text, decimals) = if is_percent {
                (percents, decimals)
            } else {
                hundredth = divided_by_hundred(percents);
                (hundredth.as_str(), decimals.map(|decimals| decimals.saturating_add(2)))
            };
            match decimals {
                Some(decimals) => shown_number(text, decimals, digits, warnings),
                None => number(text, digits),
            }
        }
        _ => {
            let units = number(cell, digits)?;
            let one = 10_u64.pow(u32::from(digits.scale));
            // Not every file says that a cell shows 0.18 as 18%.
            if is_percent && units != 0 && units.unsigned_abs() < one {
                warnings.push(WarningCode::PercentBelowOne);
            }
            Ok(units)
        }
    }
}

fn number(text: &str, digits: Digits) -> Result<i64, NumberFault> {
    parse(text, digits, DecimalSeparator::Point)
}

/// A number of which the cell shows only so many decimals.
fn shown_number(
    text: &str,
    decimals: u8,
    digits: Digits,
    warnings: &mut Vec<WarningCode>,
) -> Result<i64, NumberFault> {
    match number(text, digits) {
        Err(NumberFault::TooManyDecimals) if decimals <= digits.scale => {
            let units = number(&rounded(text, usize::from(decimals)), digits)?;
            warnings.push(WarningCode::RoundedAsShown);
            Ok(units)
        }
        read => read,
    }
}

/// `text` with so many decimals, halves away from zero, as spreadsheets round what they show.
fn rounded(text: &str, decimals: usize) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (kept, rest) = fraction.split_at_checked(decimals).unwrap_or((fraction, ""));
    let mut digits: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    let mut carries = rest.as_bytes().first().is_some_and(|first| *first >= b'5');
    for digit in digits.iter_mut().rev().filter(|digit| digit.is_ascii_digit()) {
        if !carries {
            break;
        }
        carries = *digit == b'9';
        *digit = if carries { b'0' } else { *digit + 1 };
    }
    let mut text = String::from_utf8_lossy(&digits).into_owned();
    if carries {
        text.insert(usize::from(text.starts_with('-')), '1');
    }
    if !kept.is_empty() {
        text.insert(text.len() - kept.len(), '.');
    }
    text
}

/// `text` with the point two places further left.
fn divided_by_hundred(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = format!("{whole:0>3}");
    let (whole, moved) = whole.split_at_checked(whole.len() - 2).unwrap_or((&whole, ""));
    format!("{sign}{whole}.{moved}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Digits = Digits { precision: 12, scale: 2 };

    #[track_caller]
    fn check(
        cell: &str,
        kind: CellKind,
        is_percent: bool,
        expected: Result<i64, NumberFault>,
        rounds: bool,
    ) {
        let mut warnings = Vec::new();
        assert_eq!(read(cell, kind, is_percent, PRICE, &mut warnings), expected, "{cell}");
        assert_eq!(!warnings.is_empty(), rounds, "{cell}");
    }

    #[test]
    fn what_the_cell_shows_is_taken_where_it_fits() {
        let too_many = || Err(NumberFault::TooManyDecimals);
        let shown = |decimals| CellKind::RoundedNumber { decimals };
        check("23.7881", shown(2), false, Ok(2379), true);
        check("23.7881", shown(0), false, Ok(2400), true);
        check("23.7881", shown(3), false, too_many(), false);
        check("23.7881", CellKind::Number, false, too_many(), false);
        check("23.78", shown(1), false, Ok(2378), false);
        check("-99.995", shown(2), false, Ok(-10000), true);
        check("0.004", shown(2), false, Ok(0), true);
    }

    #[test]
    fn percents_are_percents_in_columns_of_percents_only() {
        let percent = |decimals| CellKind::Percent { decimals };
        check("18%", percent(None), true, Ok(1800), false);
        check("28.5%", percent(None), true, Ok(2850), false);
        check("18.756%", percent(Some(1)), true, Ok(1880), true);
        check("18%", percent(None), false, Ok(18), false);
        check("-250%", percent(None), false, Ok(-250), false);
        check("0.18", CellKind::Number, true, Ok(18), true);
        check("18", CellKind::Number, true, Ok(1800), false);
        check("0.5%", percent(None), false, Err(NumberFault::TooManyDecimals), false);
    }

    proptest::proptest! {
        #[test]
        fn rounding_agrees_with_whole_numbers(units in -9_999_999_i64..9_999_999) {
            let (tenths, sign) = (units.abs(), if units < 0 { "-" } else { "" });
            let text = format!("{sign}{}.{:03}", tenths / 1000, tenths % 1000);
            let half_up = (tenths + 5) / 10;
            let expected = format!("{sign}{}.{:02}", half_up / 100, half_up % 100);
            proptest::prop_assert_eq!(rounded(&text, 2), expected);
        }
    }
}
