//! What the bytes of a text that is not UTF-8 throughout say about its encoding, line by line. Reads
//! the file once; decides nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use memchr::memrchr;

/// Lines that the detector is shown.
const DETECTOR_LINES: u64 = 4_000;

/// Places that are shown of each kind of line.
const SAMPLES: usize = 2;

/// Bytes to the left and to the right of a sample's first letter, within its cell.
const SAMPLE_BYTES: usize = 24;

/// The longest run of bytes beyond ASCII that may be signs: `“½”`.
const SIGNS_IN_A_ROW: usize = 3;

/// What was seen. Lines in ASCII say nothing and are not counted.
pub(super) struct Evidence {
    /// Lines that are UTF-8.
    pub(super) utf8_lines: u64,
    /// Lines that are not.
    pub(super) other_lines: u64,
    /// As windows-1252 the other lines have signs only, no letters of words: `£`, `±`, `Ø 20`.
    pub(super) has_signs_only: bool,
    /// No two bytes beyond ASCII stand beside each other in the other lines.
    pub(super) has_single_bytes_only: bool,
    /// The other lines are texts in the home encoding.
    pub(super) fits_home: bool,
    /// Cells of the other lines, as they stand in the file.
    pub(super) samples: Vec<Vec<u8>>,
    /// Cells of the lines in UTF-8.
    pub(super) utf8_samples: Vec<Vec<u8>>,
    detector: EncodingDetector,
}

impl Evidence {
    /// Reads the file at `path`.
    pub(super) fn gather(path: &Path, home: Option<&'static Encoding>) -> io::Result<Self> {
        let mut evidence = Self {
            utf8_lines: 0,
            other_lines: 0,
            has_signs_only: true,
            has_single_bytes_only: true,
            fits_home: home.is_some(),
            samples: Vec::new(),
            utf8_samples: Vec::new(),
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
        };
        let mut file = File::open(path)?;
        let mut buffer = vec![0_u8; 64 << 10];
        let mut kept = 0;
        loop {
            let count = file.read(buffer.get_mut(kept..).unwrap_or_default())?;
            let bytes = buffer.get(..kept + count).unwrap_or_default();
            // A line longer than the buffer is seen in parts.
            let whole = match memrchr(b'\n', bytes) {
                Some(end) if count > 0 => end + 1,
                _ if count > 0 && bytes.len() < buffer.len() => 0,
                _ => bytes.len(),
            };
            evidence.add_lines(bytes.get(..whole).unwrap_or_default(), home);
            if count == 0 {
                break;
            }
            let end = kept + count;
            buffer.copy_within(whole..end, 0);
            kept = end - whole;
        }
        evidence.detector.feed(b"", true);
        Ok(evidence)
    }

    /// What the detector takes the other lines for.
    pub(super) fn detected(&self) -> &'static Encoding {
        self.detector.guess(None, Utf8Detection::Deny)
    }

    fn add_lines(&mut self, bytes: &[u8], home: Option<&'static Encoding>) {
        if bytes.is_ascii() {
            return;
        }
        for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.is_ascii()) {
            if std::str::from_utf8(line).is_ok() {
                self.utf8_lines += 1;
                keep_sample(&mut self.utf8_samples, line);
            } else {
                self.add_other(line, home);
            }
        }
    }

    fn add_other(&mut self, line: &[u8], home: Option<&'static Encoding>) {
        if self.other_lines < DETECTOR_LINES {
            self.detector.feed(line, false);
        }
        self.other_lines += 1;
        keep_sample(&mut self.samples, line);
        self.has_signs_only = self.has_signs_only && has_signs_only(line);
        self.has_single_bytes_only = self.has_single_bytes_only && longest_run(line) == 1;
        self.fits_home = self.fits_home && home.is_some_and(|home| is_text_in(home, line));
    }
}

/// The line is text in `encoding`, without control characters that no program writes.
fn is_text_in(encoding: &'static Encoding, line: &[u8]) -> bool {
    let text = encoding.decode_without_bom_handling_and_without_replacement(line);
    text.is_some_and(|text| !text.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c)))
}

fn longest_run(line: &[u8]) -> usize {
    line.split(u8::is_ascii).map(<[u8]>::len).max().unwrap_or(0)
}

/// As windows-1252 the line has no letter beyond ASCII that is a letter of a word.
fn has_signs_only(line: &[u8]) -> bool {
    let is_sign_or_alone = |(index, byte): (usize, &u8)| {
        let is_word = |at: Option<usize>| {
            let beside = at.and_then(|at| line.get(at));
            beside.is_some_and(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
        };
        byte.is_ascii()
            || is_sign(*byte)
            || is_letter(*byte) && !is_word(index.checked_sub(1)) && !is_word(Some(index + 1))
    };
    longest_run(line) <= SIGNS_IN_A_ROW && line.iter().enumerate().all(is_sign_or_alone)
}

/// A sign in windows-1252: punctuation, fractions, currencies, units, a space. Not among them are
/// letters (Š, ƒ, Æ …) and the five bytes that stand for nothing.
fn is_sign(byte: u8) -> bool {
    let is_none = matches!(byte, 0x81 | 0x83 | 0x8A | 0x8C..=0x90 | 0x9A | 0x9C..=0x9F);
    matches!(byte, 0x80..=0xBF | 0xD7 | 0xF7) && !is_none
}

/// A letter beyond ASCII in windows-1252.
fn is_letter(byte: u8) -> bool {
    matches!(byte, 0x83 | 0x8A | 0x8C | 0x8E | 0x9A | 0x9C | 0x9E..=0x9F | 0xC0..) && !is_sign(byte)
}

/// Keeps the cell around the first byte beyond ASCII, if it is none of those kept.
fn keep_sample(samples: &mut Vec<Vec<u8>>, line: &[u8]) {
    if samples.len() == SAMPLES {
        return;
    }
    let Some(at) = line.iter().position(|byte| !byte.is_ascii()) else { return };
    let (before, behind) = line.split_at(at);
    let is_border = |byte: &u8| matches!(byte, b',' | b';' | b'\t' | b'|' | b'"' | b'\r' | b'\n');
    let left = before.iter().rev().take(SAMPLE_BYTES).take_while(|byte| !is_border(byte)).count();
    let right = behind.iter().take(SAMPLE_BYTES).take_while(|byte| !is_border(byte)).count();
    let sample = line.get(at - left..at + right).unwrap_or_default().trim_ascii().to_vec();
    if !samples.contains(&sample) {
        samples.push(sample);
    }
}
