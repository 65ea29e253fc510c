//! Workbooks that are encrypted under Excel's default password, damaged in part, or not calculated.

use loadbay::domain::options::Options;
use loadbay::domain::row::CellKind;

use super::workbooks::one_sheet;
use super::{own, read, read_bytes, texts};

#[test]
fn every_encryption_under_the_default_password_is_read() {
    for (name, first) in [
        ("default-password-md5.xls", "X-1"),
        ("default-password-sha1.xls", "X-1"),
        ("default-password-2007.xlsx", "S-1"),
    ] {
        let path = own("workbooks").join(name);
        let (_, rows) = read(&path, &Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(texts(&rows)[0][0], first, "{name}");
    }
}

#[test]
fn a_damaged_sheet_of_an_xls_hides_no_other() {
    let hidden = own("workbooks/broken-hidden.xls");
    let (found, rows) = read(&hidden, &Options::default()).unwrap();
    assert_eq!(found.sheets, ["Prices", "Old"]);
    assert_eq!(texts(&rows)[2], ["X-3", "Namé 3", "4.5", "9", "3"]);
    let refused = "the workbook is damaged: sheet `Prices` cannot be read";
    let visible = own("workbooks/broken-visible.xls");
    assert_eq!(read(&visible, &Options::default()).unwrap_err().to_string(), refused);
    let old = Options { sheet: Some("Old".to_owned()), ..Options::default() };
    assert_eq!(read(&visible, &old).unwrap().0.sheet.as_deref(), Some("Old"));
}

#[test]
fn formulas_that_nobody_calculated_have_no_value() {
    let (_, rows) = read(&own("workbooks/not-calculated.xls"), &Options::default()).unwrap();
    assert_eq!(rows[0].1[3], (String::new(), CellKind::NoValue));
    assert_eq!(rows[0].1[2], ("1.5".to_owned(), CellKind::Number));

    let xlsx = |last: &str| {
        let row = |row: u32, result: &str| {
            format!(
                "<row r=\"{row}\"><c r=\"A{row}\" t=\"inlineStr\"><is><t>A-{row}</t></is></c>\
                 <c r=\"B{row}\"><f>1+1</f><v>{result}</v></c></row>"
            )
        };
        let header = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>sku</t></is></c>\
                      <c r=\"B1\" t=\"inlineStr\"><is><t>price</t></is></c></row>";
        one_sheet(&format!("{header}{}{}{}", row(2, "0"), row(3, "0"), row(4, last)))
    };
    let prices = |last: &str| {
        let (_, rows) = read_bytes("a.xlsx", &xlsx(last), &Options::default()).unwrap();
        rows.into_iter().map(|(_, mut cells)| cells.remove(1)).collect::<Vec<_>>()
    };
    let missing = (String::new(), CellKind::NoValue);
    assert_eq!(prices("0"), vec![missing; 3]);
    let number = |text: &str| (text.to_owned(), CellKind::Number);
    assert_eq!(prices("2.5"), [number("0"), number("0"), number("2.5")]);
}
