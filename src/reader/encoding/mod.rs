//! The encoding of a text file: byte order mark, else the option, else what the bytes say. What is
//! only guessed says so.

mod evidence;
mod short_text;

use std::borrow::Cow;
use std::path::Path;

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use self::evidence::Evidence;
pub use self::short_text::short_text;
use super::error::ReadError;
use crate::domain::row_error::shown;
use crate::domain::warning::{WarningCode, Warnings};

/// An encoding, how sure it is, and whether the file starts with its byte order mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncodingChoice {
    pub(crate) encoding: &'static Encoding,
    pub(crate) bom: bool,
    /// Cells as the encoding has them, where it was guessed: a person who knows the file sees whether
    /// it is right.
    pub(crate) guessed: Option<Vec<String>>,
    /// Cells of lines that are UTF-8, though the encoding is another one.
    pub(crate) utf8_cells: Vec<String>,
}

impl EncodingChoice {
    pub(crate) fn sure(encoding: &'static Encoding, bom: bool) -> Self {
        Self { encoding, bom, guessed: None, utf8_cells: Vec::new() }
    }

    /// The WHATWG name in lower case.
    pub(crate) fn name(&self) -> String {
        self.encoding.name().to_ascii_lowercase()
    }

    /// Adds what a person should see of the choice.
    pub(crate) fn warn(&self, warnings: &mut Warnings) {
        for sample in self.guessed.iter().flatten() {
            warnings.add(WarningCode::EncodingGuessed, None, None, Some(sample));
        }
        for cell in &self.utf8_cells {
            warnings.add(WarningCode::MixedEncoding, None, None, Some(cell));
        }
    }
}

/// Finds an encoding by its WHATWG label, as it is stored with a job.
pub(crate) fn by_label(label: &str) -> Result<&'static Encoding, ReadError> {
    Encoding::for_label(label.trim().as_bytes())
        .filter(|encoding| *encoding != REPLACEMENT)
        .ok_or_else(|| ReadError::NoSuchEncoding { label: shown(label) })
}

/// What is known of a text file before its encoding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextStart<'a> {
    pub(crate) path: &'a Path,
    /// Its first bytes.
    pub(crate) head: &'a [u8],
    /// It is UTF-8 from the first byte to the last.
    pub(crate) valid_utf8: bool,
}

/// Decides the encoding of a file: by its mark, by the client's `option`, by its bytes. Where several
/// encodings fit, `home` is preferred.
///
/// A byte order mark decides even against the option: it is part of the file's own content, and
/// WHATWG gives it the same weight.
pub(crate) fn decide(
    text: TextStart<'_>,
    option: Option<&str>,
    home: Option<&str>,
) -> Result<EncodingChoice, ReadError> {
    let head = text.head;
    let asked = option.map(by_label).transpose()?;
    if head.starts_with(b"\xFF\xFE\0\0") || head.starts_with(b"\0\0\xFE\xFF") {
        return Err(ReadError::EncodingUnknown {
            reason: "it begins with the mark of UTF-32, which is not read".to_owned(),
        });
    }
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok(EncodingChoice::sure(encoding, true));
    }
    if let Some(encoding) = asked {
        return Ok(EncodingChoice::sure(encoding, false));
    }
    if let Some(encoding) = unmarked_utf16(head) {
        let (start, ..) = encoding.decode_without_bom_handling(head);
        let cells = start.split([',', ';', '\t', '\r', '\n']).filter(|cell| !cell.is_empty());
        let guessed = cells.take(2).map(shown).collect();
        return Ok(EncodingChoice {
            guessed: Some(guessed),
            ..EncodingChoice::sure(encoding, false)
        });
    }
    if text.valid_utf8 {
        return Ok(EncodingChoice::sure(UTF_8, false));
    }
    let home = home.map(by_label).transpose()?;
    let evidence = Evidence::gather(text.path, home)
        .map_err(ReadError::io("read the file for its encoding"))?;
    Ok(guess(&evidence, home))
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

/// The encoding of a file that is not UTF-8 throughout.
fn guess(evidence: &Evidence, home: Option<&'static Encoding>) -> EncodingChoice {
    if evidence.utf8_lines > 0 && evidence.utf8_lines >= evidence.other_lines {
        // The other lines are faults of their rows.
        return EncodingChoice::sure(UTF_8, false);
    }
    let encoding = match home {
        Some(home) if evidence.fits_home => home,
        _ if evidence.has_signs_only => WINDOWS_1252,
        _ => {
            let detected = evidence.detected();
            // A character of several bytes hardly ever has only one beyond ASCII.
            let is_unlikely = !detected.is_single_byte() && evidence.has_single_bytes_only;
            if is_unlikely { WINDOWS_1252 } else { detected }
        }
    };
    let cell = |encoding: &'static Encoding, bytes: &Vec<u8>| {
        shown(encoding.decode_without_bom_handling(bytes).0.trim_matches('\u{fffd}'))
    };
    let utf8_cells = evidence.utf8_samples.iter().map(|bytes| cell(UTF_8, bytes));
    EncodingChoice {
        encoding,
        bom: false,
        guessed: Some(evidence.samples.iter().map(|bytes| cell(encoding, bytes)).collect()),
        // A character of several bytes can be UTF-8 by chance.
        utf8_cells: utf8_cells.filter(|_| encoding.is_single_byte()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    type Outcome = Result<(String, bool), ReadError>;

    fn chosen(
        bytes: &[u8],
        option: Option<&str>,
        home: Option<&str>,
    ) -> Result<EncodingChoice, ReadError> {
        let mut file = tempfile::NamedTempFile::new().map_err(ReadError::io("make the file"))?;
        file.write_all(bytes).map_err(ReadError::io("fill the file"))?;
        let head = &bytes[..bytes.len().min(crate::domain::limits::SNIFF_BYTES)];
        let valid_utf8 = std::str::from_utf8(bytes).is_ok();
        decide(TextStart { path: file.path(), head, valid_utf8 }, option, home)
    }

    fn decided(bytes: &[u8], option: Option<&str>) -> Outcome {
        chosen(bytes, option, None).map(|chosen| (chosen.name(), chosen.bom))
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
    fn utf_16_without_a_mark_is_guessed() {
        let text = "sku;name\nA1;Überapfel\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, name) in [(little, "utf-16le"), (big, "utf-16be")] {
            let guess = chosen(&bytes, None, None).unwrap();
            assert_eq!((guess.name().as_str(), guess.bom), (name, false));
            assert_eq!(guess.guessed.unwrap(), ["sku", "name"]);
            assert_eq!(chosen(&bytes, Some(name), None).unwrap().guessed, None);
        }
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

    fn western(text: &str) -> Vec<u8> {
        encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
    }

    #[test]
    fn signs_without_letters_are_windows_1252() {
        for cell in [
            "Gift card £25",
            "Cap 10 µF",
            "Pipe Ø 20",
            "Pipe Ø20 × 3",
            "Bolt ½ in",
            "Meter ±1%",
            "Lego™ £5 set",
            "90° «left»",
            "“½”",
            "5 Å",
            "Kit • screws – nuts…",
            "Area 3 mm²",
        ] {
            let bytes = western(&format!("sku,name\nA,{cell}\nB,plain\n"));
            let guess = chosen(&bytes, None, None).unwrap();
            assert_eq!(guess.name(), "windows-1252", "{cell}");
            assert_eq!(guess.guessed.unwrap(), [cell]);
        }
    }

    #[test]
    fn several_bytes_of_one_character_are_no_signs() {
        let (bytes, ..) = encoding_rs::GBK.encode("sku,name\nA,北京\nB,不锈钢螺丝刀\n");
        assert_eq!(decided(&bytes, None).unwrap().0, "gbk");
    }

    #[test]
    fn one_broken_line_among_few_letters_does_not_change_the_encoding() {
        let mut bytes = "sku,name\nA,Voucher 5 €\n".as_bytes().to_vec();
        bytes.extend_from_slice(b"B,Gr\xF6\xDFe M\xFCller\nC,plain\n");
        assert_eq!(decided(&bytes, None).unwrap().0, "utf-8");
    }

    #[test]
    fn lines_in_utf_8_among_others_are_told() {
        let mut bytes = western("sku,name\nA,Käse\nB,Müller\nC,Öl für alle\n");
        bytes.extend_from_slice("D,Gemüse\n".as_bytes());
        let guess = chosen(&bytes, None, None).unwrap();
        assert_eq!(guess.name(), "windows-1252");
        assert_eq!(guess.guessed.as_deref().unwrap(), ["Käse", "Müller"]);
        assert_eq!(guess.utf8_cells, ["Gemüse"]);
        let mut warnings = Warnings::default();
        guess.warn(&mut warnings);
        let codes: Vec<_> = warnings.iter().map(|it| it.code.as_str()).collect();
        assert_eq!(codes, ["encoding_guessed", "mixed_encoding"]);
    }

    #[test]
    fn the_home_encoding_is_preferred_where_it_fits() {
        let bytes = western("sku,name\nA,Rura ³ 5\nB,plain\n");
        let guess = |home| chosen(&bytes, None, home).unwrap();
        assert_eq!(guess(Some("windows-1250")).guessed.unwrap(), ["Rura ł 5"]);
        assert_eq!(guess(None).name(), "windows-1252");
        // The first byte of 丂 is none that windows-1252 has.
        let (bytes, ..) = encoding_rs::GBK.encode("sku,name\nA,不锈钢螺丝刀丂\n");
        assert_eq!(chosen(&bytes, None, Some("windows-1252")).unwrap().name(), "gbk");
        let valid = "sku,name\nA,Käse\n".as_bytes();
        assert_eq!(chosen(valid, None, Some("windows-1250")).unwrap().name(), "utf-8");
    }
}
