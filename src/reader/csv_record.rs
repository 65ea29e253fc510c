//! One record of a delimited text, found in bytes: its fields, or why its quotes break the rules.
//! Pure; the caller brings more bytes when a record is not whole.

use memchr::{memchr, memchr_iter, memchr2, memchr3};

use crate::domain::detected::Detected;
use crate::domain::limits::FIELD_BYTES_MAX;

/// How a text writes its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// The sign around a text that holds delimiters or line ends; inside it is written twice.
    pub(crate) quote: u8,
    /// A quote inside of a text in quotes may be written `\"`, too.
    pub(crate) has_backslash_escapes: bool,
}

impl Dialect {
    /// Texts stand in double quotes.
    pub(crate) fn new(delimiter: u8) -> Self {
        Self { delimiter, quote: b'"', has_backslash_escapes: false }
    }

    /// The dialect that an inspection found.
    pub(crate) fn detected(detected: &Detected) -> Self {
        let byte =
            |sign: Option<char>, usual| sign.map_or(usual, |it| u8::try_from(it).unwrap_or(usual));
        Self {
            delimiter: byte(detected.delimiter, b','),
            quote: byte(detected.quote, b'"'),
            has_backslash_escapes: detected.escape.is_some(),
        }
    }
}

/// The fields of a record: one text, and where each field ends in it.
#[derive(Debug, Default)]
pub(crate) struct CsvRecord {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// It has no quotes: its text is the line itself, with a delimiter between two fields.
    is_plain: bool,
    first_is_quoted: bool,
}

/// What became of the bytes at the start of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ParsedRecord {
    /// The record is whole; its line end begins after so many bytes.
    Whole { bytes: usize },
    /// Its end is not among the bytes.
    Incomplete,
    /// Behind the end of a text in quotes stands something else; where the quote opened.
    TextAfterQuote { opened: usize },
    /// A text in quotes is never closed, or is longer than a field may be.
    NeverClosed { opened: usize },
}

impl CsvRecord {
    /// Fields of the record.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// It has no quotes, so it is one line.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Its first field stands in quotes.
    pub(crate) fn first_is_quoted(&self) -> bool {
        self.first_is_quoted
    }

    /// The bytes of all fields of the record that was found in `bytes`.
    pub(crate) fn text<'a>(&'a self, bytes: &'a [u8]) -> &'a [u8] {
        if self.is_plain { bytes } else { &self.text }
    }

    /// Where each field lies in [`CsvRecord::text`].
    pub(crate) fn spans(&self) -> impl Iterator<Item = (usize, usize)> {
        let gap = usize::from(self.is_plain);
        let mut start = 0;
        self.ends.iter().map(move |end| (std::mem::replace(&mut start, end + gap), *end))
    }

    /// Reads the record at the start of `bytes`, which are all that follow when `is_all`.
    pub(crate) fn parse(&mut self, bytes: &[u8], is_all: bool, dialect: Dialect) -> ParsedRecord {
        let line_end = memchr2(b'\n', b'\r', bytes);
        if line_end.is_none() && !is_all {
            return ParsedRecord::Incomplete;
        }
        let line = bytes.get(..line_end.unwrap_or(bytes.len())).unwrap_or_default();
        self.text.clear();
        self.ends.clear();
        self.first_is_quoted = false;
        self.is_plain = memchr(dialect.quote, line).is_none();
        if self.is_plain {
            self.ends.extend(memchr_iter(dialect.delimiter, line));
            self.ends.push(line.len());
            return ParsedRecord::Whole { bytes: line.len() };
        }
        Scan { bytes, is_all, dialect, at: 0 }.record(self)
    }
}

/// The fields of a record with quotes, one after another.
struct Scan<'a> {
    bytes: &'a [u8],
    is_all: bool,
    dialect: Dialect,
    at: usize,
}

/// What follows a field.
enum After {
    Field,
    RecordEnd,
}

impl Scan<'_> {
    fn record(mut self, record: &mut CsvRecord) -> ParsedRecord {
        loop {
            let quote = self.opening_quote();
            if record.ends.is_empty() {
                record.first_is_quoted = quote.is_some();
            }
            let after = match quote {
                Some(opened) => self.quoted(opened, record),
                None => self.unquoted(record),
            };
            match after {
                Ok(After::Field) => record.ends.push(record.text.len()),
                Ok(After::RecordEnd) => {
                    record.ends.push(record.text.len());
                    return ParsedRecord::Whole { bytes: self.at };
                }
                Err(parsed) => return parsed,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Bytes from `at` that are blanks and no delimiters.
    fn blanks(&self) -> usize {
        let delimiter = self.dialect.delimiter;
        let is_blank = |byte: &&u8| matches!(**byte, b' ' | b'\t') && **byte != delimiter;
        self.rest().iter().take_while(is_blank).count()
    }

    /// Where a quote opens the field; blanks before it belong to the delimiter.
    fn opening_quote(&self) -> Option<usize> {
        let quote = self.at + self.blanks();
        (self.bytes.get(quote) == Some(&self.dialect.quote)).then_some(quote)
    }

    fn unquoted(&mut self, record: &mut CsvRecord) -> Result<After, ParsedRecord> {
        let end = memchr3(self.dialect.delimiter, b'\n', b'\r', self.rest());
        if end.is_none() && !self.is_all {
            return Err(ParsedRecord::Incomplete);
        }
        let length = end.unwrap_or(self.rest().len());
        record.text.extend_from_slice(self.rest().get(..length).unwrap_or_default());
        self.at += length;
        Ok(self.pass_delimiter())
    }

    fn pass_delimiter(&mut self) -> After {
        if self.peek() == Some(self.dialect.delimiter) {
            self.at += 1;
            After::Field
        } else {
            After::RecordEnd
        }
    }

    fn quoted(&mut self, opened: usize, record: &mut CsvRecord) -> Result<After, ParsedRecord> {
        let Dialect { quote, has_backslash_escapes, .. } = self.dialect;
        self.at = opened + 1;
        let begun = record.text.len();
        loop {
            let stop = if has_backslash_escapes {
                memchr2(quote, b'\\', self.rest())
            } else {
                memchr(quote, self.rest())
            };
            let length = stop.unwrap_or(self.rest().len());
            if record.text.len() - begun + length > FIELD_BYTES_MAX {
                return Err(ParsedRecord::NeverClosed { opened });
            }
            if stop.is_none() {
                return Err(self.at_end(ParsedRecord::NeverClosed { opened }));
            }
            record.text.extend_from_slice(self.rest().get(..length).unwrap_or_default());
            self.at += length;
            let (first, second) = (self.peek(), self.bytes.get(self.at + 1).copied());
            match second {
                None if !self.is_all => return Err(ParsedRecord::Incomplete),
                Some(sign) if first == Some(b'\\') && (sign == quote || sign == b'\\') => {
                    record.text.push(sign);
                    self.at += 2;
                }
                _ if first == Some(b'\\') => {
                    record.text.push(b'\\');
                    self.at += 1;
                }
                Some(sign) if sign == quote => {
                    record.text.push(quote);
                    self.at += 2;
                }
                _ => {
                    self.at += 1;
                    return self.closed(opened);
                }
            }
        }
    }

    /// Behind a closing quote: blanks, then a delimiter or the end of the record.
    fn closed(&mut self, opened: usize) -> Result<After, ParsedRecord> {
        self.at += self.blanks();
        match self.peek() {
            None if !self.is_all => Err(ParsedRecord::Incomplete),
            None | Some(b'\n' | b'\r') => Ok(After::RecordEnd),
            Some(byte) if byte == self.dialect.delimiter => Ok(self.pass_delimiter()),
            Some(_) => Err(ParsedRecord::TextAfterQuote { opened }),
        }
    }

    /// `fault`, unless more bytes may follow.
    fn at_end(&self, fault: ParsedRecord) -> ParsedRecord {
        if self.is_all { fault } else { ParsedRecord::Incomplete }
    }
}
