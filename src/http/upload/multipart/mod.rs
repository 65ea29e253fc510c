//! Reads a form piece by piece (RFC 2046, 5.1): its parts and what is in them, with line ends of any
//! kind. Holds a piece of the body in memory and no more. Knows no options and no files.

mod line_end;
mod part;

use actix_web::web::{Buf, Bytes, BytesMut};
use memchr::memmem;

use super::body::{self, UploadBody};
use crate::domain::row_error::shown;
use crate::http::problem::Problem;
use line_end::{Behind, LineEnd};
pub(super) use part::PartHead;

/// Bytes before the first boundary, and bytes of the headers of a part, at most.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// A form that is being read.
pub(super) struct FormReader {
    body: UploadBody,
    /// What came of the body and was not given out.
    buffer: BytesMut,
    /// The body has ended.
    is_over: bool,
    marker: Vec<u8>,
    line_end: LineEnd,
    /// What stands between two parts: a line end and the marker.
    delimiter: memmem::Finder<'static>,
    position: FormPosition,
}

/// What the start of the buffer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FormPosition {
    Head,
    Content,
    End,
}

impl FormReader {
    /// Reads up to the first part.
    pub(super) async fn begin(body: UploadBody, boundary: &str) -> Result<Self, Problem> {
        let marker = [b"--", boundary.as_bytes()].concat();
        let mut reader = Self {
            body,
            buffer: BytesMut::new(),
            is_over: false,
            delimiter: memmem::Finder::new(&marker).into_owned(),
            marker,
            line_end: LineEnd::CrLf,
            position: FormPosition::Head,
        };
        reader.find_first().await?;
        let delimiter = [reader.line_end.as_bytes(), &reader.marker].concat();
        reader.delimiter = memmem::Finder::new(&delimiter).into_owned();
        Ok(reader)
    }

    /// The next part, behind what is left of the one before; nothing after the last one.
    pub(super) async fn next_part(&mut self) -> Result<Option<PartHead>, Problem> {
        while self.position == FormPosition::Content {
            self.next_piece().await?;
        }
        if self.position == FormPosition::End {
            return Ok(None);
        }
        let end = self.line_end.as_bytes();
        let blank_line = memmem::Finder::new(&end.repeat(2)).into_owned();
        let length = loop {
            // A part without headers begins with the blank line's end.
            if self.buffer.starts_with(end) {
                break 0;
            }
            if let Some(length) = blank_line.find(&self.buffer) {
                break length + end.len();
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                let detail = "the headers of a part of the form are too long; shorten its name";
                return Err(Problem::malformed(detail));
            }
            self.fill().await?;
        };
        if length > HEAD_BYTES_MAX {
            let detail = "the headers of a part of the form are too long; shorten its name";
            return Err(Problem::malformed(detail));
        }
        let head = self.buffer.split_to(length);
        // The end of the blank line belongs to the delimiter of a part that is empty.
        while self.buffer.len() < end.len() + self.marker.len() && !self.is_over {
            self.fill_or_end().await?;
        }
        if self.delimiter.find(&self.buffer) != Some(0) {
            self.buffer.advance(end.len().min(self.buffer.len()));
        }
        self.position = FormPosition::Content;
        PartHead::parse(&head, self.line_end).map(Some)
    }

    /// The next bytes of the part; nothing at its end.
    pub(super) async fn next_piece(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.position != FormPosition::Content {
            return Ok(None);
        }
        let length = self.delimiter.needle().len();
        loop {
            let Some(start) = self.delimiter.find(&self.buffer) else {
                // The beginning of the delimiter may have come already.
                let sure = self.buffer.len().saturating_sub(length - 1);
                if sure > 0 {
                    return Ok(Some(self.buffer.split_to(sure).freeze()));
                }
                self.fill().await?;
                continue;
            };
            let behind = self.buffer.get(start + length..).unwrap_or_default();
            match self.line_end.behind_marker(behind, self.is_over) {
                Behind::Text => {
                    return Ok(Some(self.buffer.split_to(start + length).freeze()));
                }
                // What is before it first.
                _ if start > 0 => return Ok(Some(self.buffer.split_to(start).freeze())),
                Behind::Unknown => self.fill_or_end().await?,
                Behind::Part(bytes) => {
                    self.buffer.advance(length + bytes);
                    self.position = FormPosition::Head;
                    return Ok(None);
                }
                Behind::End => {
                    self.position = FormPosition::End;
                    return Ok(None);
                }
            }
        }
    }

    /// Reads up to the first boundary, whose line shows how lines end.
    async fn find_first(&mut self) -> Result<(), Problem> {
        loop {
            let mut from = 0;
            while let Some(at) = self.buffer.get(from..).and_then(|it| self.delimiter.find(it)) {
                let (start, behind) = (from + at, from + at + self.marker.len());
                from = behind;
                let before = start.checked_sub(1).and_then(|at| self.buffer.get(at));
                if before.is_some_and(|byte| !matches!(byte, b'\r' | b'\n')) {
                    continue;
                }
                let rest = self.buffer.get(behind..).unwrap_or_default();
                match LineEnd::first(rest, self.is_over) {
                    Some((line_end, Behind::Part(bytes))) => {
                        self.line_end = line_end;
                        self.buffer.advance(behind + bytes);
                        return Ok(());
                    }
                    Some((_, Behind::End)) => {
                        self.position = FormPosition::End;
                        return Ok(());
                    }
                    _ => {}
                }
            }
            if self.is_over || self.buffer.len() > HEAD_BYTES_MAX {
                return Err(self.no_boundary());
            }
            self.fill_or_end().await?;
        }
    }

    fn no_boundary(&self) -> Problem {
        let line = <[u8]>::split(&self.buffer, |byte| matches!(byte, b'\r' | b'\n')).next();
        let other =
            line.and_then(|line| line.strip_prefix(b"--")).filter(|other| !other.is_empty());
        match other {
            Some(other) if !self.buffer.starts_with(&self.marker) => Problem::malformed(format!(
                "the form begins with the boundary `{}`, but its Content-Type says `{}`; let \
                     the client set this header",
                shown(&String::from_utf8_lossy(other)),
                shown(&String::from_utf8_lossy(self.marker.get(2..).unwrap_or_default()))
            )),
            _ => incomplete(),
        }
    }

    /// Takes more of the body, which must not have ended.
    async fn fill(&mut self) -> Result<(), Problem> {
        if self.is_over {
            return Err(incomplete());
        }
        self.fill_or_end().await
    }

    async fn fill_or_end(&mut self) -> Result<(), Problem> {
        match body::next(&mut self.body).await? {
            Some(bytes) => {
                self.buffer.extend_from_slice(&bytes.map_err(|fault| body::broken(&fault))?);
            }
            None => self.is_over = true,
        }
        Ok(())
    }
}

fn incomplete() -> Problem {
    Problem::malformed("the form ended before its last boundary; send it again")
}

#[cfg(test)]
mod tests;
