//! A workbook's cell as text: numbers as a spreadsheet shows them in full, days and times in ISO
//! form.

use std::fmt::Write;

use calamine::{CellErrorType, Data, DataRef, ExcelDateTime, ExcelDateTimeType};

use super::number_format::{Look, NumberFormat, NumberKind};
use super::shown::{Shown, shape_number};
use crate::domain::row::CellKind;

/// Numbers from here on have more digits than the 15 that a spreadsheet keeps.
const EXACT_BELOW: f64 = 1e15;

/// The day after 31 December 9999 as a serial number, in the systems of 1900 and of 1904.
const SERIAL_END: (f64, f64) = (2_958_466.0, 2_957_004.0);

const DAY_MILLISECONDS: f64 = 86_400_000.0;

/// A cell's value as calamine gives it, borrowed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CellValue<'a> {
    Empty,
    /// A formula whose result was not stored.
    NoStored,
    Text(&'a str),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// A number in a cell with a date or time format.
    Serial(ExcelDateTime),
    /// A day or a point in time that the file has as text.
    Iso(&'a str),
    /// A duration such as `PT08H30M00S`.
    Duration(&'a str),
    /// What the cell shows: `#N/A`.
    Error(&'a str),
}

impl CellValue<'_> {
    /// How a cell with a format shows the value.
    pub(crate) fn shown_by(self, format: Option<&NumberFormat>, is_formula: bool) -> Shown<'_> {
        let Some(format) = format else { return Shown::Plain };
        match (self, format.kind()) {
            (Self::Number(_) | Self::Integer(_), NumberKind::Number) => Shown::Format(format),
            // A formula makes a day on purpose.
            (Self::Serial(_), NumberKind::Day { is_short: true }) if !is_formula => Shown::ShortDay,
            _ => Shown::Plain,
        }
    }
}

impl<'a> From<&'a DataRef<'_>> for CellValue<'a> {
    fn from(cell: &'a DataRef<'_>) -> Self {
        match cell {
            DataRef::Int(number) => Self::Integer(*number),
            DataRef::Float(number) => Self::Number(*number),
            DataRef::String(text) => Self::Text(text),
            DataRef::SharedString(text) => Self::Text(text),
            DataRef::Bool(flag) => Self::Boolean(*flag),
            DataRef::DateTime(serial) => Self::Serial(*serial),
            DataRef::DateTimeIso(text) => Self::Iso(text),
            DataRef::DurationIso(text) => Self::Duration(text),
            DataRef::Error(error) => Self::Error(error_word(error)),
            DataRef::Empty => Self::Empty,
        }
    }
}

impl<'a> From<&'a Data> for CellValue<'a> {
    fn from(cell: &'a Data) -> Self {
        match cell {
            Data::Int(number) => Self::Integer(*number),
            Data::Float(number) => Self::Number(*number),
            Data::String(text) => Self::Text(text),
            Data::Bool(flag) => Self::Boolean(*flag),
            Data::DateTime(serial) => Self::Serial(*serial),
            Data::DateTimeIso(text) => Self::Iso(text),
            Data::DurationIso(text) => Self::Duration(text),
            Data::Error(error) => Self::Error(error_word(error)),
            Data::Empty => Self::Empty,
        }
    }
}

/// What a cell with the error shows (ECMA-376, part 1, 18.17.3).
fn error_word(error: &CellErrorType) -> &'static str {
    match error {
        CellErrorType::Div0 => "#DIV/0!",
        CellErrorType::NA => "#N/A",
        CellErrorType::Name => "#NAME?",
        CellErrorType::Null => "#NULL!",
        CellErrorType::Num => "#NUM!",
        CellErrorType::Ref => "#REF!",
        CellErrorType::Value => "#VALUE!",
        CellErrorType::GettingData => "#GETTING_DATA",
    }
}

/// What was appended for a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) kind: CellKind,
    /// Where the cell's text begins. The number of a [`CellKind::Labelled`] stands before it.
    pub(crate) text_start: usize,
}

/// Appends the cell's text as it is shown, after its number where the text is not one.
pub(crate) fn write(value: CellValue<'_>, shown: Shown<'_>, text: &mut String) -> Written {
    let start = text.len();
    let kind = write_value(value, text);
    let plain = Written { kind, text_start: start };
    if matches!(shown, Shown::Plain) {
        return plain;
    }
    let value = match value {
        CellValue::Integer(number) => {
            i32::try_from(number).map_or(value, |it| CellValue::Number(it.into()))
        }
        value => value,
    };
    match (value, kind) {
        (CellValue::Number(number), CellKind::Number) => match shown.look(number) {
            Look::Plain => plain,
            Look::Shape(shape) => Written { kind: shape_number(shape, text, start), ..plain },
            Look::Label(shape) => {
                let Some(label) = shown.label(number) else { return plain };
                let decimals = match shape_number(shape, text, start) {
                    CellKind::RoundedNumber { decimals } => Some(decimals),
                    _ => None,
                };
                let text_start = text.len();
                text.push_str(&label);
                Written { kind: CellKind::Labelled { decimals }, text_start }
            }
        },
        (CellValue::Serial(_) | CellValue::Iso(_), CellKind::Date | CellKind::DateTime) => {
            Written { kind: CellKind::ShortDay, ..plain }
        }
        _ => plain,
    }
}

/// Appends the value's plain text. Gives its kind.
fn write_value(value: CellValue<'_>, text: &mut String) -> CellKind {
    match value {
        CellValue::Empty => CellKind::Text,
        CellValue::NoStored => CellKind::NoValue,
        CellValue::Text(words) => {
            text.push_str(words);
            CellKind::Text
        }
        CellValue::Integer(number) => {
            put(text, format_args!("{number}"));
            if number.unsigned_abs() < 1_000_000_000_000_000 {
                CellKind::Number
            } else {
                CellKind::LossyNumber
            }
        }
        CellValue::Number(number) => write_number(number, text),
        CellValue::Boolean(flag) => {
            text.push_str(if flag { "true" } else { "false" });
            CellKind::Boolean
        }
        CellValue::Serial(serial) => write_serial(serial, text),
        CellValue::Iso(words) => {
            text.push_str(words);
            match (words.contains('T'), words.contains(':')) {
                (true, _) => CellKind::DateTime,
                (false, true) => CellKind::Time,
                (false, false) => CellKind::Date,
            }
        }
        CellValue::Duration(words) => write_duration(words, text),
        CellValue::Error(word) => {
            text.push_str(word);
            CellKind::Error
        }
    }
}

/// Writing into a `String` cannot fail.
fn put(text: &mut String, words: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(words);
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be below 1e15 in size")]
fn write_number(number: f64, text: &mut String) -> CellKind {
    if !number.is_finite() {
        text.push_str("#NUM!");
        return CellKind::Error;
    }
    if number.abs() >= EXACT_BELOW {
        put(text, format_args!("{number}"));
        return CellKind::LossyNumber;
    }
    if number.fract() == 0.0 {
        put(text, format_args!("{}", number as i64));
    } else if !write_hundredths(number, text) {
        write_digits(number, text);
    }
    CellKind::Number
}

/// The quick way for prices: a number that is whole hundredths. Two decimals of at most 15 digits
/// never share a binary number, so the division proves that these are the digits.
#[expect(clippy::cast_possible_truncation, reason = "checked to be below 1e13 in size")]
#[expect(clippy::cast_precision_loss, reason = "whole numbers below 2^53 are exact")]
fn write_hundredths(number: f64, text: &mut String) -> bool {
    if number.abs() >= 1e11 {
        return false;
    }
    let hundredths = (number * 100.0).round() as i64;
    #[expect(clippy::float_cmp, reason = "equality is the question")]
    let exact = hundredths as f64 / 100.0 == number;
    if !exact {
        return false;
    }
    let size = hundredths.unsigned_abs();
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, fraction) = (size / 100, size % 100);
    if fraction % 10 == 0 {
        put(text, format_args!("{sign}{whole}.{}", fraction / 10));
    } else {
        put(text, format_args!("{sign}{whole}.{fraction:02}"));
    }
    true
}

/// Fifteen significant digits, without the zeros at the end and without an exponent.
fn write_digits(number: f64, text: &mut String) {
    let shown = format!("{number:.14e}");
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(|sign| *sign != '.').collect();
    let digits = digits.trim_end_matches('0');
    text.push_str(sign);
    let point = usize::try_from(exponent + 1).unwrap_or(0);
    if point == 0 {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', usize::try_from(-exponent - 1).unwrap_or(0)));
        text.push_str(digits);
    } else if let Some((whole, fraction)) = digits.split_at_checked(point) {
        text.push_str(whole);
        if !fraction.is_empty() {
            text.push('.');
            text.push_str(fraction);
        }
    } else {
        text.push_str(digits);
        text.extend(std::iter::repeat_n('0', point - digits.len()));
    }
}

/// Days since the epoch, with the time as the fraction, to the millisecond.
#[expect(clippy::cast_possible_truncation, reason = "bounded by the last serial number")]
#[expect(clippy::cast_precision_loss, reason = "milliseconds of 8,000 years are exact")]
fn write_serial(serial: ExcelDateTime, text: &mut String) -> CellKind {
    let value = serial.as_f64();
    let milliseconds = (value * DAY_MILLISECONDS).round();
    if serial.is_duration() && value.abs() < SERIAL_END.0 {
        let sign = if milliseconds < 0.0 { "-" } else { "" };
        return write_time(sign, milliseconds.abs() as i64, text);
    }
    // The system that it counts in cannot be asked for, but compared.
    let is_1904 = serial == ExcelDateTime::new(value, ExcelDateTimeType::DateTime, true);
    let end = if is_1904 { SERIAL_END.1 } else { SERIAL_END.0 };
    if !(0.0..end * DAY_MILLISECONDS).contains(&milliseconds) {
        return write_number(value, text);
    }
    let milliseconds = milliseconds as i64;
    let (day, time) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    if day == 0 && !is_1904 {
        return write_time("", time, text);
    }
    let date = ExcelDateTime::new(day as f64, ExcelDateTimeType::DateTime, is_1904);
    let (year, month, day, ..) = date.to_ymd_hms_milli();
    put(text, format_args!("{year:04}-{month:02}-{day:02}"));
    if time == 0 {
        return CellKind::Date;
    }
    text.push('T');
    write_time("", time, text);
    CellKind::DateTime
}

fn write_time(sign: &str, milliseconds: i64, text: &mut String) -> CellKind {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    put(text, format_args!("{sign}{hours:02}:{minutes:02}:{seconds:02}"));
    if rest != 0 {
        put(text, format_args!(".{rest:03}"));
    }
    CellKind::Time
}

/// ISO 8601 durations of OpenDocument, 19.372: `PT08H30M00S`. Others stay as they are.
fn write_duration(words: &str, text: &mut String) -> CellKind {
    let parts = || {
        let (sign, rest) = match words.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", words),
        };
        let (hours, rest) = rest.strip_prefix("PT")?.split_once('H')?;
        let (minutes, rest) = rest.split_once('M')?;
        let seconds = rest.strip_suffix('S')?.replace(',', ".");
        let (seconds, fraction) = seconds.split_once('.').unwrap_or((&seconds, ""));
        let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
        let number = |digits: &str| digits.parse::<u32>().ok().map(i64::from);
        let seconds = number(hours)? * 3600 + number(minutes)? * 60 + number(seconds)?;
        Some((sign, seconds * 1000 + number(&fraction)?))
    };
    if let Some((sign, milliseconds)) = parts() {
        return write_time(sign, milliseconds, text);
    }
    text.push_str(words);
    CellKind::Time
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: CellValue<'_>) -> (String, CellKind) {
        let mut text = String::new();
        let written = write(value, Shown::Plain, &mut text);
        (text, written.kind)
    }

    #[test]
    fn numbers_have_up_to_15_digits_and_no_exponent() {
        for (number, text) in [
            (4_006_381_333_931.0, "4006381333931"),
            (19.990_000_000_000_002, "19.99"),
            (19.99, "19.99"),
            (0.1 + 0.2, "0.3"),
            (0.1, "0.1"),
            (-0.5, "-0.5"),
            (-0.05, "-0.05"),
            (-1.05, "-1.05"),
            (-0.0, "0"),
            (1.005, "1.005"),
            (1234.5678, "1234.5678"),
            (1e-7, "0.0000001"),
            (1.5e-10, "0.00000000015"),
            (999_999_999_999_999.0, "999999999999999"),
            (99_999_999_999_999.95, "100000000000000"),
            (123_456_789_012.345_67, "123456789012.346"),
            (1.0 / 3.0, "0.333333333333333"),
        ] {
            assert_eq!(shown(CellValue::Number(number)), (text.into(), CellKind::Number));
        }
    }

    #[test]
    fn lost_digits_are_told() {
        for number in [1e15, 1.234_567_890_123_456_7e17, -1e300] {
            let (text, kind) = shown(CellValue::Number(number));
            assert_eq!(kind, CellKind::LossyNumber);
            assert!(!text.contains('e'), "{text}");
        }
        assert_eq!(shown(CellValue::Number(f64::NAN)), ("#NUM!".into(), CellKind::Error));
        assert_eq!(shown(CellValue::Number(f64::INFINITY)).1, CellKind::Error);
        assert_eq!(shown(CellValue::Integer(1_000_000_000_000_000)).1, CellKind::LossyNumber);
        assert_eq!(shown(CellValue::Integer(i64::MIN)).1, CellKind::LossyNumber);
    }

    #[test]
    fn every_hundredth_is_itself() {
        for units in (-2_000_000_i32..2_000_000).step_by(7) {
            let number = f64::from(units) / 100.0;
            let (text, _) = shown(CellValue::Number(number));
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits(), "{text}");
            assert!(text.len() <= 9, "{text}");
        }
    }

    fn serial(value: f64, is_1904: bool) -> (String, CellKind) {
        let date_time = ExcelDateTimeType::DateTime;
        shown(CellValue::Serial(ExcelDateTime::new(value, date_time, is_1904)))
    }

    #[test]
    fn days_and_times_are_iso_text() {
        assert_eq!(serial(45943.0, false), ("2025-10-13".into(), CellKind::Date));
        assert_eq!(serial(44481.0, true), ("2025-10-13".into(), CellKind::Date));
        let noon = 45943.0 + 1.0 / 3.0;
        assert_eq!(serial(noon, false), ("2025-10-13T08:00:00".into(), CellKind::DateTime));
        assert_eq!(serial(45_943.999_999_999_9, false).0, "2025-10-14");
        assert_eq!(serial(0.354_166_666_7, false), ("08:30:00".into(), CellKind::Time));
        assert_eq!(serial(60.0, false).0, "1900-02-29", "a day that only spreadsheets know");
        assert_eq!(serial(61.0, false).0, "1900-03-01");
        assert_eq!(serial(-1.0, false), ("-1".into(), CellKind::Number));
        assert_eq!(serial(2_958_466.0, false), ("2958466".into(), CellKind::Number));
        assert_eq!(serial(f64::NAN, false).1, CellKind::Error);
        let span = ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false);
        assert_eq!(shown(CellValue::Serial(span)), ("36:00:00".into(), CellKind::Time));
    }

    #[test]
    fn iso_text_keeps_its_kind() {
        assert_eq!(shown(CellValue::Iso("2026-11-22")).1, CellKind::Date);
        assert_eq!(shown(CellValue::Iso("2026-11-22T08:30:00")).1, CellKind::DateTime);
        assert_eq!(shown(CellValue::Duration("PT08H30M05.5S")).0, "08:30:05.500");
        assert_eq!(shown(CellValue::Duration("P1D")).0, "P1D");
    }

    #[test]
    fn other_kinds_are_named() {
        assert_eq!(shown(CellValue::Boolean(true)), ("true".into(), CellKind::Boolean));
        assert_eq!(shown(CellValue::Error("#N/A")), ("#N/A".into(), CellKind::Error));
        let from_cell = DataRef::Error(CellErrorType::Ref);
        assert_eq!(shown(CellValue::from(&from_cell)), ("#REF!".into(), CellKind::Error));
        assert_eq!(shown(CellValue::NoStored), (String::new(), CellKind::NoValue));
    }
}
