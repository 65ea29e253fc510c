//! The failed rows of a job: one file a chunk, read back as one list in the order of the file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

use uuid::Uuid;

use super::{Folder, create_private, sync_folder};
use crate::domain::chunk::FailedRow;

impl Folder {
    fn failed_part(&self, uuid: Uuid, chunk_number: u32) -> PathBuf {
        self.upload(uuid).join("failed").join(format!("{chunk_number}.jsonl"))
    }

    /// Writes the failed rows of one chunk, in the order of the file, to stay. A part that is there
    /// already is replaced; without rows nothing is written. Blocks.
    ///
    /// # Errors
    /// What the disk refuses.
    pub fn write_failed_part(
        &self,
        uuid: Uuid,
        chunk_number: u32,
        rows: &[FailedRow],
    ) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let part = self.failed_part(uuid, chunk_number);
        let home = self.upload(uuid).join("failed");
        if !home.is_dir() {
            create_private(&home)?;
            sync_folder(&self.upload(uuid))?;
        }
        let mut out =
            BufWriter::with_capacity(256 << 10, tempfile::NamedTempFile::new_in(self.tmp())?);
        for row in rows {
            serde_json::to_writer(&mut out, row)?;
            out.write_all(b"\n")?;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(part)?;
        sync_folder(&home)
    }

    /// The failed rows of the given chunks in the order of the file. Only the parts that overlap
    /// are open at the same time. Blocks.
    ///
    /// # Errors
    /// A part that is missing or cannot be read.
    pub fn failed_rows(&self, uuid: Uuid, chunk_numbers: &[u32]) -> io::Result<FailedRows> {
        let mut closed = Vec::with_capacity(chunk_numbers.len());
        for number in chunk_numbers {
            let path = self.failed_part(uuid, *number);
            if let Some(first) = Part::open(&path)?.next_row()? {
                closed.push((first.row_number, path));
            }
        }
        closed.sort_unstable_by_key(|(first_row, _)| Reverse(*first_row));
        Ok(FailedRows { closed, open: BinaryHeap::new(), parts: Vec::new() })
    }
}

/// The failed rows of a job in the order of the file. Reading blocks.
#[derive(Debug)]
pub struct FailedRows {
    /// Parts that are not open yet with their first row, the earliest last.
    closed: Vec<(u32, PathBuf)>,
    /// The next row of each open part: row number and index in `parts`.
    open: BinaryHeap<Reverse<(u32, usize)>>,
    /// Open parts with the row that is next; `None` once read to the end.
    parts: Vec<Option<(FailedRow, Part)>>,
}

impl FailedRows {
    /// Opens every part that begins before the next row of those that are open.
    fn open_due(&mut self) -> io::Result<()> {
        while let Some((first_row, path)) = self.closed.last() {
            if self.open.peek().is_some_and(|Reverse((next, _))| next < first_row) {
                break;
            }
            let mut part = Part::open(path)?;
            self.closed.pop();
            if let Some(row) = part.next_row()? {
                let free = self.parts.iter().position(Option::is_none);
                let index = free.unwrap_or(self.parts.len());
                self.open.push(Reverse((row.row_number, index)));
                match self.parts.get_mut(index) {
                    Some(place) => *place = Some((row, part)),
                    None => self.parts.push(Some((row, part))),
                }
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> io::Result<Option<FailedRow>> {
        self.open_due()?;
        let Some(Reverse((_, index))) = self.open.pop() else { return Ok(None) };
        let Some(place) = self.parts.get_mut(index) else { return Ok(None) };
        let Some((row, mut part)) = place.take() else { return Ok(None) };
        if let Some(next) = part.next_row()? {
            self.open.push(Reverse((next.row_number, index)));
            *place = Some((next, part));
        }
        Ok(Some(row))
    }
}

impl Iterator for FailedRows {
    type Item = io::Result<FailedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.advance();
        if row.is_err() {
            self.closed.clear();
            self.open.clear();
        }
        row.transpose()
    }
}

#[derive(Debug)]
struct Part {
    lines: BufReader<File>,
    line: String,
}

impl Part {
    fn open(path: &PathBuf) -> io::Result<Self> {
        let file = fs::File::open(path).map_err(|fault| {
            io::Error::new(fault.kind(), format!("{}: {fault}", path.display()))
        })?;
        Ok(Self { lines: BufReader::with_capacity(32 << 10, file), line: String::new() })
    }

    fn next_row(&mut self) -> io::Result<Option<FailedRow>> {
        self.line.clear();
        if self.lines.read_line(&mut self.line)? == 0 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&self.line)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row_error::{RowCode, RowError};

    fn failed(row_number: u32) -> FailedRow {
        let error = RowError {
            row_number,
            line: u64::from(row_number),
            column: Some("sku".to_owned()),
            code: RowCode::Required,
            message: "the cell is empty".to_owned(),
            value: None,
        };
        FailedRow { row_number, cells: vec![String::new(), "a\nb".to_owned()], errors: vec![error] }
    }

    #[test]
    fn parts_of_two_lanes_come_back_in_the_order_of_the_file() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let uuid = Uuid::new_v4();
        let write = |chunk, rows: &[u32]| {
            let rows: Vec<_> = rows.iter().copied().map(failed).collect();
            folder.write_failed_part(uuid, chunk, &rows).unwrap();
        };
        write(0, &[2, 5, 9]);
        write(1, &[3, 4, 30]);
        write(2, &[10, 11]);
        write(3, &[31]);
        write(4, &[]);
        write(5, &[1]); // Was rolled back: no job names it.
        write(0, &[2, 5, 9]); // Written again after a crash.
        let rows = folder.failed_rows(uuid, &[3, 0, 1, 2]).unwrap();
        let numbers: Vec<_> = rows.map(|row| row.unwrap().row_number).collect();
        assert_eq!(numbers, [2, 3, 4, 5, 9, 10, 11, 30, 31]);
        let mut rows = folder.failed_rows(uuid, &[0]).unwrap();
        let row = rows.next().unwrap().unwrap();
        assert_eq!(row.cells, ["", "a\nb"]);
        assert_eq!(row.errors[0].code, RowCode::Required);
    }

    #[test]
    fn a_missing_part_is_an_error_and_not_a_shorter_list() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        assert!(folder.failed_rows(Uuid::new_v4(), &[0]).is_err());
    }

    #[test]
    fn only_overlapping_parts_are_open() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let uuid = Uuid::new_v4();
        for chunk in 0..200 {
            let rows: Vec<_> = (0..3).map(|row| failed(chunk * 10 + row)).collect();
            folder.write_failed_part(uuid, chunk, &rows).unwrap();
        }
        let chunks: Vec<u32> = (0..200).collect();
        let mut rows = folder.failed_rows(uuid, &chunks).unwrap();
        let mut seen = 0;
        while let Some(row) = rows.next() {
            row.unwrap();
            seen += 1;
            assert!(rows.parts.len() <= 2, "{} open", rows.parts.len());
        }
        assert_eq!(seen, 600);
    }
}
