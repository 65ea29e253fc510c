//! The directory of a compound file (MS-CFB 2.6): which streams there are tells an XLS workbook
//! from an encrypted one and from a Word document.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::fault::{corrupt, unreadable};
use crate::domain::detected::Format;
use crate::reader::error::WorkbookFault;

/// Sectors of the directory that are read; each has at least four entries.
const DIRECTORY_SECTORS_MAX: usize = 256;

/// Sector numbers from here on are marks, not sectors.
const LAST_SECTOR: u32 = 0xFFFF_FFFA;

/// FAT sectors that the header itself names.
const HEADER_DIFAT: usize = 109;

struct Compound {
    file: File,
    sector_bytes: u64,
    header: [u8; 512],
}

/// Says what the compound file at `path` is.
pub(crate) fn format(path: &Path) -> Result<Format, WorkbookFault> {
    let streams = Compound::open(path)?.streams()?;
    let has = |name: &str| streams.iter().any(|stream| stream.eq_ignore_ascii_case(name));
    let found = if has("EncryptedPackage") {
        return Err(WorkbookFault::Password);
    } else if has("Workbook") || has("Book") {
        return Ok(Format::Xls);
    } else if has("WordDocument") {
        "a Word document"
    } else if has("PowerPoint Document") {
        "a PowerPoint presentation"
    } else if streams.iter().any(|stream| stream.starts_with("__substg1.0")) {
        "an Outlook message"
    } else {
        "an Office file without a workbook"
    };
    Err(WorkbookFault::Unsupported { found: found.to_owned() })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

impl Compound {
    fn open(path: &Path) -> Result<Self, WorkbookFault> {
        let mut file = File::open(path).map_err(unreadable)?;
        let mut header = [0; 512];
        file.read_exact(&mut header).map_err(|_| corrupt("its header is cut off"))?;
        let sector_bytes = match header.get(30) {
            Some(9) => 512,
            Some(12) => 4096,
            _ => return Err(corrupt("its header names an unknown sector size")),
        };
        Ok(Self { file, sector_bytes, header })
    }

    fn read(&mut self, sector: u32) -> Result<Vec<u8>, WorkbookFault> {
        let offset = (u64::from(sector) + 1) * self.sector_bytes;
        self.file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
        let mut bytes = Vec::new();
        (&self.file).take(self.sector_bytes).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() < 128 {
            return Err(corrupt("a sector of its directory is past the end of the file"));
        }
        Ok(bytes)
    }

    /// The sector after `sector` in its chain.
    fn next(&mut self, sector: u32) -> Result<u32, WorkbookFault> {
        let per_sector = u32::try_from(self.sector_bytes / 4).unwrap_or(128);
        let fat_index = (sector / per_sector) as usize;
        let fat_sector = self.fat_sector(fat_index)?;
        let fat = self.read(fat_sector)?;
        number(&fat, (sector % per_sector) as usize * 4)
            .ok_or_else(|| corrupt("its allocation table is cut off"))
    }

    /// The sector that holds part `index` of the allocation table.
    fn fat_sector(&mut self, mut index: usize) -> Result<u32, WorkbookFault> {
        let broken = || corrupt("its allocation table is broken");
        if index < HEADER_DIFAT {
            return number(&self.header, 76 + index * 4).ok_or_else(broken);
        }
        index -= HEADER_DIFAT;
        let per_sector = usize::try_from(self.sector_bytes / 4).unwrap_or(128) - 1;
        let mut sector = number(&self.header, 68).ok_or_else(broken)?;
        while index >= per_sector {
            index -= per_sector;
            sector = number(&self.read(sector)?, per_sector * 4).ok_or_else(broken)?;
        }
        number(&self.read(sector)?, index * 4).ok_or_else(broken)
    }

    /// The names of all entries of the directory.
    fn streams(&mut self) -> Result<Vec<String>, WorkbookFault> {
        let mut names = Vec::new();
        let mut sector = number(&self.header, 48).unwrap_or(u32::MAX);
        for _ in 0..DIRECTORY_SECTORS_MAX {
            if sector >= LAST_SECTOR {
                break;
            }
            for entry in self.read(sector)?.chunks_exact(128) {
                names.push(name(entry));
            }
            sector = self.next(sector)?;
        }
        Ok(names)
    }
}

fn name(entry: &[u8]) -> String {
    let units = entry.chunks_exact(2).take(32).map_while(|pair| {
        let unit = u16::from_le_bytes([*pair.first()?, *pair.get(1)?]);
        (unit != 0).then_some(unit)
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{FFFD}')).collect()
}
