//! The bytes of a JSON text: passes over white space, counts lines, and finds the end of a value
//! without keeping more of it than is asked for.

use std::io::BufRead;

use crate::reader::error::ReadError;

#[derive(Debug)]
pub(super) struct Input<R> {
    bytes: R,
    /// The line of the next byte, from 1.
    pub(super) line: u64,
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(bytes: R) -> Self {
        Self { bytes, line: 1 }
    }

    /// The next byte that is no white space; it is not taken. Nothing at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            let bytes = self.bytes.fill_buf().map_err(ReadError::io("read the file"))?;
            let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let blanks = bytes.iter().take_while(is_blank).count();
            let found = bytes.get(blanks).copied();
            let is_end = bytes.is_empty();
            self.line += lines(bytes.get(..blanks).unwrap_or_default());
            self.bytes.consume(blanks);
            if found.is_some() || is_end {
                return Ok(found);
            }
        }
    }

    /// Passes over the byte that [`peek`](Self::peek) gave.
    pub(super) fn pass(&mut self) {
        self.bytes.consume(1);
    }

    /// Takes the value that begins with the next byte; `text` gets at most `bytes_max` of its bytes.
    /// Gives their number; 0 when no value begins here.
    pub(super) fn value(
        &mut self,
        text: &mut Vec<u8>,
        bytes_max: usize,
    ) -> Result<usize, ReadError> {
        self.until(ValueEnd::default(), text, bytes_max)
    }

    /// Passes over the rest of an array, its last bracket included.
    pub(super) fn skip_array(&mut self) -> Result<(), ReadError> {
        let within = ValueEnd { depth: 1, ..ValueEnd::default() };
        self.until(within, &mut Vec::new(), 0).map(drop)
    }

    fn until(
        &mut self,
        mut end: ValueEnd,
        text: &mut Vec<u8>,
        bytes_max: usize,
    ) -> Result<usize, ReadError> {
        let mut length = 0;
        loop {
            let bytes = self.bytes.fill_buf().map_err(ReadError::io("read the file"))?;
            if bytes.is_empty() {
                return Ok(length);
            }
            let found = end.find(bytes);
            let taken = found.unwrap_or(bytes.len());
            let value = bytes.get(..taken).unwrap_or_default();
            let free = bytes_max.saturating_sub(text.len()).min(taken);
            text.extend_from_slice(value.get(..free).unwrap_or_default());
            self.line += lines(value);
            length += taken;
            self.bytes.consume(taken);
            if found.is_some() {
                return Ok(length);
            }
        }
    }
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Finds the end of a value in bytes that come in pieces.
#[derive(Debug, Default)]
struct ValueEnd {
    /// Arrays and objects that are open.
    depth: usize,
    is_in_text: bool,
    is_escaped: bool,
}

impl ValueEnd {
    /// Bytes up to the end of the value, if that is among these.
    fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.is_in_text {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.is_in_text = false;
                        if self.depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.is_in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                    return Some(at);
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}
