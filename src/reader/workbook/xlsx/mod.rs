//! XLSX: the package, its parts, and one pass over the rows of a sheet that sees everything which
//! the sheet says of a cell: value, formula, number format, merged area, hidden row.

mod regions;
mod sheet;
mod strings;
mod styles;
mod xml;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use quick_xml::events::Event;

use self::sheet::SheetReader;
use self::strings::Strings;
use self::xml::{PackagePart, attribute, is_true};
use super::archive::{self, Archive};
use super::fault::corrupt;
use super::number_format::NumberFormat;
use super::placeholders;
use super::rows::RowGatherer;
use crate::reader::error::WorkbookFault;
use crate::reader::spool::SheetFacts;

/// Sheets that a workbook may list.
const SHEETS_MAX: usize = 10_000;

/// A sheet that the workbook lists.
#[derive(Debug, Clone)]
struct SheetEntry {
    name: String,
    is_visible: bool,
    is_worksheet: bool,
    part: String,
}

/// An open workbook.
pub(crate) struct Xlsx {
    path: PathBuf,
    archive: Archive,
    /// Index of each part by its name in lower case with slashes.
    parts: HashMap<String, usize>,
    strings: Strings,
    formats: Vec<NumberFormat>,
    sheets: Vec<SheetEntry>,
    is_1904: bool,
}

/// A relationship of a part.
struct Relationship {
    id: String,
    kind: String,
    target: String,
}

impl Xlsx {
    /// Opens the workbook and reads everything but its sheets.
    pub(crate) fn open(path: &Path) -> Result<Self, WorkbookFault> {
        let archive = archive::open(path)?;
        let parts = (0..archive.len())
            .filter_map(|index| {
                let name = archive.name_for_index(index)?.ok()?;
                Some((part_key(&name), index))
            })
            .collect();
        let mut book = Self {
            path: path.to_owned(),
            archive,
            parts,
            strings: Strings::default(),
            formats: Vec::new(),
            sheets: Vec::new(),
            is_1904: false,
        };
        let workbook = book.workbook_part()?;
        let relationships = book.relationships(&workbook)?;
        // Some programs write the part and forget to say where it is.
        let part_of = |kind: &str, usual: &str| {
            let found = relationships.iter().find(|it| it.kind == kind);
            resolved(&workbook, found.map_or(usual, |it| &it.target))
        };
        let strings = match book.part(&part_of("sharedStrings", "sharedStrings.xml"))? {
            Some(mut part) => Strings::read(&mut part)?,
            None => Strings::default(),
        };
        let formats = match book.part(&part_of("styles", "styles.xml"))? {
            Some(mut part) => styles::read(&mut part)?,
            None => Vec::new(),
        };
        (book.strings, book.formats) = (strings, formats);
        book.read_workbook(&workbook, &relationships)?;
        Ok(book)
    }

    /// The worksheets in the workbook's order, and whether each can be seen; without sheets of
    /// charts, macros and dialogs.
    pub(crate) fn sheets(&self) -> Vec<(String, bool)> {
        let worksheets = self.sheets.iter().filter(|sheet| sheet.is_worksheet);
        worksheets.map(|sheet| (sheet.name.clone(), sheet.is_visible)).collect()
    }

    /// Gives every row of `sheet` that is not blank to `rows`, until they say to stop.
    pub(crate) fn read(
        &mut self,
        sheet: &str,
        rows: &mut RowGatherer<'_>,
    ) -> Result<SheetFacts, WorkbookFault> {
        let entry = self.sheets.iter().find(|entry| entry.is_worksheet && entry.name == sheet);
        let Some(part) = entry.map(|entry| entry.part.clone()) else {
            return Err(corrupt(format_args!("there is no sheet `{sheet}`")));
        };
        let index = self.parts.get(&part_key(&part)).copied();
        let Some(index) = index else {
            return Err(corrupt(format_args!("the part `{part}` of sheet `{sheet}` is missing")));
        };
        let file = self.archive.by_index(index).map_err(archive::from_zip)?;
        let path = &self.path;
        let all_are_zero = || {
            if !placeholders::wants_calculation(path)? {
                return Ok(false);
            }
            let mut archive = archive::open(path)?;
            let file = archive.by_index(index).map_err(archive::from_zip)?;
            sheet::has_no_result(&mut PackagePart::new(&part, file))
        };
        let book = sheet::BookContext {
            strings: &self.strings,
            formats: &self.formats,
            is_1904: self.is_1904,
            all_are_zero: &all_are_zero,
        };
        SheetReader::new(sheet, PackagePart::new(&part, file), book).read(rows)
    }

    fn part(&mut self, name: &str) -> Result<Option<PackagePart<'_>>, WorkbookFault> {
        let Some(index) = self.parts.get(&part_key(name)).copied() else { return Ok(None) };
        let file = self.archive.by_index(index).map_err(archive::from_zip)?;
        Ok(Some(PackagePart::new(name, file)))
    }

    /// The name of the part that the package says is the workbook.
    fn workbook_part(&mut self) -> Result<String, WorkbookFault> {
        let relationships = self.relationships("")?;
        let found = relationships.iter().find(|it| it.kind == "officeDocument");
        let named = found.map(|it| resolved("", &it.target));
        let name = named.unwrap_or_else(|| "xl/workbook.xml".to_owned());
        if self.parts.contains_key(&part_key(&name)) {
            Ok(name)
        } else {
            Err(corrupt("the part with the list of its sheets is missing"))
        }
    }

    /// The relationships of a part; of the package for no name. None where nothing lists them.
    fn relationships(&mut self, of: &str) -> Result<Vec<Relationship>, WorkbookFault> {
        let (folder, file) = of.rsplit_once('/').map_or(("", of), |(folder, file)| (folder, file));
        let slash = if folder.is_empty() { "" } else { "/" };
        let mut found = Vec::new();
        let Some(mut part) = self.part(&format!("{folder}{slash}_rels/{file}.rels"))? else {
            return Ok(found);
        };
        loop {
            match part.event()? {
                Event::Start(element) | Event::Empty(element)
                    if element.local_name().as_ref() == "Relationship" =>
                {
                    let text = |name| attribute(&element, name).unwrap_or_default();
                    let kind = text("Type");
                    found.push(Relationship {
                        id: text("Id"),
                        kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                        target: text("Target"),
                    });
                }
                Event::Eof => return Ok(found),
                _ => {}
            }
        }
    }

    fn read_workbook(
        &mut self,
        workbook: &str,
        relationships: &[Relationship],
    ) -> Result<(), WorkbookFault> {
        let (mut sheets, mut is_1904) = (Vec::new(), false);
        let Some(mut part) = self.part(workbook)? else { return Ok(()) };
        loop {
            match part.event()? {
                Event::Start(element) | Event::Empty(element) => {
                    match element.local_name().as_ref() {
                        "sheet" => {
                            let text = |name| attribute(&element, name).unwrap_or_default();
                            let id = text("id");
                            let relationship = relationships.iter().find(|it| it.id == id);
                            let part = relationship.map(|it| resolved(workbook, &it.target));
                            sheets.push(SheetEntry {
                                name: text("name"),
                                is_visible: matches!(text("state").as_str(), "" | "visible"),
                                is_worksheet: relationship.is_some_and(|it| it.kind == "worksheet"),
                                part: part.unwrap_or_default(),
                            });
                        }
                        "workbookPr" => {
                            let date_1904 = attribute(&element, "date1904");
                            is_1904 |= date_1904.is_some_and(|value| is_true(&value));
                        }
                        _ => {}
                    }
                }
                Event::Eof => break,
                _ => {}
            }
            if sheets.len() > SHEETS_MAX {
                return Err(WorkbookFault::Expands {
                    detail: format!("it lists more than {SHEETS_MAX} sheets"),
                });
            }
        }
        drop(part);
        (self.sheets, self.is_1904) = (sheets, is_1904);
        Ok(())
    }
}

/// A part's name in the form in which equal parts are equal.
fn part_key(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase()
}

/// The name of the part that `target` means in the relationships of the part `of`.
fn resolved(of: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut folders: Vec<&str> = of.split('/').collect();
    folders.pop();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                folders.pop();
            }
            step => folders.push(step),
        }
    }
    folders.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_lead_to_parts() {
        assert_eq!(
            resolved("xl/workbook.xml", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml"
        );
        assert_eq!(resolved("xl/workbook.xml", "/xl/a.xml"), "xl/a.xml");
        assert_eq!(resolved("xl/workbook.xml", "../b.xml"), "b.xml");
        assert_eq!(resolved("", "xl\\workbook.xml"), "xl/workbook.xml");
        assert_eq!(part_key("XL\\Worksheets/Sheet1.XML"), "xl/worksheets/sheet1.xml");
    }
}
