//! Tests of `convert`.

use std::collections::BTreeMap;

use super::*;
use crate::dataset::cell_rules::Convention;
use crate::dataset::{Datasets, compile, match_header};
use crate::domain::detected::DecimalSeparator;
use crate::domain::options::Options;
use crate::domain::row::CellKind;
use crate::domain::row_error::RowCode;
use crate::domain::row_number::RowNumber;

const DEFINITION: &str = r#"
    name = "things"
    table = "things"
    key = ["code", "number"]
    column = [
      { name = "code", required = true, max_length = 5 },
      { name = "number", type = "integer", required = true, min = -10, max = 1000 },
      { name = "price", type = "decimal(6,2)", min = 0 },
      { name = "kind", allowed = ["Small", "Groß"] },
      { name = "active", type = "boolean" },
      { name = "day", type = "date" },
      { name = "moment", type = "datetime" },
      { name = "extra", type = "json" },
      { name = "tags", type = "list" },
      { name = "tax", type = "decimal(5,2)", percent = true, max = 100 },
    ]"#;

fn things() -> (Arc<Dataset>, Plan) {
    let dataset = compile("things.toml", DEFINITION).unwrap().dataset;
    let names: Vec<_> = dataset.columns.iter().map(|c| Some(c.name.clone())).collect();
    let plan = Plan::new(&dataset, &names, &BTreeMap::new()).unwrap();
    (dataset, plan)
}

fn row(cells: &[(CellKind, &str)]) -> RawRow {
    let mut row = RawRow::new();
    (row.row_number, row.line) = (RowNumber::new(7), 9);
    for (kind, text) in cells {
        row.push(*kind, text);
    }
    row
}

/// Converts a row in which `column` holds `text`, and shows the value or the errors' codes.
fn convert_one(column: &str, kind: CellKind, text: &str) -> Result<String, Vec<RowError>> {
    let (dataset, plan) = things();
    let index = dataset.column_index(column).unwrap();
    let mut cells = vec![(CellKind::Text, ""); dataset.columns.len()];
    (cells[0], cells[1]) = ((CellKind::Text, "a"), (CellKind::Text, "1"));
    cells[index] = (kind, text);
    let mut records = Records::new(plan.width());
    let mut converter = Converter::new(&dataset, &plan, CellRules::default());
    converter.convert(&row(&cells), &mut records)?;
    let value = records.value(0, index);
    Ok(if let Value::Text(text) = value { text.to_owned() } else { format!("{value:?}") })
}

#[track_caller]
fn check(column: &str, kind: CellKind, text: &str, expected: &str) {
    assert_eq!(convert_one(column, kind, text), Ok(expected.to_owned()), "{column}: {text:?}");
}

#[track_caller]
fn check_error(column: &str, kind: CellKind, text: &str, code: RowCode, words: &str) {
    let errors = convert_one(column, kind, text).unwrap_err();
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((error.code, error.column.as_deref()), (code, Some(column)), "{text:?}");
    assert_eq!((error.row_number.get(), error.line), (7, 9));
    assert!(error.message.contains(words), "{}", error.message);
}

use CellKind::{BadEncoding, Boolean, Date, DateTime, LossyNumber, NoValue, Number, Text, Time};

#[test]
fn each_type_reads_its_texts() {
    check("code", Text, "  ab\u{a0}", "ab");
    check("number", Text, "-10", "Integer(-10)");
    check("price", Text, "12,5", "Decimal(1250)");
    check("price", Text, " ", "Null");
    check("kind", Text, "GROß", "Groß");
    check("active", Text, "Nein", "Boolean(false)");
    check("day", Text, "22.11.2026", "Date(2026-11-22)");
    check("moment", Text, "2026-11-22 08:30", "DateTime(2026-11-22T08:30:00Z)");
    check("extra", Text, r#"{ "a" : 1 }"#, r#"{"a":1}"#);
    check("tags", Text, "red; blue,", r#"["red","blue"]"#);
    check("tags", Text, ";", "Null");
}

#[test]
fn a_percent_sign_belongs_to_percents_only() {
    for (text, units) in [("18", 1800), ("18%", 1800), ("12,5 %", 1250), ("% 18", 1800)] {
        check("tax", Text, text, &format!("Decimal({units})"));
    }
    check("tax", Text, "5\u{a0}\u{ff05}", "Decimal(500)");
    check_error("tax", Text, "%", RowCode::NotANumber, "`%` is not a number");
    check_error("tax", Text, "18%%", RowCode::NotANumber, "is not a number");
    check_error("tax", Text, "101 %", RowCode::OutOfRange, "above 100");
    check_error("price", Text, "18%", RowCode::NotANumber, "is not a number");
}

#[test]
fn the_types_of_a_workbook_are_used() {
    check("code", Number, "4006", "4006");
    check("code", Boolean, "true", "TRUE");
    check("kind", Text, "small", "Small");
    check("price", Number, "1.230000", "Decimal(123)");
}

#[test]
fn errors_name_the_value_the_rule_and_the_way_out() {
    check_error("code", Text, "", RowCode::Required, "Code is required");
    check_error(
        "code",
        Text,
        "äöüäöü",
        RowCode::TooLong,
        "has 6 characters, but Code takes at most 5",
    );
    check_error("code", Text, "a\u{200b}", RowCode::ControlCharacter, "invisible character U+200B");
    check_error("code", Text, "a\0", RowCode::NulCharacter, "`a␀` holds a NUL");
    check_error("number", Text, "1.5", RowCode::NotAnInteger, "takes no decimals");
    check_error("number", Text, "-11", RowCode::OutOfRange, "below -10");
    check_error("number", Text, "1001", RowCode::OutOfRange, "above 1000");
    check_error(
        "price",
        Text,
        "12,50 €",
        RowCode::NotANumber,
        "`12,50 €` is not a number; write it like 12.50",
    );
    check_error("price", Text, "1,234", RowCode::AmbiguousNumber, "as 1234 or as 1.234");
    check_error("price", Text, "0.001", RowCode::TooManyDecimals, "the 2 that Price keeps");
    check_error("price", Text, "10000", RowCode::OutOfRange, "4 digits before");
    check_error("price", Text, "-0.01", RowCode::OutOfRange, "below 0.00");
    check_error("price", Text, "1\0", RowCode::NulCharacter, "NUL");
    check_error("kind", Text, "big", RowCode::NotAllowed, "use one of Small, Groß");
    check_error("active", Text, "maybe", RowCode::NotABoolean, "`true` or `false`");
    check_error("day", Text, "05/04/2026", RowCode::NotADate, "two different days");
    check_error("moment", Text, "yesterday", RowCode::NotADate, "2026-11-22T08:30:00Z");
    check_error("extra", Text, "{", RowCode::NotJson, "is not JSON");
}

#[test]
fn what_a_workbook_lost_is_not_made_up() {
    check_error(
        "code",
        LossyNumber,
        "4.1E+20",
        RowCode::PrecisionLost,
        "format the column as text",
    );
    check_error("price", LossyNumber, "12345678901234567", RowCode::OutOfRange, "too large");
    check_error("price", Number, "1.005", RowCode::TooManyDecimals, "round it");
    check_error("code", CellKind::Error, "#N/A", RowCode::CellError, "`#N/A` is an error");
    check_error("price", NoValue, "", RowCode::FormulaWithoutValue, "no stored value");
    check_error("code", BadEncoding, "a\u{fffd}", RowCode::BadEncoding, "option `encoding`");
    check_error("day", Number, "46348", RowCode::NotADate, "not a day of the calendar");
    check_error("day", DateTime, "2026-11-22T08:30:00", RowCode::NotADate, "has a time of day");
    check_error("day", Time, "08:30:00", RowCode::NotADate, "2026-11-22");
    check("day", Date, "2026-11-22", "Date(2026-11-22)");
    check("moment", Date, "2026-11-22", "DateTime(2026-11-22T00:00:00Z)");
    check("extra", Boolean, "true", "true");
}

#[test]
fn every_fault_of_a_row_is_told_and_nothing_is_left_behind() {
    let (dataset, plan) = things();
    let mut converter = Converter::new(
        &dataset,
        &plan,
        CellRules {
            decimal: Convention::Declared(DecimalSeparator::Point),
            ..CellRules::default()
        },
    );
    let mut records = Records::new(plan.width());
    let bad = row(&["", "x", "y", "z", "?", "?", "?", "?", "", ""].map(|text| (Text, text)));
    let codes: Vec<_> =
        converter.convert(&bad, &mut records).unwrap_err().iter().map(|e| e.code).collect();
    let expected = [
        RowCode::Required,
        RowCode::NotANumber,
        RowCode::NotANumber,
        RowCode::NotAllowed,
        RowCode::NotABoolean,
        RowCode::NotADate,
        RowCode::NotADate,
        RowCode::NotJson,
    ];
    assert_eq!(codes, expected);
    assert!(!converter.accepts(&bad));
    let good = row(&[(Text, "a"), (Text, "1")]);
    assert!(converter.accepts(&good));
    converter.convert(&good, &mut records).unwrap();
    assert_eq!((records.len(), records.value(0, 0)), (1, Value::Text("a")));
    assert_eq!(records.value(0, 8), Value::Absent, "the row ends before it");
}

#[test]
fn short_and_long_rows_are_told_when_something_is_lost() {
    let (dataset, plan) = things();
    let mut converter = Converter::new(
        &dataset,
        &plan,
        CellRules {
            decimal: Convention::Declared(DecimalSeparator::Point),
            ..CellRules::default()
        },
    );
    let mut records = Records::new(plan.width());
    let errors = converter.convert(&row(&[(Text, "a")]), &mut records).unwrap_err();
    assert_eq!((errors.len(), errors[0].code), (1, RowCode::MissingColumns));
    assert!(
        errors[0].message.starts_with("the row has 1 cell where the header has 10, so Number is")
    );
    let mut long = vec![(Text, ""); 12];
    (long[0], long[1]) = ((Text, "a"), (Text, "1"));
    assert!(converter.accepts(&row(&long)));
    long[11] = (Text, "x");
    let errors = converter.convert(&row(&long), &mut records).unwrap_err();
    assert_eq!((errors.len(), errors[0].code), (1, RowCode::TooManyColumns));
    assert!(errors[0].message.contains("`x` stands outside"));
}

#[test]
fn equal_keys_are_equal_texts() {
    let (dataset, plan) = things();
    let mut converter = Converter::new(&dataset, &plan, CellRules::default());
    let mut key = |code: &str, number: &str| {
        let mut key = String::from("old");
        converter.key(&row(&[(Text, code), (Text, number)]), &mut key).then_some(key)
    };
    assert_eq!(key("a", "7"), Some("a\u{1f}7".to_owned()));
    assert_eq!(key(" a ", "+007.0"), key("a", "7"));
    assert_eq!(key("Cafe\u{301}", "7"), key("Café", "7"));
    assert_ne!(key("A", "7"), key("a", "7"));
    for (code, number) in [("", "7"), ("a", ""), ("a", "x"), ("toolong", "7"), ("a\u{1f}", "7")] {
        assert_eq!(key(code, number), None, "{code} {number}");
    }
}

#[test]
fn the_real_file_converts_without_an_error() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/corpora/real/Template_File_Medicine_Product_List.csv"
    );
    let Ok(mut reader) = csv::ReaderBuilder::new().has_headers(false).from_path(path) else {
        eprintln!("skipped: there is no {path}");
        return;
    };
    let datasets = Datasets::embedded();
    let products = datasets.get("products").unwrap();
    let mut rows = reader.records().map(Result::unwrap);
    let header: Vec<String> = rows.next().unwrap().iter().map(str::to_owned).collect();
    let matched = match_header(products, &header, &Options::default()).unwrap();
    let plan = Plan::new(products, &matched.names(products), &BTreeMap::new()).unwrap();
    let mut converter = Converter::new(products, &plan, CellRules::default());
    let (mut records, mut raw) = (Records::new(plan.width()), RawRow::new());
    for record in rows {
        raw.clear();
        record.iter().for_each(|cell| raw.push(Text, cell));
        converter.convert(&raw, &mut records).unwrap();
    }
    assert_eq!(records.len(), 2288);
    let first: Vec<_> = (0..5).map(|column| records.value(0, column)).collect();
    let texts = ["100A11", "Acid fluor.", "CM", "11ml"].map(Value::Text);
    assert_eq!(first, [texts.as_slice(), &[Value::Decimal(50_000)]].concat());
}

fn any_kind() -> impl proptest::strategy::Strategy<Value = CellKind> {
    proptest::sample::select(vec![
        Text,
        Text,
        Text,
        Number,
        LossyNumber,
        Boolean,
        Date,
        DateTime,
        Time,
        NoValue,
        CellKind::Error,
        BadEncoding,
    ])
}

fn any_cell() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::strategy::Strategy;
    proptest::prop_oneof![
        "[-+]?[0-9., ']{0,12}",
        "\\PC{0,8}",
        proptest::collection::vec(proptest::char::any(), 0..8)
            .prop_map(|chars| chars.into_iter().collect()),
        "[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([T ][0-9:.]{0,9}[Z+-]?[0-9:]{0,5})?",
        r#"[\[{]("\PC{0,3}"[:,]?){0,3}[\]}]"#,
    ]
}

proptest::proptest! {
    #[test]
    fn no_row_brings_the_converter_down(
        cells in proptest::collection::vec((any_kind(), any_cell()), 0..12),
        comma in proptest::bool::ANY,
    ) {
        let (dataset, plan) = things();
        let comma = comma.then_some(Convention::Declared(DecimalSeparator::Comma));
        let decimal = comma.unwrap_or_default();
        let mut converter = Converter::new(&dataset, &plan, CellRules { decimal, ..CellRules::default() });
        let cells: Vec<_> = cells.iter().map(|(kind, text)| (*kind, text.as_str())).collect();
        let (row, mut records, mut key) = (row(&cells), Records::new(plan.width()), String::new());
        let has_key = converter.key(&row, &mut key);
        match converter.convert(&row, &mut records) {
            Ok(()) => {
                proptest::prop_assert!(has_key);
                let Value::Integer(number) = records.value(0, 1) else { panic!("no number") };
                let Value::Text(code) = records.value(0, 0) else { panic!("no code") };
                proptest::prop_assert_eq!(key, format!("{code}\u{1f}{number}"));
                for column in [7, 8] {
                    if let Value::Text(json) = records.value(0, column) {
                        let parsed = serde_json::from_str::<serde_json::Value>(json);
                        proptest::prop_assert!(parsed.is_ok(), "{}", json);
                    }
                }
            }
            Err(errors) => {
                proptest::prop_assert!((1..=ERRORS_PER_ROW_MAX).contains(&errors.len()));
                proptest::prop_assert!(records.is_empty());
                for text in errors.iter().flat_map(|e| [Some(&e.message), e.value.as_ref()]).flatten() {
                    proptest::prop_assert!(!text.contains('\0'));
                }
            }
        }
    }
}
