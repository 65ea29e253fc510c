//! What is inside a ZIP archive, and whether it may be opened, by its directory alone. What the
//! parts really inflate to is left to the limits of the process: on memory, time and output.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::fault::{corrupt, unreadable};
use crate::domain::detected::Format;
use crate::reader::error::WorkbookFault;

/// Parts of an archive. Workbooks have tens, with many pictures hundreds.
const ENTRIES_MAX: usize = 2_000;

/// Bytes that all parts may inflate to, as the directory says. A million rows of thirty columns take
/// a third of it.
const TOTAL_BYTES_MAX: u64 = 4 << 30;

/// Inflated bytes of a part that is looked into for its kind.
const KIND_BYTES_MAX: u64 = 1 << 20;

const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";

pub(crate) type Archive = ZipArchive<BufReader<File>>;

/// Opens the archive and looks at its directory.
pub(crate) fn open(path: &Path) -> Result<Archive, WorkbookFault> {
    let file = File::open(path).map_err(unreadable)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(from_zip)?;
    if archive.len() > ENTRIES_MAX {
        return Err(WorkbookFault::Expands {
            detail: format!("it has {} parts, {ENTRIES_MAX} are the most", archive.len()),
        });
    }
    let mut inflated = 0_u64;
    for index in 0..archive.len() {
        inflated = inflated.saturating_add(archive.by_index_raw(index).map_err(from_zip)?.size());
    }
    if inflated > TOTAL_BYTES_MAX {
        let detail = format!("its parts inflate to more than {} MiB", TOTAL_BYTES_MAX >> 20);
        return Err(WorkbookFault::Expands { detail });
    }
    Ok(archive)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(crate) fn from_zip(error: ZipError) -> WorkbookFault {
    let locked = matches!(
        error,
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword
    );
    if locked { WorkbookFault::Password } else { corrupt("its archive is cut off or broken") }
}

/// Finds a part by its name, whatever its letter case and slashes.
pub(super) fn entry_named(archive: &Archive, wanted: &str) -> Option<usize> {
    (0..archive.len()).find(|index| {
        let name = archive.name_for_index(*index).and_then(Result::ok);
        name.is_some_and(|name| name.replace('\\', "/").eq_ignore_ascii_case(wanted))
    })
}

pub(super) fn text_of(archive: &mut Archive, name: &str) -> Result<String, WorkbookFault> {
    let Some(index) = entry_named(archive, name) else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    let part = archive.by_index(index).map_err(from_zip)?;
    part.take(KIND_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|_| corrupt(format_args!("its part `{name}` is broken")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Some programs leave out the part `mimetype`. What the manifest says of the whole archive is the
/// same, and the content begins as that of a spreadsheet.
fn is_ods_without_kind(archive: &mut Archive) -> Result<bool, WorkbookFault> {
    let manifest = text_of(archive, "META-INF/manifest.xml")?;
    Ok(memchr::memmem::find(manifest.as_bytes(), ODS.as_bytes()).is_some()
        || text_of(archive, "content.xml")?.contains("<office:spreadsheet"))
}

/// Says which spreadsheet format the archive is.
pub(crate) fn format(archive: &mut Archive) -> Result<Format, WorkbookFault> {
    let kind = text_of(archive, "mimetype")?;
    let kind = kind.trim();
    if kind.strip_suffix("-template").unwrap_or(kind) == ODS {
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
    } else if kind.is_empty() && is_ods_without_kind(archive)? {
        return Ok(Format::Ods);
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
