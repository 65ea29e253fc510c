//! The encoding of a text file: byte order mark, else the option, else what the bytes say.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

use super::error::ReadError;
use crate::domain::row_error::shown;

/// Sequences outside ASCII that are looked at before the encoding is decided.
const SEQUENCES_ENOUGH: u64 = 4_000;

/// An encoding, and whether the file starts with its byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EncodingChoice {
    pub(crate) encoding: &'static Encoding,
    pub(crate) bom: bool,
}

impl EncodingChoice {
    /// The WHATWG name in lower case.
    pub(crate) fn name(self) -> String {
        self.encoding.name().to_ascii_lowercase()
    }
}

/// Finds an encoding by its WHATWG label, as it is stored with a job.
pub(crate) fn by_label(label: &str) -> Result<&'static Encoding, ReadError> {
    Encoding::for_label(label.trim().as_bytes())
        .filter(|encoding| *encoding != REPLACEMENT)
        .ok_or_else(|| ReadError::NoSuchEncoding { label: shown(label) })
}

/// Decides the encoding of the file at `path`, which starts with `head`.
///
/// A byte order mark decides even against the option: it is part of the file's own content, and
/// WHATWG gives it the same weight.
pub(crate) fn decide(
    path: &Path,
    head: &[u8],
    option: Option<&str>,
    valid_utf8: bool,
) -> Result<EncodingChoice, ReadError> {
    let asked = option.map(by_label).transpose()?;
    if head.starts_with(b"\xFF\xFE\0\0") || head.starts_with(b"\0\0\xFE\xFF") {
        return Err(ReadError::EncodingUnknown {
            reason: "it begins with the mark of UTF-32, which is not read".to_owned(),
        });
    }
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok(EncodingChoice { encoding, bom: true });
    }
    if let Some(encoding) = asked {
        return Ok(EncodingChoice { encoding, bom: false });
    }
    if let Some(encoding) = unmarked_utf16(head) {
        return Err(ReadError::EncodingUnknown {
            reason: format!(
                "every other byte is NUL, as in {} without a byte order mark",
                encoding.name()
            ),
        });
    }
    let encoding = if valid_utf8 { UTF_8 } else { guess(path)? };
    Ok(EncodingChoice { encoding, bom: false })
}

/// The start of a text for a first look, in the encoding of its byte order mark, else as UTF-8.
pub(crate) fn start_as_text(head: &[u8]) -> Cow<'_, str> {
    let (encoding, mark) = Encoding::for_bom(head).unwrap_or((UTF_8, 0));
    encoding.decode_without_bom_handling(head.get(mark..).unwrap_or_default()).0
}

/// UTF-16 of mostly Latin text has a NUL at every other place.
fn unmarked_utf16(head: &[u8]) -> Option<&'static Encoding> {
    let (mut even, mut odd) = (0_usize, 0_usize);
    for pair in head.chunks_exact(2) {
        even += usize::from(pair.first() == Some(&0));
        odd += usize::from(pair.get(1) == Some(&0));
    }
    let pairs = head.len() / 2;
    if pairs < 2 {
        return None;
    }
    let (many, few) = (pairs * 2 / 5, pairs / 10);
    match (even, odd) {
        (even, odd) if odd > many && even <= few => Some(UTF_16LE),
        (even, odd) if even > many && odd <= few => Some(UTF_16BE),
        _ => None,
    }
}

/// The encoding of a file that is not UTF-8 throughout: still UTF-8 if most of its sequences are
/// (then the rest are faults of single rows), else the detector's guess.
fn guess(path: &Path) -> Result<&'static Encoding, ReadError> {
    let failed = ReadError::io("read the file for its encoding");
    let mut file = File::open(path).map_err(&failed)?;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let (mut valid, mut broken) = (0_u64, 0_u64);
    let mut buffer = vec![0_u8; 64 << 10];
    let mut kept = 0;
    loop {
        let free = buffer.get_mut(kept..).unwrap_or_default();
        let count = file.read(free).map_err(&failed)?;
        let bytes = buffer.get(..kept + count).unwrap_or_default();
        if count == 0 {
            broken += u64::from(kept > 0);
            detector.feed(bytes, true);
            break;
        }
        let rest = tally(bytes, &mut valid, &mut broken);
        let end = bytes.len() - rest;
        let whole = bytes.get(..end).unwrap_or_default();
        if !whole.is_ascii() {
            detector.feed(whole, false);
        }
        if valid + broken >= SEQUENCES_ENOUGH {
            break;
        }
        buffer.copy_within(end..end + rest, 0);
        kept = rest;
    }
    if valid > broken { Ok(UTF_8) } else { Ok(detector.guess(None, Utf8Detection::Deny)) }
}

/// Counts UTF-8 sequences outside ASCII, right and wrong. Gives the bytes at the end (up to 3) that
/// may be the start of a sequence.
fn tally(bytes: &[u8], valid: &mut u64, broken: &mut u64) -> usize {
    let mut rest = bytes;
    loop {
        let (good, bad) = match std::str::from_utf8(rest) {
            Ok(text) => (text.len(), None),
            Err(error) => (error.valid_up_to(), Some(error.error_len())),
        };
        let leads = rest.get(..good).unwrap_or_default().iter().filter(|byte| **byte >= 0xC0);
        *valid += leads.count() as u64;
        match bad {
            None => return 0,
            Some(None) => return rest.len() - good,
            Some(Some(length)) => {
                *broken += 1;
                rest = rest.get(good + length..).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    type Outcome = Result<(String, bool), ReadError>;

    fn decided(bytes: &[u8], option: Option<&str>) -> Outcome {
        let mut file = tempfile::NamedTempFile::new().map_err(ReadError::io("make the file"))?;
        file.write_all(bytes).map_err(ReadError::io("fill the file"))?;
        let head = &bytes[..bytes.len().min(crate::domain::limits::SNIFF_BYTES)];
        let valid = std::str::from_utf8(bytes).is_ok();
        decide(file.path(), head, option, valid).map(|chosen| (chosen.name(), chosen.bom))
    }

    #[test]
    fn a_mark_decides() {
        assert_eq!(decided(b"\xEF\xBB\xBFa", None).unwrap(), ("utf-8".into(), true));
        assert_eq!(decided(b"\xFF\xFEa\0", None).unwrap(), ("utf-16le".into(), true));
        assert_eq!(decided(b"\xFE\xFF\0a", None).unwrap(), ("utf-16be".into(), true));
        let refused = decided(b"\xFF\xFE\0\0a\0\0\0", None).unwrap_err();
        assert!(refused.to_string().contains("UTF-32"), "{refused}");
    }

    #[test]
    fn utf_16_without_a_mark_is_not_guessed() {
        let bytes: Vec<u8> =
            "sku;name\nA1;Apfel\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let refused = decided(&bytes, None).unwrap_err();
        assert_eq!(refused.code().as_str(), "encoding_unknown");
        assert_eq!(decided(&bytes, Some("utf-16le")).unwrap(), ("utf-16le".into(), false));
    }

    #[test]
    fn western_text_is_windows_1252() {
        let (bytes, _, _) = encoding_rs::WINDOWS_1252
            .encode("sku;name\nA1;Käse für Müller – 5 €\nA2;Crème brûlée\n");
        assert_eq!(decided(&bytes, None).unwrap().0, "windows-1252");
    }

    #[test]
    fn one_bad_byte_does_not_turn_utf_8_into_something_else() {
        let mut bytes = "sku,name\nA,Käse\nB,Müsli\nC,Öl\n".as_bytes().to_vec();
        bytes.extend_from_slice(b"D,\xE4\n");
        assert_eq!(decided(&bytes, None).unwrap().0, "utf-8");
    }

    #[test]
    fn a_bad_byte_far_behind_the_head_is_still_seen() {
        let mut bytes = b"sku,name\n".to_vec();
        bytes.extend(b"A,plain ascii text\n".repeat(40_000));
        bytes.extend_from_slice(b"Z,M\xFCller\n");
        assert_eq!(decided(&bytes, None).unwrap().0, "windows-1252");
    }

    #[test]
    fn an_unknown_label_is_refused_by_name() {
        let refused = decided(b"a", Some("klingon")).unwrap_err();
        assert_eq!(refused.code().as_str(), "invalid_option");
        assert!(refused.to_string().contains("`klingon`"));
        assert!(decided(b"a", Some("iso-2022-kr")).is_err());
    }
}
