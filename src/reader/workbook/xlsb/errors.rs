//! The errors of an XLSB sheet that calamine does not hand on: those of formulas, and codes that it
//! does not know (MS-XLSB 2.1.7.62). Reads the records of the sheet's part and keeps only these.

use std::io::{BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::reader::error::WorkbookFault;
use crate::reader::workbook::archive::{self, Archive};

/// `BrtRowHdr`: the cells of the row follow.
const ROW: u32 = 0x0000;
const CELL_ERROR: u32 = 0x0003;
const FORMULA_ERROR: u32 = 0x000B;
const END_OF_CELLS: u32 = 0x0092;
const SHEET: u32 = 0x009C;
const END_OF_SHEETS: u32 = 0x0090;

/// Bytes at the begin of a record that are looked at; those of a sheet hold two names.
const RECORD_BYTES: usize = 1 << 10;

/// The place of a cell, from 0, and what it shows.
pub(super) type ErrorCell = ((u32, u32), &'static str);

/// The error cells of `sheet` that calamine does not give, in the order of the file. What is broken
/// here is broken for calamine too, and it is told when the cells are read.
pub(super) fn find(archive: &mut Archive, sheet: &str) -> Result<Vec<ErrorCell>, WorkbookFault> {
    let mut errors = Vec::new();
    let Some(index) = part_of(archive, sheet)? else { return Ok(errors) };
    let part = archive.by_index(index).map_err(archive::from_zip)?;
    let mut records = XlsbRecords::new(part);
    let mut row = 0;
    while let Some((kind, body)) = records.next() {
        match kind {
            ROW => row = number(body, 0).unwrap_or(row),
            FORMULA_ERROR | CELL_ERROR => {
                let (Some(column), Some(code)) = (number(body, 0), body.get(8)) else { break };
                let known = shown(*code);
                if kind == FORMULA_ERROR || known.is_none() {
                    errors.push(((row, column), known.unwrap_or("#UNKNOWN!")));
                }
            }
            END_OF_CELLS => break,
            _ => {}
        }
    }
    Ok(errors)
}

/// `BErr` (MS-XLSB 2.5.97.2).
fn shown(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        0x2A => "#N/A",
        0x2B => "#GETTING_DATA",
        _ => return None,
    })
}

/// The place of the sheet's part in the archive.
fn part_of(archive: &mut Archive, sheet: &str) -> Result<Option<usize>, WorkbookFault> {
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

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// `XLWideString` at `at`, and where it ends.
fn text(bytes: &[u8], at: usize) -> Option<(String, usize)> {
    let units = usize::try_from(number(bytes, at)?).ok()?;
    let end = units.checked_mul(2)?.checked_add(at + 4)?;
    let units = bytes
        .get(at + 4..end)?
        .chunks_exact(2)
        .filter_map(|pair| pair.first_chunk().map(|pair| u16::from_le_bytes(*pair)));
    Some((char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{FFFD}')).collect(), end))
}

/// The records of a part (MS-XLSB 2.1.4).
struct XlsbRecords<R: Read> {
    part: BufReader<R>,
    body: Vec<u8>,
}

impl<R: Read> XlsbRecords<R> {
    fn new(part: R) -> Self {
        Self { part: BufReader::with_capacity(64 << 10, part), body: Vec::new() }
    }

    /// A number of seven bits a byte, the low ones first.
    fn variable(&mut self, bytes_max: u32) -> Option<u32> {
        let mut number = 0;
        for index in 0..bytes_max {
            let mut byte = [0_u8];
            self.part.read_exact(&mut byte).ok()?;
            let [byte] = byte;
            number |= u32::from(byte & 0x7F) << (7 * index);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Some(number)
    }

    /// The next record's kind and the begin of its body.
    fn next(&mut self) -> Option<(u32, &[u8])> {
        let kind = self.variable(2)?;
        let length = self.variable(4)? as usize;
        self.body.resize(length.min(RECORD_BYTES), 0);
        self.part.read_exact(&mut self.body).ok()?;
        let rest = (length - self.body.len()) as u64;
        let skipped = std::io::copy(&mut self.part.by_ref().take(rest), &mut std::io::sink());
        (skipped.ok()? == rest).then_some((kind, self.body.as_slice()))
    }
}
