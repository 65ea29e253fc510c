//! What a cell shows of its number, and how the number is written so.

use super::number_format::{Look, NumberFormat, NumberShape};
use crate::domain::row::CellKind;

/// How a cell shows its value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown<'a> {
    /// As it is.
    Plain,
    /// By a format.
    Format(&'a NumberFormat),
    /// In a shape that the file itself says.
    Shape(NumberShape),
    /// As this text: with words around the number or signs within.
    Label(&'a str, NumberShape),
    /// A day without its year or its day.
    ShortDay,
}

/// Digits that a number may be filled up to.
const DIGITS_MAX: u8 = 64;

impl<'a> Shown<'a> {
    /// How a file that stores the shown `text` beside the number shows it.
    pub(crate) fn of_text(number: f64, text: &'a str, is_percent: bool) -> Self {
        let text = text.trim();
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let Ok(of_digits) = digits.parse::<f64>() else { return Self::plain(is_percent) };
        let value = if is_percent { number * 100.0 } else { number }.abs();
        let marks = text
            .bytes()
            .rev()
            .take_while(|byte| !matches!(byte, b'.' | b','))
            .filter(u8::is_ascii_digit);
        // The digits behind the last mark, unless the mark parts thousands.
        let (behind_mark, has_mark) = (marks.count(), text.contains(['.', ',']));
        let tried = has_mark.then_some(behind_mark).into_iter().chain([0]);
        for decimals in tried.filter(|decimals| *decimals <= 15) {
            let unit = 0.1_f64.powi(i32::try_from(decimals).unwrap_or_default());
            let is_rounding = (of_digits * unit - value).abs() <= unit * 0.500_001;
            if !is_rounding {
                continue;
            }
            let whole = digits.len().saturating_sub(decimals);
            let shape = NumberShape {
                decimals: u8::try_from(decimals).ok(),
                least_decimals: u8::try_from(decimals).unwrap_or_default(),
                whole_digits: u8::try_from(whole).unwrap_or(DIGITS_MAX),
                is_percent,
            };
            let has_words = text.chars().any(char::is_alphabetic);
            return if has_words { Self::Label(text, shape) } else { Self::Shape(shape) };
        }
        Self::plain(is_percent)
    }

    fn plain(is_percent: bool) -> Self {
        if is_percent {
            return Self::Shape(NumberShape { is_percent, ..NumberShape::default() });
        }
        Self::Plain
    }

    /// How `number` is shown.
    pub(crate) fn look(self, number: f64) -> Look {
        match self {
            Self::Plain | Self::ShortDay => Look::Plain,
            Self::Shape(shape) => Look::Shape(shape),
            Self::Label(_, shape) => Look::Label(shape),
            Self::Format(format) => format.look(number),
        }
    }

    /// The whole text of a number with a label.
    pub(crate) fn label(self, number: f64) -> Option<String> {
        match self {
            Self::Format(format) => format.text(number),
            Self::Label(text, _) => Some(text.to_owned()),
            Self::Plain | Self::Shape(_) | Self::ShortDay => None,
        }
    }
}

/// Gives the plain number at `start` of `text` its shape. No digit is lost: where fewer decimals are
/// shown than there are, the kind says so.
pub(super) fn shape_number(shape: NumberShape, text: &mut String, start: usize) -> CellKind {
    if shape.is_percent {
        times_hundred(text, start);
    }
    let is_negative = text.get(start..).is_some_and(|number| number.starts_with('-'));
    let start = start + usize::from(is_negative);
    let digits = text.len() - start;
    let whole = text.get(start..).and_then(|number| number.find('.')).unwrap_or(digits);
    let decimals = digits.saturating_sub(whole + 1);
    let missing = usize::from(shape.whole_digits.min(DIGITS_MAX)).saturating_sub(whole);
    if missing > 0 {
        text.insert_str(start, &"0".repeat(missing));
    }
    // `1.1` as `1.10`; a whole number stays whole.
    if decimals > 0 {
        let missing = usize::from(shape.least_decimals.min(DIGITS_MAX)).saturating_sub(decimals);
        text.extend(std::iter::repeat_n('0', missing));
    }
    let is_rounded = shape.decimals.is_some_and(|shown| usize::from(shown) < decimals);
    let shown = shape.decimals.filter(|_| is_rounded);
    if shape.is_percent {
        text.push('%');
        CellKind::Percent { decimals: shown }
    } else if let Some(decimals) = shown {
        CellKind::RoundedNumber { decimals }
    } else {
        CellKind::Number
    }
}

/// Moves the point of the plain number at `start` two places to the right.
fn times_hundred(text: &mut String, start: usize) {
    let number = text.split_off(start);
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (moved, rest) = fraction.split_at(fraction.len().min(2));
    let all = format!("{whole}{moved:0<2}");
    let all = all.trim_start_matches('0');
    text.push_str(if all.is_empty() && rest.is_empty() { "" } else { sign });
    text.push_str(if all.is_empty() { "0" } else { all });
    if !rest.is_empty() {
        text.push('.');
        text.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: &str, shape: (Option<u8>, u8, bool), text: &str, kind: CellKind) {
        let (decimals, whole_digits, is_percent) = shape;
        let mut shown = format!("x{number}");
        let least_decimals = decimals.unwrap_or_default();
        let shape = NumberShape { decimals, least_decimals, whole_digits, is_percent };
        assert_eq!(shape_number(shape, &mut shown, 1), kind, "{number}");
        assert_eq!(shown, format!("x{text}"));
    }

    #[test]
    fn numbers_are_shaped_without_losing_a_digit() {
        check("1234", (Some(0), 6, false), "001234", CellKind::Number);
        check("-7", (Some(0), 3, false), "-007", CellKind::Number);
        check("12.5", (Some(2), 1, false), "12.50", CellKind::Number);
        check("12.5", (Some(1), 4, false), "0012.5", CellKind::Number);
        check("12", (Some(2), 1, false), "12", CellKind::Number);
        check("23.7881", (Some(2), 1, false), "23.7881", CellKind::RoundedNumber { decimals: 2 });
        check("0.18", (Some(0), 1, true), "18%", CellKind::Percent { decimals: None });
        check("0.285", (Some(1), 1, true), "28.5%", CellKind::Percent { decimals: None });
        check("0.18756", (Some(1), 1, true), "18.756%", CellKind::Percent { decimals: Some(1) });
        check("-0.005", (Some(1), 1, true), "-0.5%", CellKind::Percent { decimals: None });
        check("0", (Some(0), 1, true), "0%", CellKind::Percent { decimals: None });
        check("2", (None, 0, true), "200%", CellKind::Percent { decimals: None });
    }

    #[test]
    fn a_stored_text_says_the_shape() {
        let shape = |number, text, is_percent| match Shown::of_text(number, text, is_percent) {
            Shown::Shape(shape) => (shape.decimals, shape.whole_digits, shape.is_percent),
            other => panic!("{other:?}"),
        };
        assert_eq!(shape(23.7881, "23.79", false), (Some(2), 2, false));
        assert_eq!(shape(1234.5, "1.234,50 €", false), (Some(2), 4, false));
        assert_eq!(shape(1234.0, "1,234", false), (Some(0), 4, false));
        assert_eq!(shape(1234.0, "001234", false), (Some(0), 6, false));
        assert_eq!(shape(0.18, "18%", true), (Some(0), 2, true));
        assert_eq!(shape(0.285, "28,5 %", true), (Some(1), 2, true));
        assert_eq!(shape(0.18, "", true), (None, 0, true));
        assert!(matches!(Shown::of_text(12.0, "12 kg", false), Shown::Label("12 kg", _)));
        assert!(matches!(Shown::of_text(1e20, "1E+20", false), Shown::Plain));
    }
}
