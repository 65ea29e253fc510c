//! Tests of `header`.

use super::*;
use crate::dataset::Datasets;
use crate::domain::error_code::ErrorCode;

fn texts(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// The names of the columns that `header` feeds, `-` for none, or the faults.
fn matched(header: &[&str], mapping: &[(&str, &str)]) -> Result<String, Vec<HeaderFault>> {
    let datasets = Datasets::embedded();
    let products = datasets.get("products").unwrap();
    let options = Options { mapping: pairs(mapping), ..Options::default() };
    let matched = match_header(products, &texts(header), &options)?;
    let names: Vec<String> =
        matched.names(products).into_iter().map(|name| name.unwrap_or("-".into())).collect();
    Ok(names.join(" "))
}

#[track_caller]
fn check(header: &[&str], mapping: &[(&str, &str)], expected: &str) {
    assert_eq!(matched(header, mapping), Ok(expected.to_owned()), "{header:?}");
}

#[track_caller]
fn check_faults(header: &[&str], mapping: &[(&str, &str)], expected: &[(ErrorCode, &str)]) {
    let found: Vec<_> = matched(header, mapping)
        .unwrap_err()
        .into_iter()
        .map(|fault| (fault.code(), fault.to_string()))
        .collect();
    let expected: Vec<_> =
        expected.iter().map(|(code, text)| (*code, (*text).to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_real_header_matches_as_it_is() {
    check(
        &["SKU", "Name", "Potency", "Size", "Qty"],
        &[],
        "sku name potency pack_size current_stock",
    );
}

#[test]
fn headers_are_compared_by_their_letters_alone() {
    for sku in
        ["sku", " SKU ", "\u{feff}Sku", "S\u{200b}KU", "ＳＫＵ", "Part-No.", "part_no", "PartNo"]
    {
        check(&[sku, "NAME"], &[], "sku name");
    }
    check(&["Sku", "Name", "Cost/Price", "costs", "", ""], &[], "sku name cost_price - - -");
    assert_eq!(normal_form("Straße"), normal_form("STRASSE"));
}

#[test]
fn unknown_headers_feed_nothing_even_twice() {
    check(&["Sku", "Name", "Colour", "Colour"], &[], "sku name - -");
}

#[test]
fn the_mapping_wins_over_names() {
    check(&["Nr", "Name", "Title"], &[("Nr", "sku"), ("Title", "name")], "sku - name");
    check(&["SKU", "Name", "Qty", "Stock"], &[("stock", "")], "sku name current_stock -");
    check(&["Art.-Nr.", "Name"], &[("art nr", "SKU")], "sku name");
    check(&["", "Name"], &[("", "sku")], "sku name");
}

#[test]
fn a_missing_column_names_what_is_near() {
    check_faults(
        &["SKUs", "Nmae", "Qty"],
        &[],
        &[
            (
                ErrorCode::MissingColumn,
                "the required column `SKU` is missing; did you mean `SKUs`? found `SKUs`, \
                 `Nmae`, `Qty`",
            ),
            (
                ErrorCode::MissingColumn,
                "the required column `Name` is missing; did you mean `Nmae`? found `SKUs`, \
                 `Nmae`, `Qty`",
            ),
        ],
    );
}

#[test]
fn two_headers_for_one_column_are_a_fault() {
    check_faults(
        &["SKU", "Name", "Qty", "Stock", "name"],
        &[],
        &[
            (
                ErrorCode::DuplicateColumn,
                "`Name`, `name` all feed the column `Name`; rename or remove all but one, or \
                 decide with the option `mapping`",
            ),
            (
                ErrorCode::DuplicateColumn,
                "`Qty`, `Stock` all feed the column `Current Stock`; rename or remove all but \
                 one, or decide with the option `mapping`",
            ),
        ],
    );
}

#[test]
fn a_file_without_header_is_told_apart() {
    check_faults(
        &["100A11", "Acid fluor.", ""],
        &[],
        &[(
            ErrorCode::NoHeader,
            "no column of the dataset was recognized; found `100A11`, `Acid fluor.`, expected \
             at least `SKU`, `Name`",
        )],
    );
    let many = vec!["x"; 1000];
    let text = matched(&many, &[]).unwrap_err()[0].to_string();
    assert!(text.contains(" and 970 more"), "{text}");
}

#[test]
fn a_mapping_that_names_nothing_is_refused() {
    let faults = matched(&["SKU", "Name"], &[("Skuu", "name"), ("Name", "nam")]).unwrap_err();
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.iter().all(|fault| fault.code() == ErrorCode::BadMapping));
    assert!(texts[0].starts_with("`mapping` sends the header `Name` to the column `nam`"));
    assert!(texts[1].contains("`Skuu`, which the file does not have; did you mean `SKU`?"));
}

#[test]
fn the_rank_counts_known_columns() {
    let datasets = Datasets::embedded();
    let products = datasets.get("products").unwrap();
    let options = Options { mapping: pairs(&[("Art.", "sku")]), ..Options::default() };
    let names = HeaderNames::new(products, &options);
    let rank = |cells: &[&str]| names.read(cells).rank();
    assert_eq!(rank(&["SKU", "Name", "Potency", "Size", "Qty"]), (true, 5));
    assert_eq!(rank(&["SKU;Name;Qty"]), (false, 0));
    assert_eq!(rank(&["Qty", "Stock", "x", ""]), (false, 1));
    assert_eq!(rank(&["Art.", "Name"]), (true, 2));
    let options = Options { set: pairs(&[("Name", "Rose")]), ..Options::default() };
    assert_eq!(HeaderNames::new(products, &options).read(&["SKU"]).rank(), (true, 1));
}

#[test]
fn a_constant_counts_as_a_column_of_the_file() {
    let datasets = Datasets::embedded();
    let products = datasets.get("products").unwrap();
    let read = |header: &[&str], set: &[(&str, &str)]| {
        let options = Options { set: pairs(set), ..Options::default() };
        let (matched, faults) = read_header(products, &texts(header), &options);
        let faults = faults.iter().map(|fault| (fault.code(), fault.to_string())).collect();
        (matched.columns, faults)
    };
    let named = |column: &str| products.column_index(column);
    let (columns, faults): (_, Vec<(ErrorCode, String)>) = read(&["SKU"], &[("Name", "Rose")]);
    assert_eq!((columns, faults.len()), (vec![named("sku")], 0), "{faults:?}");
    // A sale price feeds the selling price only where nothing better does.
    let set = [("name", "Rose"), ("Selling Price", "12.50")];
    let (columns, faults) = read(&["SKU", "Sale price", "Price (net)"], &set);
    assert_eq!((columns, faults.len()), (vec![named("sku"), None, None], 0), "{faults:?}");
    for (set, code, part) in [
        (("colour", "red"), ErrorCode::BadConstant, "`set` names the column `colour`, which"),
        (("MRP", "cheap"), ErrorCode::BadConstant, "column `MRP` does not take: `cheap` is not a"),
        (("MRP", "1,234"), ErrorCode::BadConstant, "can be read as 1234 or as 1.234"),
        (("name", " "), ErrorCode::BadConstant, "Name is required"),
        (("sku", "A"), ErrorCode::DuplicateColumn, "column `SKU`, which `Part No` of the file"),
    ] {
        let (_, faults) = read(&["Part No", "Name"], &[set]);
        assert_eq!(faults[0].0, code, "{faults:?}");
        assert!(faults[0].1.contains(part), "{faults:?}");
    }
    let (_, faults) = read(&["Part No", "Name"], &[("mrp", "1"), ("MRP", "1")]);
    assert_eq!(faults[0].1, "`set` names the column `MRP` twice; leave one of them out");
}

#[test]
fn units_hinder_no_header_but_the_plain_name_wins() {
    check(
        &["SKU*", "Product Name *", "MRP (Rs.)", "Price in EUR", "Selling Price (incl. tax)"],
        &[],
        "sku name mrp - selling_price",
    );
    check(&["SKU", "Name", "Price (net)", "Price"], &[], "sku name - selling_price");
    check(&["SKU", "Name", "Price (EUR)"], &[("Price (EUR)", "cost_price")], "sku name cost_price");
    let faults = matched(&["SKU", "Name", "Price (net)", "Price (gross)"], &[]).unwrap_err();
    assert_eq!(faults[0].code(), ErrorCode::DuplicateColumn);
}
