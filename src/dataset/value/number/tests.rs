//! Tests of `number`.

use super::*;
use crate::domain::fixed_point::FixedPoint;
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
fn what_other_numbers_prove_decides_between_two_readings_only() {
    for (proven, text, expected) in [
        (Point, "1,234", Ok((123_400, true))),
        (Point, "1.230", Ok((123, true))),
        (Point, "1.234", Err(TooManyDecimals)),
        (Point, "12,50", Ok((1250, false))),
        (Point, "1.234,50", Ok((123_450, false))),
        (Comma, "1.234", Ok((123_400, true))),
        (Comma, "-1,230", Ok((-123, true))),
        (Comma, "12.50", Ok((1250, false))),
        (Comma, "12,5", Ok((1250, false))),
        (Comma, "0,500", Ok((50, false))),
        (Undeclared, "1,234", Err(Ambiguous)),
        (Comma, "$5", Err(NotANumber)),
    ] {
        assert_eq!(parse_proven(text, MONEY, proven), expected, "{text} where {proven:?}");
    }
    let three = Digits { precision: 12, scale: 3 };
    assert_eq!(parse_proven("1.234", three, Comma), Ok((1_234_000, true)));
    assert_eq!(parse_proven("1.234", three, Point), Ok((1234, false)));
}

#[test]
fn only_a_number_with_one_reading_is_a_proof() {
    for (text, expected) in [
        ("12,50", Some(Comma)),
        ("-0,125", Some(Comma)),
        ("1.234,5", Some(Comma)),
        ("1.234.567", Some(Comma)),
        ("1234,567", Some(Comma)),
        ("1 234,56", Some(Comma)),
        ("12.50", Some(Point)),
        ("1,234.567", Some(Point)),
        ("1,234,567", Some(Point)),
        ("1,23,456.50", Some(Point)),
        ("0.500", Some(Point)),
        (".5", Some(Point)),
        ("1,234", None),
        ("1.234", None),
        ("1 234", None),
        ("12.05.2026", None),
        ("1,2,3", None),
        ("1,2345.6", None),
        ("a,50", None),
        ("12,", None),
        (",", None),
        ("1250", None),
        ("", None),
    ] {
        assert_eq!(proof(text), expected, "{text}");
    }
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
        let text = FixedPoint::new(units, 2).to_string();
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
