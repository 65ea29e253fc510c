//! Any encoding to UTF-8 while reading, in constant memory.
//!
//! Bytes that are no text in their encoding become the byte 0xFF, which is never part of UTF-8: so
//! they stay visible to the one check that the rows make, and no replacement character is stored
//! in silence.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use super::encoding;
use super::error::ReadError;
use crate::domain::detected::Detected;

/// Stands for what cannot be decoded.
const MALFORMED: u8 = 0xFF;

const BUFFER_BYTES: usize = 128 << 10;

/// A text file as UTF-8 bytes, without its byte order mark.
#[derive(Debug)]
pub(crate) struct TextFile {
    file: BufReader<File>,
    decoder: Option<Decode>,
}

struct Decode {
    decoder: Decoder,
    decoded: Vec<u8>,
    start: usize,
    end: usize,
    finished: bool,
}

impl std::fmt::Debug for Decode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decode")
            .field("encoding", &self.decoder.encoding().name())
            .finish_non_exhaustive()
    }
}

/// Bytes of the byte order mark of `encoding`.
fn mark_bytes(encoding: &'static Encoding) -> u64 {
    if encoding == UTF_8 { 3 } else { 2 }
}

impl TextFile {
    /// Opens `path`; `bom` says that a byte order mark of `encoding` stands at the start.
    pub(crate) fn open(path: &Path, encoding: &'static Encoding, bom: bool) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let skip = if bom { mark_bytes(encoding) } else { 0 };
        file.seek(SeekFrom::Start(skip))?;
        let decoder = (encoding != UTF_8).then(|| Decode {
            decoder: encoding.new_decoder_without_bom_handling(),
            decoded: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            finished: false,
        });
        let file = BufReader::with_capacity(BUFFER_BYTES, file);
        Ok(Self { file, decoder })
    }

    /// Opens `path` as an inspection found it.
    pub(crate) fn open_detected(path: &Path, detected: &Detected) -> Result<Self, ReadError> {
        let label = detected.encoding.as_deref().unwrap_or("utf-8");
        Self::open(path, encoding::by_label(label)?, detected.bom)
            .map_err(ReadError::io("open the file"))
    }

    /// The beginning of the text, at most so many bytes.
    pub(crate) fn start(self, bytes_max: usize) -> io::Result<Vec<u8>> {
        let mut start = Vec::with_capacity(bytes_max);
        self.take(bytes_max as u64).read_to_end(&mut start)?;
        Ok(start)
    }
}

impl Decode {
    /// Decodes the next part of `raw` into the free buffer. Gives the raw bytes taken.
    fn step(&mut self, raw: &[u8]) -> usize {
        let last = raw.is_empty();
        // One byte stays free for the mark of malformed input.
        let room = self.decoded.len().saturating_sub(1);
        let Some(target) = self.decoded.get_mut(..room) else { return 0 };
        let (result, taken, written) =
            self.decoder.decode_to_utf8_without_replacement(raw, target, last);
        self.start = 0;
        self.end = written;
        match result {
            DecoderResult::InputEmpty => self.finished = last,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                if let Some(slot) = self.decoded.get_mut(written) {
                    *slot = MALFORMED;
                    self.end += 1;
                }
            }
        }
        taken
    }
}

impl BufRead for TextFile {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let Some(decode) = &mut self.decoder else { return self.file.fill_buf() };
        while decode.start == decode.end && !decode.finished {
            let raw = self.file.fill_buf()?;
            let taken = decode.step(raw);
            self.file.consume(taken);
        }
        Ok(decode.decoded.get(decode.start..decode.end).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        if let Some(decode) = &mut self.decoder {
            decode.start = (decode.start + amount).min(decode.end);
        } else {
            self.file.consume(amount);
        }
    }
}

impl Read for TextFile {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.decoder.is_none() {
            return self.file.read(target);
        }
        let count = {
            let mut available = self.fill_buf()?;
            available.read(target)?
        };
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], label: &str, bom: bool) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text");
        std::fs::write(&path, bytes).unwrap();
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let mut text = Vec::new();
        let mut file = TextFile::open(&path, encoding, bom).unwrap();
        file.read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn utf_16_is_decoded_without_its_mark() {
        assert_eq!(decoded(b"\xFF\xFEa\0\xE4\0", "utf-16le", true), "aä".as_bytes());
        assert_eq!(decoded(b"\xFE\xFF\0a\0\xE4", "utf-16be", true), "aä".as_bytes());
    }

    #[test]
    fn a_file_longer_than_the_buffers_comes_whole() {
        let text = "ä;€\n".repeat(200_000);
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
        assert_eq!(decoded(&bytes, "windows-1252", false), text.as_bytes());
    }

    #[test]
    fn malformed_bytes_are_marked_and_end_nothing() {
        // 0x81 0x20 is no character of Shift_JIS; a lone surrogate is none of UTF-16.
        assert_eq!(decoded(b"a\x81 b", "shift_jis", false), b"a\xFF b");
        assert_eq!(decoded(b"\0\xD8a\0", "utf-16le", false), b"\xFFa");
        assert_eq!(decoded(b"a\0b", "utf-16le", false), b"a\xFF");
    }
}
