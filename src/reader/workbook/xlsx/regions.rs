//! Merged areas, which a sheet lists behind its rows. Knows no cell.

use std::io::Read;

use memchr::memmem::Finder;

use super::xml::PartBytes;
use crate::reader::error::WorkbookFault;
use crate::reader::merged::Region;
use crate::reader::spool::SheetFacts;

/// Bytes of a tag `mergeCell` at most.
const TAG_BYTES: usize = 256;

/// Looks for the merged areas, which stand behind the rows, in at most `most` bytes. What cannot be
/// read there is not needed for the rows.
pub(super) fn find_regions(
    bytes: PartBytes<'_>,
    most: u64,
    facts: &mut SheetFacts,
) -> Result<(), WorkbookFault> {
    let finder = Finder::new(b"mergeCell ");
    let mut bytes = bytes.take(most);
    let (mut window, mut filled) = (vec![0_u8; 256 << 10], 0_usize);
    loop {
        let Some(free) = window.get_mut(filled..) else { return Ok(()) };
        let Ok(read) = bytes.read(free) else { return Ok(()) };
        filled += read;
        let is_last = read == 0;
        let seen = window.get(..filled).unwrap_or_default();
        let mut from = 0;
        while let Some(at) = seen.get(from..).and_then(|rest| finder.find(rest)) {
            let tag = seen.get(from + at..).unwrap_or_default();
            let Some(end) =
                memchr::memchr(b'>', tag.get(..TAG_BYTES.min(tag.len())).unwrap_or_default())
            else {
                // The tag goes on behind the window.
                if tag.len() < TAG_BYTES && !is_last {
                    from += at;
                    break;
                }
                from += at + 1;
                continue;
            };
            if let Some(region) = tag.get(..end).and_then(region) {
                facts.add_merged(region)?;
            }
            from += at + end;
        }
        if is_last {
            return Ok(());
        }
        // What may be the beginning of a tag stays.
        let kept = from.max(filled.saturating_sub(TAG_BYTES));
        window.copy_within(kept..filled, 0);
        filled -= kept;
    }
}

/// The area that a tag `mergeCell` names.
fn region(tag: &[u8]) -> Option<Region> {
    let tag = std::str::from_utf8(tag).ok()?;
    let (_, rest) = tag.split_once("ref=")?;
    let quote = rest.chars().next().filter(|sign| matches!(sign, '"' | '\''))?;
    let (area, _) = rest.get(1..)?.split_once(quote)?;
    let (first, last) = area.split_once(':')?;
    let ((first_row, first_column), (last_row, last_column)) = (place(first)?, place(last)?);
    let is_area = first_row <= last_row && first_column <= last_column;
    is_area.then_some(Region { first_row, last_row, first_column, last_column })
}

/// Row and column of a place such as `AB12`, from 0.
pub(super) fn place(text: &str) -> Option<(u32, u32)> {
    let (mut row, mut column) = (0_u32, 0_u32);
    let mut bytes = text.bytes().peekable();
    while let Some(letter) = bytes.next_if(u8::is_ascii_alphabetic) {
        let letter = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.checked_mul(26)?.checked_add(letter)?;
    }
    for digit in bytes {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        row = row.checked_mul(10)?.checked_add(digit)?;
    }
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_from_0() {
        assert_eq!(place("A1"), Some((0, 0)));
        assert_eq!(place("xfd1048576"), Some((1_048_575, 16_383)));
        for bad in ["", "A", "1", "A0", "A1B", "AAAAAAAAA1", "A99999999999", "Ä1"] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }

    #[test]
    fn areas_are_read_from_tags() {
        let area = Region { first_row: 1, last_row: 3, first_column: 0, last_column: 1 };
        assert_eq!(region(b"mergeCell ref=\"A2:B4\"/"), Some(area));
        assert_eq!(region(b"mergeCell x='1' ref='A2:B4' "), Some(area));
        assert_eq!(region(b"mergeCell ref=\"B4:A2\"/"), None);
        assert_eq!(region(b"mergeCell ref=\"A2\"/"), None);
    }
}
