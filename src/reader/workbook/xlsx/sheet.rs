//! A sheet, cell by cell in one pass. A cell that cannot be read is an error of that cell; only XML
//! that breaks off ends the sheet.

use std::ops::ControlFlow;

use calamine::{ExcelDateTime, ExcelDateTimeType};
use quick_xml::events::{BytesStart, Event};

use super::regions::{find_regions, place};
use super::strings::{Strings, push_unescaped, read_rich};
use super::xml::{PackagePart, attributes, is_true};
use crate::reader::error::WorkbookFault;
use crate::reader::spool::SheetFacts;
use crate::reader::workbook::cell::CellValue;
use crate::reader::workbook::fault::{corrupt, sheet_broken};
use crate::reader::workbook::number_format::{NumberFormat, NumberKind};
use crate::reader::workbook::placeholders::FormulaResults;
use crate::reader::workbook::rows::{AFTER_SAMPLE_BYTES, RowGatherer};
use crate::reader::workbook::shown::Shown;

/// What cells refer to.
pub(super) struct BookContext<'b> {
    pub(super) strings: &'b Strings,
    pub(super) formats: &'b [NumberFormat],
    pub(super) is_1904: bool,
    /// Says whether no formula of the sheet has a result; costs a second look at the sheet.
    pub(super) all_are_zero: &'b dyn Fn() -> Result<bool, WorkbookFault>,
}

/// What the attribute `t` says of a cell's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellType {
    /// No `t`.
    Unsaid,
    Number,
    SharedString,
    Boolean,
    Error,
    FormulaText,
    Inline,
    Day,
    Unknown,
}

/// The attributes of a cell.
#[derive(Debug, Clone, Copy)]
struct CellHead {
    place: Option<(u32, u32)>,
    style: Option<usize>,
    kind: CellType,
    has_bad_place: bool,
}

/// Reads a sheet.
pub(super) struct SheetReader<'a, 'b> {
    sheet: &'b str,
    part: PackagePart<'a>,
    book: BookContext<'b>,
    facts: SheetFacts,
    row: u32,
    column: u32,
    value: String,
    scratch: String,
}

impl<'a, 'b> SheetReader<'a, 'b> {
    pub(super) fn new(sheet: &'b str, part: PackagePart<'a>, book: BookContext<'b>) -> Self {
        Self {
            sheet,
            part,
            book,
            facts: SheetFacts::default(),
            row: 0,
            column: 0,
            value: String::new(),
            scratch: String::new(),
        }
    }

    /// Gives the rows to `rows`, until they say to stop.
    pub(super) fn read(mut self, rows: &mut RowGatherer<'_>) -> Result<SheetFacts, WorkbookFault> {
        if !self.find_rows()? {
            return Ok(self.facts);
        }
        let flow = match self.read_rows(rows, &mut FormulaResults::default()) {
            Err(_) if self.part.is_broken() => {
                return Err(sheet_broken(self.sheet, Some(rows.place())));
            }
            flow => flow?,
        };
        let is_whole = flow.is_continue() && rows.end_row()?.is_continue();
        let most = if is_whole { u64::MAX } else { AFTER_SAMPLE_BYTES };
        find_regions(self.part.into_bytes(), most, &mut self.facts)?;
        Ok(self.facts)
    }

    /// Goes to the first row, past the columns. False where the part has no rows: a chart.
    fn find_rows(&mut self) -> Result<bool, WorkbookFault> {
        loop {
            match self.part.event()? {
                Event::Start(element) | Event::Empty(element)
                    if element.local_name().as_ref() == "col" =>
                {
                    let (mut first, mut last, mut is_hidden) = (None, None, false);
                    for (name, value) in attributes(&element) {
                        match name {
                            "min" => first = value.parse::<u32>().ok(),
                            "max" => last = value.parse::<u32>().ok(),
                            "hidden" => is_hidden = is_true(value),
                            _ => {}
                        }
                    }
                    if let (Some(first @ 1..), Some(last), true) = (first, last, is_hidden) {
                        self.facts.hidden_columns.push((first - 1, last.saturating_sub(1)));
                    }
                }
                Event::Start(element) if element.local_name().as_ref() == "sheetData" => {
                    return Ok(true);
                }
                Event::Empty(element) if element.local_name().as_ref() == "sheetData" => {
                    return Ok(false);
                }
                Event::Eof => return Ok(false),
                _ => {}
            }
        }
    }

    fn read_rows(
        &mut self,
        rows: &mut RowGatherer<'_>,
        results: &mut FormulaResults,
    ) -> Result<ControlFlow<()>, WorkbookFault> {
        loop {
            match self.part.event()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "c" => {
                        let head = cell_head(&element);
                        if self.read_cell(head, rows, results)?.is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                    "row" => {
                        let (number, is_hidden) = row_head(&element);
                        self.begin_row(number, is_hidden, rows);
                    }
                    _ => {}
                },
                Event::Empty(element) => match element.local_name().as_ref() {
                    // A cell without a value: a border, a colour.
                    "c" => {
                        let head = cell_head(&element);
                        self.place(head)?;
                    }
                    "row" => {
                        let (number, is_hidden) = row_head(&element);
                        self.begin_row(number, is_hidden, rows);
                        self.end_row();
                    }
                    _ => {}
                },
                Event::End(element) => match element.local_name().as_ref() {
                    "row" => self.end_row(),
                    "sheetData" => return Ok(ControlFlow::Continue(())),
                    _ => {}
                },
                Event::Eof => return Err(self.part.breaks_off("sheetData")),
                _ => {}
            }
        }
    }

    fn begin_row(&mut self, number: Option<u32>, is_hidden: bool, rows: &mut RowGatherer<'_>) {
        if let Some(number) = number {
            self.row = number.saturating_sub(1);
        }
        if is_hidden {
            rows.hide(self.row);
        }
    }

    fn end_row(&mut self) {
        self.row = self.row.saturating_add(1);
        self.column = 0;
    }

    /// Where the cell stands; the next one without a place stands to the right of it.
    fn place(&mut self, head: CellHead) -> Result<(u32, u32), WorkbookFault> {
        if head.has_bad_place {
            let row = u64::from(self.row) + 1;
            let sheet = self.sheet;
            return Err(corrupt(format_args!("a cell of row {row} of sheet `{sheet}` is nowhere")));
        }
        let (row, column) = head.place.unwrap_or((self.row, self.column));
        self.column = column.saturating_add(1);
        Ok((row, column))
    }

    fn read_cell(
        &mut self,
        head: CellHead,
        rows: &mut RowGatherer<'_>,
        results: &mut FormulaResults,
    ) -> Result<ControlFlow<()>, WorkbookFault> {
        let place = self.place(head)?;
        let (mut is_formula, mut has_value) = (false, false);
        self.value.clear();
        loop {
            match self.part.event()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "v" if head.kind == CellType::Inline => self.part.skip("v")?,
                    "v" => {
                        self.value.clear();
                        self.part.text("v", &mut self.value)?;
                        // The empty text of a formula is a value, an empty number is none.
                        has_value |= !self.value.is_empty() || head.kind == CellType::FormulaText;
                    }
                    "f" => {
                        is_formula = true;
                        self.part.skip("f")?;
                    }
                    "is" => {
                        self.value.clear();
                        read_rich(&mut self.part, "is", &mut self.value, &mut self.scratch)?;
                        has_value = true;
                    }
                    _ => {}
                },
                Event::Empty(element) => match element.local_name().as_ref() {
                    "f" => is_formula = true,
                    "v" => has_value |= head.kind == CellType::FormulaText,
                    _ => {}
                },
                Event::End(element) if element.local_name().as_ref() == "c" => break,
                Event::Eof => return Err(self.part.breaks_off("c")),
                _ => {}
            }
        }
        if head.kind == CellType::FormulaText && self.value.contains("_x") {
            self.scratch.clear();
            push_unescaped(&self.value, &mut self.scratch);
            std::mem::swap(&mut self.value, &mut self.scratch);
        }
        let (mut value, shown) = match (has_value, is_formula) {
            (true, _) => self.value_of(head, is_formula),
            (false, true) => (CellValue::NoStored, Shown::Plain),
            (false, false) => (CellValue::Empty, Shown::Plain),
        };
        if is_formula && results.is_placeholder(value, || (self.book.all_are_zero)())? {
            value = CellValue::NoStored;
        }
        rows.cell(place, value, shown)
    }

    fn value_of(&self, head: CellHead, is_formula: bool) -> (CellValue<'_>, Shown<'_>) {
        let text = self.value.as_str();
        let value = match head.kind {
            CellType::SharedString => {
                let index = text.trim_ascii().parse().ok();
                match index.and_then(|index| self.book.strings.get(index)) {
                    Some(text) => CellValue::Text(text),
                    None => CellValue::Error(text),
                }
            }
            CellType::Unsaid | CellType::Number => match number(text) {
                Some(number) => return self.number_of(number, head.style, is_formula),
                None if head.kind == CellType::Unsaid => CellValue::Text(text),
                None => CellValue::Error(text),
            },
            CellType::Boolean => match text.trim_ascii() {
                "" => CellValue::Empty,
                "0" | "false" | "FALSE" | "False" => CellValue::Boolean(false),
                "1" | "true" | "TRUE" | "True" => CellValue::Boolean(true),
                _ => CellValue::Error(text),
            },
            CellType::Error | CellType::Unknown => CellValue::Error(text),
            CellType::FormulaText | CellType::Inline => CellValue::Text(text),
            CellType::Day => CellValue::Iso(text),
        };
        (value, Shown::Plain)
    }

    fn number_of(
        &self,
        number: f64,
        style: Option<usize>,
        is_formula: bool,
    ) -> (CellValue<'_>, Shown<'_>) {
        match style.and_then(|style| self.book.formats.get(style)) {
            Some(format) => formatted(number, format, is_formula, self.book.is_1904),
            None => (CellValue::Number(number), Shown::Plain),
        }
    }
}

/// A number of a cell with a format.
fn formatted(
    number: f64,
    format: &NumberFormat,
    is_formula: bool,
    is_1904: bool,
) -> (CellValue<'static>, Shown<'_>) {
    let serial = |kind| CellValue::Serial(ExcelDateTime::new(number, kind, is_1904));
    let value = match format.kind() {
        NumberKind::General | NumberKind::Number => CellValue::Number(number),
        NumberKind::Day { .. } => serial(ExcelDateTimeType::DateTime),
        NumberKind::Duration => serial(ExcelDateTimeType::TimeDelta),
    };
    (value, value.shown_by(Some(format), is_formula))
}

/// True where no formula of the sheet has a result other than 0.
pub(super) fn has_no_result(part: &mut PackagePart<'_>) -> Result<bool, WorkbookFault> {
    let (mut is_formula, mut is_number, mut value) = (false, true, String::new());
    loop {
        match part.event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "c" => {
                    let kind = cell_head(&element).kind;
                    is_number = matches!(kind, CellType::Unsaid | CellType::Number);
                    is_formula = false;
                    value.clear();
                }
                "f" => {
                    is_formula = true;
                    part.skip("f")?;
                }
                "v" => part.text("v", &mut value)?,
                _ => {}
            },
            Event::Empty(element) => is_formula |= element.local_name().as_ref() == "f",
            Event::End(element) => match element.local_name().as_ref() {
                "c" => {
                    let is_zero = is_number && number(&value) == Some(0.0);
                    if is_formula && !value.is_empty() && !is_zero {
                        return Ok(false);
                    }
                }
                "sheetData" => return Ok(true),
                _ => {}
            },
            Event::Eof => return Ok(true),
            _ => {}
        }
    }
}

/// The number of a row and whether it is hidden.
fn row_head(element: &BytesStart<'_>) -> (Option<u32>, bool) {
    let (mut number, mut is_hidden) = (None, false);
    for (name, value) in attributes(element) {
        match name {
            "r" => number = value.parse().ok(),
            "hidden" => is_hidden = is_true(value),
            _ => {}
        }
    }
    (number, is_hidden)
}

fn cell_head(element: &BytesStart<'_>) -> CellHead {
    let mut head =
        CellHead { place: None, style: None, kind: CellType::Unsaid, has_bad_place: false };
    for (name, value) in attributes(element) {
        match name {
            "r" => {
                head.place = place(value);
                head.has_bad_place = head.place.is_none();
            }
            "s" => head.style = value.parse().ok(),
            "t" => {
                head.kind = match value {
                    "n" => CellType::Number,
                    "s" => CellType::SharedString,
                    "b" => CellType::Boolean,
                    "e" => CellType::Error,
                    "str" => CellType::FormulaText,
                    "inlineStr" | "is" => CellType::Inline,
                    "d" => CellType::Day,
                    _ => CellType::Unknown,
                }
            }
            _ => {}
        }
    }
    head
}

/// A number as XML writes it; not what only Rust would take, such as `inf`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim_ascii();
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_xml() {
        assert_eq!(number(" 7.4999999999999997E-2"), Some(0.075));
        assert_eq!(number("-1"), Some(-1.0));
        for bad in ["", "NaN", "inf", "1,5", "0x1", "e"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }
}
