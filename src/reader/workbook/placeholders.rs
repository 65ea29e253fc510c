//! Formulas that nobody calculated. Programs that write workbooks leave the results to the
//! spreadsheet that opens them, and store 0 in their place. Nobody wrote that 0.

use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::archive::{self, Archive};
use super::cell::CellValue;
use crate::reader::error::WorkbookFault;

/// What is known about the results of a sheet's formulas. A result other than 0 shows that they
/// were calculated; whether all are 0 is looked up when the first 0 comes.
#[derive(Debug, Default)]
pub(super) struct FormulaResults {
    are_placeholders: Option<bool>,
}

impl FormulaResults {
    /// True for the result of a formula that is no result. `all_are_zero` is called at most once.
    pub(super) fn is_placeholder(
        &mut self,
        result: CellValue<'_>,
        all_are_zero: impl FnOnce() -> Result<bool, WorkbookFault>,
    ) -> Result<bool, WorkbookFault> {
        if self.are_placeholders == Some(false) {
            return Ok(false);
        }
        if !is_zero(result) {
            self.are_placeholders = Some(false);
            return Ok(false);
        }
        if let Some(known) = self.are_placeholders {
            return Ok(known);
        }
        let are = all_are_zero()?;
        self.are_placeholders = Some(are);
        Ok(are)
    }
}

/// True for what a program stores that does not calculate: 0, whatever the cell's format.
pub(super) fn is_zero(result: CellValue<'_>) -> bool {
    match result {
        CellValue::Integer(number) => number == 0,
        CellValue::Number(number) => number == 0.0,
        CellValue::Serial(serial) => serial.as_f64() == 0.0,
        _ => false,
    }
}

/// True for an XLSX workbook that asks the spreadsheet to calculate everything when it opens it,
/// or says nothing of calculation at all (ECMA-376, part 1, 18.2.2). Spreadsheets that calculate
/// describe how they did, and do not ask again.
pub(super) fn wants_calculation(path: &Path) -> Result<bool, WorkbookFault> {
    let mut archive = archive::open(path)?;
    let calculation = calculation(&mut archive)?;
    Ok(calculation.unwrap_or(true))
}

/// What the workbook's part says, which programs call as they like.
fn calculation(archive: &mut Archive) -> Result<Option<bool>, WorkbookFault> {
    let names: Vec<String> =
        archive.file_names().flatten().map(std::borrow::Cow::into_owned).collect();
    for name in names {
        let path = Path::new(&name);
        let is_xml = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml"));
        // The sheets and the string table are the largest parts, and have other elements.
        let lower = name.to_ascii_lowercase();
        if !is_xml || lower.contains("worksheets") || lower.contains("sharedstrings") {
            continue;
        }
        let text = archive::text_of(archive, &name.replace('\\', "/"))?;
        if memchr::memmem::find(text.as_bytes(), b"calcPr").is_some()
            && let Some(asks) = calculation_in(&text)
        {
            return Ok(Some(asks));
        }
    }
    Ok(None)
}

fn calculation_in(text: &str) -> Option<bool> {
    let mut xml = Reader::from_str(text);
    xml.config_mut().check_end_names = false;
    loop {
        match xml.read_event().ok()? {
            Event::Start(element) | Event::Empty(element)
                if element.local_name().as_ref() == "calcPr" =>
            {
                return Some(asks(&element));
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn asks(element: &BytesStart<'_>) -> bool {
    let attribute = element.try_get_attribute("fullCalcOnLoad").ok().flatten();
    attribute.is_some_and(|it| matches!(&*it.value, "1" | "true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(results: &[f64], all_are_zero: bool) -> Vec<bool> {
        let mut seen = FormulaResults::default();
        let mut look_ups = 0;
        let kept = results
            .iter()
            .map(|number| {
                let looked_up = || {
                    look_ups += 1;
                    Ok(all_are_zero)
                };
                !seen.is_placeholder(CellValue::Number(*number), looked_up).unwrap()
            })
            .collect();
        assert!(look_ups <= 1);
        kept
    }

    #[test]
    fn a_zero_counts_when_any_formula_was_calculated() {
        assert_eq!(kept(&[0.0, 0.0], true), [false, false]);
        assert_eq!(kept(&[0.0, 2.5, 0.0], false), [true, true, true]);
        assert_eq!(kept(&[2.5, 0.0], true), [true, true], "nothing is looked up after a result");
    }

    #[test]
    fn a_workbook_says_whether_it_was_calculated() {
        let part = |rest: &str| calculation_in(&format!("<workbook><sheets/>{rest}</workbook>"));
        assert_eq!(part("<calcPr calcId=\"1\" fullCalcOnLoad=\"1\"/>"), Some(true));
        assert_eq!(part("<x:calcPr fullCalcOnLoad='true'></x:calcPr>"), Some(true));
        assert_eq!(part("<calcPr calcId=\"191029\"/>"), Some(false));
        assert_eq!(part(""), None);
    }
}
