//! A row: one raw line of the file, as the reader hands it on. Owned buffers that are filled again
//! and again, so that reading a row allocates nothing.

use super::meet::ElementFault;
use super::row_error::RowCode;
use super::row_number::RowNumber;
use super::warning::WarningCode;

/// What the file says a cell is. CSV knows only text; a workbook has types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Text as it stands in the file. An empty text is an empty cell.
    Text,
    /// A number of a workbook, written out exactly with at most 15 significant digits (what a
    /// spreadsheet keeps): `4006381333931`, `19.99`, `-0.5`; never an exponent.
    Number,
    /// A number of a workbook whose digits do not fit 15 places: what the file once said is lost.
    LossyNumber,
    /// A number of a workbook of which the cell shows fewer decimals than the text has.
    RoundedNumber {
        /// Digits after the point that the cell shows.
        decimals: u8,
    },
    /// A number of a workbook that the cell shows times 100 with a percent sign, as the text has it:
    /// `28.5%`.
    Percent {
        /// Digits after the point that the cell shows, where they are fewer than the text has.
        decimals: Option<u8>,
    },
    /// A number of a workbook that the cell shows with words around or signs within: `SKU-0012`,
    /// `12 kg`. [`RawRow::number`] has the number.
    Labelled {
        /// Digits after the point that the cell shows, where they are fewer than the number has.
        decimals: Option<u8>,
    },
    /// `true` or `false`.
    Boolean,
    /// A day of a workbook that the cell shows without its year or its day: what a spreadsheet makes
    /// of `MAR1` or `10-12`.
    ShortDay,
    /// A day of a workbook: `2026-11-22`.
    Date,
    /// A point in time of a workbook: `2026-11-22T08:30:00`.
    DateTime,
    /// A time of day or a duration of a workbook: `08:30:00`.
    Time,
    /// An error value of a workbook: `#N/A`, `#REF!`.
    Error,
    /// A formula without a stored value.
    NoValue,
    /// Bytes that are not text in the file's encoding; the text shows U+FFFD in their place.
    BadEncoding,
    /// The row has no such value: an object without this key.
    Missing,
}

/// What spreadsheets write where a formula failed, in the languages of their users. The English ones
/// are those of ECMA-376, part 1, 18.17.3, and newer ones.
const ERROR_WORDS: &[&str] = &[
    "#N/A",
    "#REF!",
    "#DIV/0!",
    "#VALUE!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#GETTING_DATA",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#BUSY!",
    "#PYTHON!",
    "#UNKNOWN!",
    // German.
    "#NV",
    "#BEZUG!",
    "#WERT!",
    "#ZAHL!",
    // French.
    "#VALEUR!",
    "#NOM?",
    "#NOMBRE!",
    "#NUL!",
    // Spanish.
    "#\u{a1}REF!",
    "#\u{a1}DIV/0!",
    "#\u{a1}VALOR!",
    "#\u{bf}NOMBRE?",
    "#\u{a1}NUM!",
    "#\u{a1}NULO!",
    // Italian and Portuguese.
    "#N/D",
    "#RIF!",
    "#VALORE!",
    "#VALOR!",
    "#NOME?",
    "#N\u{da}M!",
    // Dutch.
    "#N/B",
    "#VERW!",
    "#WAARDE!",
    "#NAAM?",
    "#GETAL!",
];

/// True for a text that is an error of a spreadsheet, as it stands in a file without types:
/// `#DIV/0!`, and `Err:502` of `LibreOffice`.
#[must_use]
pub fn is_error_word(text: &str) -> bool {
    match text.strip_prefix("Err:") {
        Some(code) => !code.is_empty() && code.bytes().all(|digit| digit.is_ascii_digit()),
        None => text.starts_with('#') && ERROR_WORDS.contains(&text),
    }
}

/// What is wrong with a row as a whole, so that its cells mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// CSV: behind the end of a text in quotes stands neither a delimiter nor a line end.
    #[error(
        "the text in quotes that begins in line {line} goes on behind its closing quote; write a \
         quote that belongs to the text twice, such as `\"24\"\" wide\"`"
    )]
    TextAfterQuote {
        /// The line of the opening quote.
        line: u64,
    },
    /// CSV: a text in quotes has no end, or none within the bytes that a field may have.
    #[error(
        "the quote that opens in line {line} is not closed in this file, or not within a megabyte; \
         close it, or write a quote that belongs to the text twice within quotes"
    )]
    QuoteNeverClosed {
        /// The line of the opening quote.
        line: u64,
    },
    /// CSV: a text in quotes goes over lines that are rows of their own.
    #[error(
        "the text in quotes that begins in line {line} goes over lines that are rows of their own; \
         remove the quote, or write it twice within quotes"
    )]
    RowsInQuotes {
        /// The line of the opening quote.
        line: u64,
    },
    /// CSV: this row and those beside it are parts of one.
    #[error(
        "rows {first} to {last} add up to one row of {columns} cells, so a line break stands inside \
         of a text; put quotes around that text, or remove the line break"
    )]
    BrokenRow {
        /// The row that begins it.
        first: RowNumber,
        /// The row that ends it.
        last: RowNumber,
        /// Columns of the header.
        columns: usize,
    },
    /// JSON: the text of the row breaks the rules of JSON.
    #[error("the row is no JSON object: {expected} is missing at its character {at}")]
    NotAnObject {
        /// What should stand there.
        expected: &'static str,
        /// The character of the text, from 1.
        at: usize,
    },
    /// JSON: two members of the object have the same key.
    #[error("the object has the key `{key}` twice; leave one of them out")]
    RepeatedKey {
        /// The key.
        key: String,
    },
    /// JSON: a key that has no column.
    #[error(
        "the object has the key `{key}`, which none of the first objects has; write it in the first \
         object too, with `null` if need be"
    )]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// JSON: the text of the row has too many bytes.
    #[error("the object is longer than {bytes_max} bytes")]
    ObjectTooLong {
        /// Bytes of an object at most.
        bytes_max: usize,
    },
    /// JSON: a value has too many bytes.
    #[error("the value of `{key}` is longer than {bytes_max} bytes")]
    ValueTooLong {
        /// Its key.
        key: String,
        /// Bytes of a value at most.
        bytes_max: usize,
    },
    /// DSV: a line of a meet definition list.
    #[error("line {line}{}{element}: {fault}", if element.is_empty() { "" } else { ", " })]
    Element {
        /// The line.
        line: u64,
        /// The element's name; empty where there is none.
        element: String,
        /// What is wrong with it.
        fault: ElementFault,
    },
}

/// Bytes of a faulty line that are kept, for the list of failed rows: the list must stay readable.
const FAULTY_LINE_BYTES: usize = 32 << 10;

impl RowFault {
    /// The code of the row error that it becomes.
    #[must_use]
    pub fn code(&self) -> RowCode {
        match self {
            Self::TextAfterQuote { .. }
            | Self::QuoteNeverClosed { .. }
            | Self::RowsInQuotes { .. }
            | Self::BrokenRow { .. }
            | Self::NotAnObject { .. }
            | Self::RepeatedKey { .. }
            | Self::Element { .. } => RowCode::MalformedRow,
            Self::UnknownKey { .. } => RowCode::UnknownKey,
            Self::ObjectTooLong { .. } | Self::ValueTooLong { .. } => RowCode::TooLong,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    end: usize,
    kind: CellKind,
}

/// One raw line of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawRow {
    /// The number that a spreadsheet shows; the header is row 1 unless `headerRow` says otherwise.
    pub row_number: RowNumber,
    /// The physical line on which the row begins (1-based); in a workbook the same as the row.
    pub line: u64,
    /// What is wrong with the row as a whole: it fails, and its cells only show what stands there.
    pub fault: Option<RowFault>,
    /// What a person should see of the row though it is good.
    pub warning: Option<WarningCode>,
    /// The sheet hides the row.
    pub is_hidden: bool,
    text: String,
    spans: Vec<Span>,
    numbers: Vec<LabelledNumber>,
    repeated: Vec<usize>,
}

/// The number of a cell that shows more than its number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LabelledNumber {
    cell: usize,
    number: String,
}

impl RawRow {
    /// An empty row.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the cells, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
        self.numbers.clear();
        self.repeated.clear();
        self.fault = None;
        self.warning = None;
        self.is_hidden = false;
    }

    /// Adds a cell on the right.
    pub fn push(&mut self, kind: CellKind, text: &str) {
        self.text.push_str(text);
        self.spans.push(Span { end: self.text.len(), kind });
    }

    /// Makes it a row of which only the line is known: that stands behind the columns, where the list
    /// of failed rows shows what has no column.
    pub fn push_faulty(&mut self, fault: RowFault, columns: usize, line: &str) {
        for _ in 0..columns {
            self.push(CellKind::Text, "");
        }
        let line = line.trim_end_matches(['\r', '\n']);
        if line.len() > FAULTY_LINE_BYTES {
            let cut = line.get(..line.floor_char_boundary(FAULTY_LINE_BYTES)).unwrap_or_default();
            self.push(CellKind::Text, &[cut, "…"].concat());
        } else {
            self.push(CellKind::Text, line);
        }
        self.fault = Some(fault);
    }

    /// Gives the cell that was added last its number.
    pub fn set_number(&mut self, number: &str) {
        let Some(cell) = self.spans.len().checked_sub(1) else { return };
        self.numbers.push(LabelledNumber { cell, number: number.to_owned() });
    }

    /// The number of the cell at `index`, if it is a [`CellKind::Labelled`].
    #[must_use]
    pub fn number(&self, index: usize) -> Option<&str> {
        let found = self.numbers.iter().find(|it| it.cell == index)?;
        Some(&found.number)
    }

    /// Marks the cell that was added last: its value is that of the merged cell above.
    pub fn set_repeated(&mut self) {
        self.repeated.extend(self.spans.len().checked_sub(1));
    }

    /// The cells that have the value of the merged cell above, from left to right.
    #[must_use]
    pub fn repeated(&self) -> &[usize] {
        &self.repeated
    }

    /// Bytes of text in all cells.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// Number of cells, empty ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// True without any cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The cell at `index` (from 0), or `None` past the end of a short row.
    #[must_use]
    pub fn cell(&self, index: usize) -> Option<(&str, CellKind)> {
        let span = self.spans.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => self.spans.get(before)?.end,
            None => 0,
        };
        Some((self.text.get(start..span.end)?, span.kind))
    }

    /// All cells from left to right.
    pub fn cells(&self) -> impl Iterator<Item = (&str, CellKind)> {
        (0..self.len()).filter_map(|index| self.cell(index))
    }

    /// True when every cell is empty or white space: such a row is skipped and never counted.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let is_blank = |(text, kind): (&str, CellKind)| match kind {
            CellKind::Text => text.trim().is_empty(),
            kind => kind == CellKind::Missing,
        };
        self.fault.is_none() && self.cells().all(is_blank)
    }
}

/// The raw rows of a chunk in one block: kept until the chunk is committed, so that a row which
/// the database refuses can be handed back as it stood in the file.
#[derive(Debug, Clone, Default)]
pub struct RawRows {
    text: String,
    ends: Vec<u32>,
    rows: Vec<(u64, u32)>,
}

impl RawRows {
    /// Forgets the rows, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.rows.clear();
    }

    /// Copies a row in. A chunk is cut long before the 4 GiB that these places can count.
    pub fn push(&mut self, row: &RawRow) {
        let base = self.text.len();
        self.text.push_str(&row.text);
        self.ends.extend(row.spans.iter().map(|span| place(base + span.end)));
        self.rows.push((row.line, place(self.ends.len())));
    }

    /// The physical line of row `index`, and its cells.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<(u64, Vec<String>)> {
        let (line, end) = *self.rows.get(index)?;
        let begin = match index.checked_sub(1) {
            Some(before) => self.rows.get(before)?.1,
            None => 0,
        };
        let mut start = match begin.checked_sub(1) {
            Some(before) => *self.ends.get(before as usize)? as usize,
            None => 0,
        };
        let ends = self.ends.get(begin as usize..end as usize)?;
        let mut cells = Vec::with_capacity(ends.len());
        for stop in ends {
            cells.push(self.text.get(start..*stop as usize)?.to_owned());
            start = *stop as usize;
        }
        Some((line, cells))
    }
}

fn place(at: usize) -> u32 {
    let place = u32::try_from(at);
    assert!(place.is_ok(), "a chunk holds less than 4 GiB of cells");
    place.unwrap_or_default()
}

/// Where a part of a row is taken from in the file, for errors that end a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowPosition {
    /// Row as a spreadsheet shows it.
    pub row_number: u64,
    /// Physical line, 1-based.
    pub line: u64,
}

impl std::fmt::Display for RowPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row {} (line {})", self.row_number, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_gives_each_row_back() {
        let (mut block, mut row) = (RawRows::default(), RawRow::new());
        for cells in [vec!["a", "", "ö"], vec![], vec!["x"]] {
            row.clear();
            row.line += 2;
            for cell in cells {
                row.push(CellKind::Text, cell);
            }
            block.push(&row);
        }
        assert_eq!(block.get(0), Some((2, vec!["a".into(), String::new(), "ö".into()])));
        assert_eq!(block.get(1), Some((4, vec![])));
        assert_eq!(block.get(2), Some((6, vec!["x".into()])));
        assert_eq!(block.get(3), None);
    }

    #[test]
    fn cells_come_back_as_pushed() {
        let mut row = RawRow::new();
        row.push(CellKind::Text, "a");
        row.push(CellKind::Text, "");
        row.push(CellKind::Number, "12");
        assert_eq!(row.cell(0), Some(("a", CellKind::Text)));
        assert_eq!(row.cell(1), Some(("", CellKind::Text)));
        assert_eq!(row.cell(2), Some(("12", CellKind::Number)));
        assert_eq!(row.cell(3), None);
        assert!(!row.is_blank());
        row.clear();
        assert!(row.is_empty());
        row.push(CellKind::Text, "\u{a0} ");
        assert!(row.is_blank());
    }
}
