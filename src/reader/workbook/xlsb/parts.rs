//! Which part of an XLSB package holds a sheet.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::records::{XlsbRecords, text};
use crate::reader::error::WorkbookFault;
use crate::reader::workbook::archive::{self, Archive};

/// `BrtBundleSh`: a sheet's name and relation.
const SHEET: u32 = 0x009C;
const END_OF_SHEETS: u32 = 0x0090;

/// The place of the sheet's part in the archive.
pub(super) fn part_of(archive: &mut Archive, sheet: &str) -> Result<Option<usize>, WorkbookFault> {
    let Some(book) = archive::entry_named(archive, "xl/workbook.bin") else { return Ok(None) };
    let mut relation = None;
    let mut records = XlsbRecords::new(archive.by_index(book).map_err(archive::from_zip)?);
    while let Some((kind, body)) = records.next() {
        if kind == END_OF_SHEETS {
            break;
        }
        if kind == SHEET
            && let Some((id, after)) = text(body, 8)
            && text(body, after).is_some_and(|(name, _)| name == sheet)
        {
            relation = Some(id);
            break;
        }
    }
    drop(records);
    let Some(relation) = relation else { return Ok(None) };
    let relations = archive::text_of(archive, "xl/_rels/workbook.bin.rels")?;
    let Some(target) = target_of(&relations, &relation) else { return Ok(None) };
    let path = match target.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None => format!("xl/{target}"),
    };
    Ok(archive::entry_named(archive, &path))
}

/// The part that the relation `id` leads to (ECMA-376, part 2, 9.3).
fn target_of(relations: &str, id: &str) -> Option<String> {
    let mut xml = Reader::from_str(relations);
    xml.config_mut().expand_empty_elements = true;
    loop {
        match xml.read_event().ok()? {
            Event::Start(element) if element.local_name().as_ref() == "Relationship" => {
                let of = |name| {
                    let attribute = element.try_get_attribute(name).ok().flatten()?;
                    Some(attribute.value.into_owned())
                };
                if of("Id").is_some_and(|it| it == id) {
                    return of("Target");
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}
