//! The failed rows of a job: one file a chunk, read back as one list in the order of the file. Where
//! the files lie is the storage's.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;

use tempfile::TempDir;

use crate::domain::chunk::{FailedPart, FailedRow};
use crate::domain::row_number::RowNumber;

/// The name of the part with the failed rows of one chunk.
pub(super) fn name(part: FailedPart) -> String {
    let FailedPart { chunk, epoch } = part;
    format!("failed/{chunk}-{epoch}.jsonl")
}

/// The rows as a part holds them: one line of JSON each.
pub(super) fn lines(rows: &[FailedRow]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut out, row)?;
        out.write_all(b"\n")?;
    }
    Ok(out)
}

/// The failed rows of a job in the order of the file. Reading blocks.
#[derive(Debug)]
pub struct FailedRows {
    /// Parts that are not open yet with their first row, the earliest last.
    closed: Vec<(RowNumber, PathBuf)>,
    /// The next row of each open part: row number and index in `parts`.
    open: BinaryHeap<Reverse<(RowNumber, usize)>>,
    /// Open parts with the row that is next; `None` once read to the end.
    parts: Vec<Option<(FailedRow, Part)>>,
    /// Copies that go when all is read.
    _copies: Option<TempDir>,
}

impl FailedRows {
    /// The rows of these parts. Only the parts that overlap are open at the same time. Blocks.
    pub(super) fn open(parts: Vec<PathBuf>, copies: Option<TempDir>) -> io::Result<Self> {
        let mut closed = Vec::with_capacity(parts.len());
        for path in parts {
            if let Some(first) = Part::open(&path)?.next_row()? {
                closed.push((first.row_number, path));
            }
        }
        closed.sort_unstable_by_key(|(first_row, _)| Reverse(*first_row));
        Ok(Self { closed, open: BinaryHeap::new(), parts: Vec::new(), _copies: copies })
    }

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
                    Some(slot) => *slot = Some((row, part)),
                    None => self.parts.push(Some((row, part))),
                }
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> io::Result<Option<FailedRow>> {
        self.open_due()?;
        let Some(Reverse((_, index))) = self.open.pop() else { return Ok(None) };
        let Some(slot) = self.parts.get_mut(index) else { return Ok(None) };
        let Some((row, mut part)) = slot.take() else { return Ok(None) };
        if let Some(next) = part.next_row()? {
            self.open.push(Reverse((next.row_number, index)));
            *slot = Some((next, part));
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

    fn failed(number: u32) -> FailedRow {
        let row_number = RowNumber::new(number);
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

    struct Parts(TempDir);

    impl Parts {
        fn write(&self, chunk: u32, rows: &[u32]) {
            let rows: Vec<_> = rows.iter().copied().map(failed).collect();
            fs::write(self.path(chunk), lines(&rows).unwrap()).unwrap();
        }

        fn path(&self, chunk: u32) -> PathBuf {
            self.0.path().join(chunk.to_string())
        }

        fn read(&self, chunks: &[u32]) -> io::Result<FailedRows> {
            FailedRows::open(chunks.iter().map(|chunk| self.path(*chunk)).collect(), None)
        }
    }

    #[test]
    fn parts_of_two_partitions_come_back_in_the_order_of_the_file() {
        let parts = Parts(tempfile::tempdir().unwrap());
        parts.write(0, &[2, 5, 9]);
        parts.write(1, &[3, 4, 30]);
        parts.write(2, &[10, 11]);
        parts.write(3, &[31]);
        parts.write(5, &[1]); // Was rolled back: no job names it.
        let rows = parts.read(&[3, 0, 1, 2]).unwrap();
        let numbers: Vec<_> = rows.map(|row| row.unwrap().row_number.get()).collect();
        assert_eq!(numbers, [2, 3, 4, 5, 9, 10, 11, 30, 31]);
        let mut rows = parts.read(&[0]).unwrap();
        let row = rows.next().unwrap().unwrap();
        assert_eq!(row.cells, ["", "a\nb"]);
        assert_eq!(row.errors[0].code, RowCode::Required);
    }

    #[test]
    fn a_missing_part_is_an_error_and_not_a_shorter_list() {
        assert!(Parts(tempfile::tempdir().unwrap()).read(&[0]).is_err());
    }

    #[test]
    fn only_overlapping_parts_are_open() {
        let parts = Parts(tempfile::tempdir().unwrap());
        for chunk in 0..200 {
            parts.write(chunk, &[chunk * 10, chunk * 10 + 1, chunk * 10 + 2]);
        }
        let chunks: Vec<u32> = (0..200).collect();
        let mut rows = parts.read(&chunks).unwrap();
        let mut seen = 0;
        while let Some(row) = rows.next() {
            row.unwrap();
            seen += 1;
            assert!(rows.parts.len() <= 2, "{} open", rows.parts.len());
        }
        assert_eq!(seen, 600);
    }
}
