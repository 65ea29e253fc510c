//! What XLS and XLSB say beside the values of their cells: formats, hidden rows and columns, merged
//! cells. The XLSB is made by hand, record by record; the XLS was written by the package xlwt.

use loadbay::domain::options::Options;
use loadbay::domain::row::CellKind;

use super::workbooks::archive;
use super::{own, read_bytes};

/// A record of a kind below 128, or of two bytes.
fn record(kind: u16, body: &[u8]) -> Vec<u8> {
    assert!(body.len() < 128);
    let mut bytes = match u8::try_from(kind).ok().filter(|kind| *kind < 0x80) {
        Some(kind) => vec![kind],
        None => vec![kind.to_le_bytes()[0] & 0x7F | 0x80, (kind >> 7).to_le_bytes()[0]],
    };
    bytes.push(u8::try_from(body.len()).unwrap());
    bytes.extend(body);
    bytes
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let count = u32::try_from(units.len()).unwrap().to_le_bytes();
    count.into_iter().chain(units.into_iter().flat_map(u16::to_le_bytes)).collect()
}

fn row(number: u32, is_hidden: bool) -> Vec<u8> {
    let flags = [0, 0, 0, if is_hidden { 0x10 } else { 0 }];
    record(0x00, &[numbers(&[number, 0]), flags.to_vec(), vec![0; 5]].concat())
}

fn text(column: u32, words: &str) -> Vec<u8> {
    record(0x06, &[numbers(&[column, 0]), wide(words)].concat())
}

fn real(column: u32, style: u32, number: f64) -> Vec<u8> {
    record(0x05, &[numbers(&[column, style]), number.to_le_bytes().to_vec()].concat())
}

/// Formats of the styles 1 to 4.
fn styles() -> Vec<u8> {
    let codes = ["000000", "0.00", "0%", "d-mmm"];
    let ids = 164_u16..;
    let formats = ids
        .clone()
        .zip(codes)
        .flat_map(|(id, code)| record(0x2C, &[id.to_le_bytes().to_vec(), wide(code)].concat()));
    let styles = std::iter::once(0).chain(ids.take(codes.len())).flat_map(|id: u16| {
        record(0x2F, &[vec![0, 0], id.to_le_bytes().to_vec(), vec![0; 12]].concat())
    });
    [
        record(0x0267, &numbers(&[4])),
        formats.collect(),
        record(0x0268, &[]),
        record(0x0269, &numbers(&[5])),
        styles.collect(),
        record(0x026A, &[]),
    ]
    .concat()
}

fn xlsb(cells: &[Vec<u8>], behind: &[Vec<u8>]) -> Vec<u8> {
    let book = [
        record(0x9C, &[numbers(&[0, 1]), wide("r1"), wide("Products")].concat()),
        record(0x90, &[]),
        record(0x9D, &[]),
    ]
    .concat();
    let columns = record(0x3C, &[numbers(&[3, 3, 0, 0]), vec![1, 0]].concat());
    let head = [
        record(0x81, &[]),
        record(0x94, &numbers(&[0, 9, 0, 9])),
        record(0x0186, &[]),
        columns,
        record(0x0187, &[]),
        record(0x91, &[]),
    ];
    let sheet = [head.concat(), cells.concat(), record(0x92, &[]), behind.concat()].concat();
    let relations = b"<Relationships><Relationship Id=\"r1\" Target=\"worksheets/sheet1.bin\"/>\
                      </Relationships>";
    archive(&[
        ("xl/workbook.bin", &book),
        ("xl/_rels/workbook.bin.rels", relations),
        ("xl/styles.bin", &styles()),
        ("xl/worksheets/sheet1.bin", &sheet),
    ])
}

fn header() -> Vec<u8> {
    let cells = (0..).zip(["sku", "name", "price", "qty"]).map(|(column, it)| text(column, it));
    [row(0, false), cells.collect::<Vec<_>>().concat()].concat()
}

/// Three products, the second in a hidden row; the quantities stand in a hidden column.
pub(crate) fn hidden_xlsb() -> Vec<u8> {
    let product = |at: u32, sku: &str, is_hidden| {
        [row(at, is_hidden), text(0, sku), text(1, "Arnica"), real(3, 0, 5.0)].concat()
    };
    let rows = [product(1, "R1", false), product(2, "R2", true), product(3, "R3", false)];
    xlsb(&[header(), rows.concat()], &[])
}

#[test]
fn cells_of_an_xlsb_are_what_they_show() {
    let first = [row(1, false), real(0, 1, 1234.0), real(1, 3, 0.18), real(2, 2, 23.7881)];
    let second = [row(2, true), real(0, 0, 7.0), real(1, 4, 46_082.0)];
    let bytes = xlsb(&[header(), first.concat(), second.concat()], &[]);
    let (_, rows) = read_bytes("a.xlsb", &bytes, &Options::default()).unwrap();
    let cell = |text: &str, kind| (text.to_owned(), kind);
    let rounded = CellKind::RoundedNumber { decimals: 2 };
    let percent = CellKind::Percent { decimals: None };
    let expected = [
        (2, vec![cell("001234", CellKind::Number), cell("18%", percent), cell("23.7881", rounded)]),
        (3, vec![cell("7", CellKind::Number), cell("2026-03-01", CellKind::ShortDay)]),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn texts_with_formats_of_their_own_are_read() {
    let rich = |column, words: &str| {
        record(0x3E, &[numbers(&[column, 0]), vec![0x01], wide(words), numbers(&[0])].concat())
    };
    let rows = [row(1, false), rich(0, "A-1"), text(1, "Arnica"), rich(2, "2.50")];
    let (_, rows) =
        read_bytes("a.xlsb", &xlsb(&[header(), rows.concat()], &[]), &Options::default()).unwrap();
    let cells: Vec<_> = rows[0].1.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(cells, ["A-1", "Arnica", "2.50"]);
}

#[test]
fn merged_cells_of_an_xlsb_repeat_their_value() {
    let rows = [
        [row(1, false), text(0, "A"), text(1, "Tools")].concat(),
        [row(2, false), text(0, "B")].concat(),
        [row(3, false), text(0, "C"), text(1, "Paint")].concat(),
    ];
    let merged = [record(0xB1, &numbers(&[1])), record(0xB0, &numbers(&[1, 2, 1, 1]))];
    let bytes = xlsb(&[header(), rows.concat()], &merged);
    let (_, rows) = read_bytes("a.xlsb", &bytes, &Options::default()).unwrap();
    let names: Vec<_> = rows.into_iter().map(|(_, cells)| cells[1].0.clone()).collect();
    assert_eq!(names, ["Tools", "Tools", "Paint"]);
}

#[test]
fn cells_of_an_xls_are_what_they_show() {
    let bytes = std::fs::read(own("workbooks/shown.xls")).unwrap();
    let (_, rows) = read_bytes("shown.xls", &bytes, &Options::default()).unwrap();
    let cell = |text: &str, kind| (text.to_owned(), kind);
    let cells: Vec<_> = rows.iter().map(|(_, cells)| cells.as_slice()).collect();
    assert_eq!(
        cells[0][..6],
        [
            cell("001234", CellKind::Number),
            cell("Arnica", CellKind::Text),
            cell("23.7881", CellKind::RoundedNumber { decimals: 2 }),
            cell("18%", CellKind::Percent { decimals: None }),
            cell("12 kg", CellKind::Labelled { decimals: None }),
            cell("Tools", CellKind::Text),
        ]
    );
    assert_eq!(cells[1][4], cell("2026-03-01", CellKind::ShortDay));
    let categories: Vec<_> = cells.iter().map(|cells| cells[5].0.as_str()).collect();
    assert_eq!(categories, ["Tools", "Tools", "Tools", ""]);
}
