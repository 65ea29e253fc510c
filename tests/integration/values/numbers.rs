//! Numbers: fixed-point from the first digit to the last, and never guessed.

use super::outcome::{Expected, becomes};
use crate::support::{Upload, both};

const MONEY: (&str, &str) = ("MRP", "mrp");

/// Read in the same way whatever the dialect.
const PLAIN: &[(&str, Expected)] = &[
    ("12", Ok("12")),
    (" 7 ", Ok("7")),
    ("\u{a0}8\u{2003}", Ok("8")),
    ("", Ok("NULL")),
    ("   ", Ok("NULL")),
    ("0", Ok("0")),
    ("-0", Ok("0")),
    ("+3", Ok("3")),
    ("007", Ok("7")),
    ("9999999999", Ok("9999999999")),
    ("10000000000", Err("out_of_range")),
    ("99999999999999999999999999", Err("out_of_range")),
    ("-1", Err("out_of_range")),
    ("\u{2212}1", Err("out_of_range")),
    ("NaN", Ok("NULL")),
    ("n/a", Ok("NULL")),
    ("=\"7\"", Ok("7")),
    ("'7", Ok("7")),
    ("inf", Err("not_a_number")),
    ("-Infinity", Err("not_a_number")),
    ("1e3", Err("not_a_number")),
    ("0x10", Err("not_a_number")),
    ("$5", Err("not_a_number")),
    ("12,50 €", Err("not_a_number")),
    ("5%", Err("not_a_number")),
    ("(5)", Err("not_a_number")),
    ("5-", Err("not_a_number")),
    ("- 5", Err("not_a_number")),
    ("five", Err("not_a_number")),
    ("#N/A", Err("cell_error")),
    ("12.5.1", Err("not_a_number")),
    ("1_000", Err("not_a_number")),
    ("１２", Err("not_a_number")),
    ("5\0", Err("nul_character")),
];

both!(a_number_is_stored_exactly_or_refused, |server| {
    becomes(server, MONEY, &[], PLAIN).await;
    becomes(server, MONEY, &[("decimal", "point")], PLAIN).await;
    becomes(server, MONEY, &[("decimal", "comma")], PLAIN).await;
});

both!(decimals_are_never_rounded_and_never_guessed, |server| {
    becomes(
        server,
        MONEY,
        &[],
        &[
            ("12.50", Ok("12.5")),
            ("12,50", Ok("12.5")),
            ("0.10", Ok("0.1")),
            ("0.01", Ok("0.01")),
            (".5", Ok("0.5")),
            ("5.", Ok("5")),
            ("9999999999.99", Ok("9999999999.99")),
            ("1234567890.12", Ok("1234567890.12")),
            ("1,234.56", Ok("1234.56")),
            ("1.234,56", Ok("1234.56")),
            ("1 234,56", Ok("1234.56")),
            ("1'234.50", Ok("1234.5")),
            ("1,234,567", Ok("1234567")),
            ("12,34,567.89", Ok("1234567.89")),
            ("1.50000", Ok("1.5")),
            ("1,234", Err("ambiguous_number")),
            ("1.234", Err("ambiguous_number")),
            ("0.001", Err("too_many_decimals")),
            ("12.3456", Err("too_many_decimals")),
            ("12345.678", Err("too_many_decimals")),
            ("99999999999.99", Err("out_of_range")),
        ],
    )
    .await;
});

both!(a_declared_dialect_leaves_no_doubt, |server| {
    let point: &[(&str, Expected)] = &[
        ("1,234", Ok("1234")),
        ("1,234.5", Ok("1234.5")),
        ("1.234", Err("too_many_decimals")),
        ("1.230", Ok("1.23")),
        ("12,5", Err("not_a_number")),
        ("1.234,5", Err("not_a_number")),
    ];
    becomes(server, MONEY, &[("decimal", "point")], point).await;
    let comma: &[(&str, Expected)] = &[
        ("1,234", Err("too_many_decimals")),
        ("1,230", Ok("1.23")),
        ("1.234", Ok("1234")),
        ("1.234,5", Ok("1234.5")),
        ("12.5", Err("not_a_number")),
        ("1,234.5", Err("not_a_number")),
    ];
    becomes(server, MONEY, &[("decimal", "comma")], comma).await;
});

both!(a_bound_of_the_column_holds, |server| {
    let percent: &[(&str, Expected)] = &[
        ("0", Ok("0")),
        ("100", Ok("100")),
        ("18.50", Ok("18.5")),
        ("100.01", Err("out_of_range")),
        ("-0.01", Err("out_of_range")),
        ("999", Err("out_of_range")),
        ("1000", Err("out_of_range")),
    ];
    becomes(server, ("Tax Percent", "tax_percent"), &[], percent).await;
});

both!(currencies_and_units_are_taken_off_when_asked_for, |server| {
    let table: &[(&str, Expected)] = &[
        ("$4.99", Ok("4.99")),
        ("12,50 €", Ok("12.5")),
        ("₹ 1,234.50", Ok("1234.5")),
        ("Rs. 120/-", Ok("120")),
        ("5 pcs", Ok("5")),
        ("5.00-", Err("out_of_range")),
        ("$1,234", Err("ambiguous_number")),
        ("5 dozen", Err("not_a_number")),
        ("$", Err("not_a_number")),
    ];
    becomes(server, MONEY, &[("currency", "strip")], table).await;
    let codes = server.rows("select distinct code from import_errors order by code").await;
    assert_eq!(codes.concat(), ["ambiguous_number", "not_a_number", "out_of_range"]);
    let refused =
        server.load("products", Upload::csv("SKU,Name,MRP\nA,Arnica,$4.99\nB,Bryonia,x\n")).await;
    let job = refused["jobId"].as_i64().unwrap();
    let errors = server.errors(job, "").await.ok()["errors"].clone();
    let names_option =
        |at: usize| errors[at]["message"].as_str().unwrap().contains("`currency=strip`");
    assert!(names_option(0) && !names_option(1), "{errors}");
});

both!(a_percentage_may_have_its_sign, |server| {
    let table: &[(&str, Expected)] =
        &[("18%", Ok("18")), ("12,5 %", Ok("12.5")), ("5", Ok("5")), ("101%", Err("out_of_range"))];
    becomes(server, ("GST %", "tax_percent"), &[], table).await;
    becomes(server, MONEY, &[], &[("18%", Err("not_a_number"))]).await;
});
