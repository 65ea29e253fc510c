//! The number formats of a workbook's cell styles.

use std::collections::HashMap;

use quick_xml::events::Event;

use super::xml::{PackagePart, attribute};
use crate::reader::error::WorkbookFault;
use crate::reader::workbook::number_format::NumberFormat;

/// What each style of a cell says about numbers, by the cell's `s`.
pub(super) fn read(part: &mut PackagePart<'_>) -> Result<Vec<NumberFormat>, WorkbookFault> {
    let (mut codes, mut formats) = (HashMap::new(), Vec::new());
    let (mut in_codes, mut in_styles) = (false, false);
    loop {
        match part.event()? {
            Event::Start(element) | Event::Empty(element) => match element.local_name().as_ref() {
                "numFmts" => in_codes = true,
                "cellXfs" => in_styles = true,
                "numFmt" if in_codes => {
                    let id = attribute(&element, "numFmtId");
                    if let (Some(id), Some(code)) = (id, attribute(&element, "formatCode")) {
                        codes.insert(id, code);
                    }
                }
                "xf" if in_styles => {
                    let id = attribute(&element, "numFmtId").unwrap_or_default();
                    let own = codes.get(&id).map(|code: &String| NumberFormat::of_code(code));
                    let known = || NumberFormat::of_id(id.parse().unwrap_or_default());
                    formats.push(own.unwrap_or_else(known));
                }
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                "numFmts" => in_codes = false,
                "cellXfs" => in_styles = false,
                _ => {}
            },
            Event::Eof => return Ok(formats),
            _ => {}
        }
    }
}
