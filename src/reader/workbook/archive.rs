//! What is inside a ZIP archive, and whether it may be opened: bytes are counted as they really
//! inflate, never as the archive claims them.
//!
//! The string table and everything of an ODS is read as a whole by calamine and is checked before;
//! sheets are streamed, so their check runs beside the conversion ([`watch`]).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use memchr::memmem;
use zip::ZipArchive;
use zip::result::ZipError;

use super::corrupt;
use crate::domain::detected::Format;
use crate::reader::error::WorkbookFault;

/// Parts of an archive. Workbooks have tens, with many pictures hundreds.
const ENTRIES_MAX: usize = 2_000;

/// Inflated bytes of all parts. A million rows of thirty columns take a third of it.
const TOTAL_BYTES_MAX: u64 = 4 << 30;

/// Inflated bytes of the string table.
const STRINGS_BYTES_MAX: u64 = 512 << 20;

/// Bytes from one `<` to the next: no cell of a spreadsheet has more than 32,767 characters.
const RUN_BYTES_MAX: usize = 1 << 20;

/// Inflated bytes of a part that is looked into for its kind.
const KIND_BYTES_MAX: u64 = 1 << 20;

/// Memory of one string of the table besides its text.
const STRING_BYTES: u64 = 56;

pub(crate) type Archive = ZipArchive<BufReader<File>>;

/// An archive, and the bytes that its parts claim to inflate to.
pub(crate) struct Opened {
    pub(crate) archive: Archive,
    pub(crate) claimed_bytes: u64,
}

/// Opens the archive and looks at its directory.
pub(crate) fn open(path: &Path) -> Result<Opened, WorkbookFault> {
    let file = File::open(path).map_err(super::unreadable)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(from_zip)?;
    if archive.len() > ENTRIES_MAX {
        return Err(WorkbookFault::Expands {
            detail: format!("it has {} parts, {ENTRIES_MAX} are the most", archive.len()),
        });
    }
    let mut claimed = 0_u64;
    for index in 0..archive.len() {
        claimed = claimed.saturating_add(archive.by_index_raw(index).map_err(from_zip)?.size());
    }
    if claimed > TOTAL_BYTES_MAX {
        return Err(expands("all parts", TOTAL_BYTES_MAX));
    }
    Ok(Opened { archive, claimed_bytes: claimed })
}

pub(crate) fn from_zip(error: ZipError) -> WorkbookFault {
    let locked = matches!(
        error,
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword
    );
    if locked { WorkbookFault::Password } else { corrupt(error) }
}

fn expands(part: &str, bound: u64) -> WorkbookFault {
    WorkbookFault::Expands { detail: format!("{part} inflate to more than {} MiB", bound >> 20) }
}

/// Finds the name of a part whatever its letter case and slashes.
fn entry_named(archive: &Archive, wanted: &str) -> Option<usize> {
    (0..archive.len()).find(|index| {
        let name = archive.name_for_index(*index).and_then(Result::ok);
        name.is_some_and(|name| name.replace('\\', "/").eq_ignore_ascii_case(wanted))
    })
}

fn text_of(archive: &mut Archive, name: &str) -> Result<String, WorkbookFault> {
    let Some(index) = entry_named(archive, name) else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    let part = archive.by_index(index).map_err(from_zip)?;
    part.take(KIND_BYTES_MAX).read_to_end(&mut bytes).map_err(corrupt)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Says which spreadsheet format the archive is.
pub(crate) fn format(archive: &mut Archive) -> Result<Format, WorkbookFault> {
    let kind = text_of(archive, "mimetype")?;
    let kind = kind.trim();
    if kind == "application/vnd.oasis.opendocument.spreadsheet" {
        return Ok(Format::Ods);
    }
    let types = text_of(archive, "[Content_Types].xml")?.to_ascii_lowercase();
    let found = if entry_named(archive, "xl/workbook.bin").is_some()
        || types.contains("sheet.binary.macroenabled.main")
    {
        return Ok(Format::Xlsb);
    } else if entry_named(archive, "xl/workbook.xml").is_some()
        || types.contains("spreadsheetml.sheet.main")
        || types.contains("spreadsheetml.template.main")
        || types.contains("ms-excel.sheet.macroenabled.main")
        || types.contains("ms-excel.template.macroenabled.main")
    {
        return Ok(Format::Xlsx);
    } else if kind.starts_with("application/vnd.oasis.opendocument") {
        "an OpenDocument file that is no spreadsheet"
    } else if types.contains("wordprocessingml") {
        "a Word document"
    } else if types.contains("presentationml") {
        "a PowerPoint presentation"
    } else if kind == "application/epub+zip" {
        "an EPUB book"
    } else {
        "a ZIP archive without a workbook"
    };
    Err(WorkbookFault::Unsupported { found: found.to_owned() })
}

/// Refuses an ODS whose parts are encrypted (OpenDocument 1.3, part 2, 4.8.4), before anybody takes
/// their bytes for damaged XML.
pub(crate) fn check_protection(archive: &mut Archive, format: Format) -> Result<(), WorkbookFault> {
    let is_encrypted = format == Format::Ods
        && text_of(archive, "META-INF/manifest.xml")?.contains("encryption-data");
    if is_encrypted { Err(WorkbookFault::Password) } else { Ok(()) }
}

/// Checks the parts that calamine reads as a whole when it opens the workbook.
pub(crate) fn check_whole_parts(
    archive: &mut Archive,
    format: Format,
    memory_bytes: u64,
) -> Result<(), WorkbookFault> {
    if format == Format::Ods
        && text_of(archive, "META-INF/manifest.xml")?.contains("encryption-data")
    {
        return Err(WorkbookFault::Password);
    }
    let mut total = 0;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(from_zip)?;
        let name = part.name().map_err(from_zip)?.to_ascii_lowercase();
        if format == Format::Ods {
            let is_xml = name == "content.xml";
            total += scan(part, is_xml, TOTAL_BYTES_MAX - total, "all parts")?.inflated;
        } else if name.replace('\\', "/").ends_with("sharedstrings.xml") {
            let seen = scan(part, true, STRINGS_BYTES_MAX, "the shared strings")?;
            check_strings(&seen, memory_bytes)?;
        } else if name.ends_with("sharedstrings.bin") {
            scan(part, false, STRINGS_BYTES_MAX, "the shared strings")?;
        }
    }
    Ok(())
}

fn check_strings(seen: &Scan, memory_bytes: u64) -> Result<(), WorkbookFault> {
    // The shortest string, `<si/>`, has five bytes.
    if let Some(claimed) = seen.unique_count.filter(|count| *count > seen.inflated / 5 + 1) {
        return Err(corrupt(format_args!(
            "the string table claims {claimed} strings in {} bytes",
            seen.inflated
        )));
    }
    let needed = seen.strings.max(seen.unique_count.unwrap_or(0)) * STRING_BYTES + seen.inflated;
    if needed > memory_bytes / 4 * 3 {
        return Err(WorkbookFault::Expands {
            detail: format!(
                "the shared strings take about {} MiB of the memory limit of {} MiB",
                needed >> 20,
                memory_bytes >> 20
            ),
        });
    }
    Ok(())
}

/// Inflates every part that [`check_whole_parts`] left out, beside the conversion.
pub(crate) fn watch(path: &Path) -> Result<(), WorkbookFault> {
    let mut archive = open(path)?.archive;
    let mut total = 0;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(from_zip)?;
        let name = part.name().map_err(from_zip)?.replace('\\', "/").to_ascii_lowercase();
        if name.ends_with("sharedstrings.xml") {
            continue;
        }
        // Only what calamine parses: other parts may hold long texts in good faith.
        let is_xml = name.rsplit('.').next() == Some("xml")
            && !["customxml/", "docprops/", "/media/", "/drawings/", "/charts/", "/pivot"]
                .iter()
                .any(|folder| name.contains(folder));
        total += scan(part, is_xml, TOTAL_BYTES_MAX - total, "all parts")?.inflated;
    }
    Ok(())
}

/// What a part really holds.
#[derive(Debug, Default)]
struct Scan {
    inflated: u64,
    strings: u64,
    unique_count: Option<u64>,
}

fn scan(
    mut part: impl Read,
    is_xml: bool,
    bound: u64,
    what: &'static str,
) -> Result<Scan, WorkbookFault> {
    let strings = memmem::Finder::new(b"<si>");
    let mut buffer = vec![0_u8; 256 << 10];
    let mut seen = Scan::default();
    let mut run = 0;
    loop {
        let count = part.read(&mut buffer).map_err(corrupt)?;
        if count == 0 {
            return Ok(seen);
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        if is_xml {
            if seen.inflated == 0 {
                seen.unique_count = unique_count(bytes);
            }
            if memmem::find(bytes, b"<!DOCTYPE").is_some() {
                return Err(corrupt("a part declares a DOCTYPE, which workbooks do not"));
            }
            seen.strings += strings.find_iter(bytes).count() as u64;
            run = longest_run(bytes, run)?;
        }
        seen.inflated += count as u64;
        if seen.inflated > bound {
            return Err(expands(what, bound));
        }
    }
}

/// Follows the distance between `<` signs; gives the one that is open at the end.
fn longest_run(bytes: &[u8], open: usize) -> Result<usize, WorkbookFault> {
    let fault = || WorkbookFault::Expands {
        detail: format!("a single text has more than {} KiB", RUN_BYTES_MAX >> 10),
    };
    let (mut run, mut last) = (open, 0);
    for position in memchr::memchr_iter(b'<', bytes) {
        if run + position - last > RUN_BYTES_MAX {
            return Err(fault());
        }
        (run, last) = (0, position);
    }
    run += bytes.len() - last;
    if run > RUN_BYTES_MAX { Err(fault()) } else { Ok(run) }
}

/// The string table's own claim, for which calamine would reserve memory.
fn unique_count(start: &[u8]) -> Option<u64> {
    let at = memmem::find(start, b"uniqueCount")? + b"uniqueCount".len();
    let rest = start.get(at..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let digits = rest.get(1..)?.trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let digits = std::str::from_utf8(digits.get(..end)?).ok()?;
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claim_of_a_string_table_is_read_in_any_spelling() {
        assert_eq!(unique_count(b"<sst count=\"3\" uniqueCount=\"12\">"), Some(12));
        assert_eq!(unique_count(b"<sst uniqueCount = '7' >"), Some(7));
        assert_eq!(unique_count(b"<sst uniqueCount=\"99999999999999999999\">"), Some(u64::MAX));
        assert_eq!(unique_count(b"<sst>"), None);
    }

    #[test]
    fn a_long_text_is_found_across_reads() {
        let mut text = b"<a>".to_vec();
        text.extend(vec![b'x'; RUN_BYTES_MAX]);
        text.extend(b"</a>");
        let fault = scan(&text[..], true, u64::MAX, "all").unwrap_err();
        assert_eq!(fault.code().as_str(), "expands_too_large");
        assert!(scan(&text[..], false, u64::MAX, "all").is_ok());
        text.truncate(RUN_BYTES_MAX);
        assert!(scan(&text[..], true, u64::MAX, "all").is_ok());
    }

    #[test]
    fn a_string_table_must_fit_the_memory_and_its_own_claim() {
        let code = |strings, unique_count| {
            let seen = Scan { inflated: 17 << 20, strings, unique_count };
            check_strings(&seen, 1 << 30).err().map(|fault| fault.code().as_str())
        };
        assert_eq!(code(1 << 20, Some(1 << 20)), None);
        assert_eq!(code(1 << 20, Some(1 << 22)), Some("corrupt_workbook"));
        assert_eq!(code(16 << 20, None), Some("expands_too_large"));
    }

    #[test]
    fn bytes_are_counted_as_they_come() {
        let fault = scan(std::io::repeat(b'<').take(5 << 20), true, 4 << 20, "all").unwrap_err();
        assert_eq!(fault.code().as_str(), "expands_too_large");
    }
}
