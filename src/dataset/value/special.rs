//! Cells that are not their value: a value in a wrapper, a word for no value, a word for an error.

use crate::domain::options::NullWords;
use crate::domain::row::is_error_word;

/// What a cell is that is not its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum Special<'a> {
    /// The value stands in a wrapper, which keeps a spreadsheet from changing it.
    Wrapped(&'a str),
    /// A word that stands for no value.
    NoValue,
    /// A word that a spreadsheet writes where a formula failed.
    Error,
}

/// What a column says about such cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) struct Place<'a> {
    /// The column is part of the key.
    pub(in crate::dataset) is_key: bool,
    /// The cell names a record of another table.
    pub(in crate::dataset) is_reference: bool,
    /// The words that the column takes; none of them stands for no value.
    pub(in crate::dataset) allowed: &'a [String],
}

/// Recognises such cells.
#[derive(Debug, Clone)]
pub(in crate::dataset) struct SpecialCells {
    nulls: NullWords,
    /// Whether such a cell may begin with this byte: nearly all others end the look here.
    first_bytes: [bool; 256],
}

impl Default for SpecialCells {
    fn default() -> Self {
        Self::new(&NullWords::default())
    }
}

impl SpecialCells {
    /// With these words for no value.
    pub(in crate::dataset) fn new(nulls: &NullWords) -> Self {
        let mut first_bytes = [false; 256];
        let forms =
            nulls.words().iter().flat_map(|word| [word.to_lowercase(), word.to_uppercase()]);
        let own = ["=", "'", "#", "Err:", "-", "\u{2010}", "\u{2212}"].map(str::to_owned);
        for first in forms.chain(own).filter_map(|form| form.bytes().next()) {
            if let Some(flag) = first_bytes.get_mut(usize::from(first)) {
                *flag = true;
            }
        }
        Self { nulls: nulls.clone(), first_bytes }
    }

    /// What `cell`, a trimmed text, is unless it is its own value. `scratch` is used only for a
    /// wrapped text with quotes in it.
    pub(in crate::dataset) fn read<'a>(
        &self,
        cell: &'a str,
        place: Place<'_>,
        scratch: &'a mut String,
    ) -> Option<Special<'a>> {
        let first = cell.bytes().next()?;
        if !self.first_bytes.get(usize::from(first)).copied().unwrap_or_default() {
            return None;
        }
        if self.is_no_value(cell, place) {
            Some(Special::NoValue)
        } else if is_error_word(cell) {
            Some(Special::Error)
        } else if first == b'=' {
            quoted(cell, scratch).map(Special::Wrapped)
        } else {
            behind_apostrophe(cell, place.is_key).map(Special::Wrapped)
        }
    }

    fn is_no_value(&self, cell: &str, place: Place<'_>) -> bool {
        let words = self.nulls.words();
        // Not even one that is called `-`, unless nothing stands for no value.
        if place.is_reference && !words.is_empty() && cell.chars().all(is_dash) {
            return true;
        }
        let is_cell = |word: &String| is_same_word(word, cell);
        words.iter().any(is_cell) && !place.allowed.iter().any(is_cell)
    }
}

/// True for the same letters, whatever their case.
pub(in crate::dataset) fn is_same_word(word: &str, cell: &str) -> bool {
    word.eq_ignore_ascii_case(cell)
        || (!cell.is_ascii() && word.to_lowercase() == cell.to_lowercase())
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The value of `="000123"`: a formula that is nothing but a text.
fn quoted<'a>(cell: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    let inner = cell.strip_prefix("=\"")?.strip_suffix('"')?;
    if !inner.contains('"') {
        return Some(inner);
    }
    if inner.replace("\"\"", "").contains('"') {
        // More than one text: a formula that joins them.
        return None;
    }
    *scratch = inner.replace("\"\"", "\"");
    Some(scratch)
}

/// The value of `'000123`: the apostrophe is how people tell a spreadsheet that a number is a text.
/// No key begins with one; elsewhere (`'n Beetje`, `'90s`) it belongs to the text.
fn behind_apostrophe(cell: &str, is_key: bool) -> Option<&str> {
    let value = cell.strip_prefix('\'')?;
    let is_number = value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b',' | b'-' | b'+'));
    (is_number || (is_key && !value.ends_with('\''))).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Place<'_> = Place { is_key: false, is_reference: false, allowed: &[] };

    #[track_caller]
    fn check(cell: &str, place: Place<'_>, expected: Option<Special<'_>>) {
        let cells = SpecialCells::default();
        assert_eq!(cells.read(cell, place, &mut String::new()), expected, "{cell}");
    }

    #[test]
    fn a_wrapper_is_taken_off() {
        let key = Place { is_key: true, ..TEXT };
        for (cell, value) in [
            ("=\"000123\"", "000123"),
            ("=\"\"", ""),
            ("=\"Nail 2\"\"\"", "Nail 2\""),
            ("'000123", "000123"),
            ("'-2,50", "-2,50"),
        ] {
            check(cell, TEXT, Some(Special::Wrapped(value)));
            check(cell, key, Some(Special::Wrapped(value)));
        }
        check("'AB-1", key, Some(Special::Wrapped("AB-1")));
        for cell in ["=", "=1+2", "=\"a\"&\"b\"", "=\"a", "'90s", "'n Beetje", "'", "'-", "''"] {
            check(cell, TEXT, None);
        }
        check("'AB-1'", key, None);
        check("'", key, Some(Special::Wrapped("")));
    }

    #[test]
    fn words_for_no_value_are_whole_cells() {
        for cell in ["NULL", "null", "\\N", "nan", "NaN", "None", "N/A", "n/a"] {
            check(cell, TEXT, Some(Special::NoValue));
        }
        for cell in ["Nux", "NULLS", "N", "none of them", "\\Nn", "-"] {
            check(cell, TEXT, None);
        }
        let brand = Place { is_reference: true, ..TEXT };
        for cell in ["-", "--", "\u{2013}", "\u{2014}"] {
            check(cell, brand, Some(Special::NoValue));
        }
        check("-A-", brand, None);
        let allowed = ["None".to_owned(), "Some".to_owned()];
        check("none", Place { allowed: &allowed, ..TEXT }, None);
    }

    #[test]
    fn the_words_can_be_others_or_none() {
        let read = |words: &str, cell: &'static str| {
            let options = crate::domain::options::Options::parse([("nulls", words)]).unwrap();
            let place = Place { is_reference: true, ..TEXT };
            SpecialCells::new(&options.nulls).read(cell, place, &mut String::new()).is_some()
        };
        assert!(read("keine,НЕТ", "Keine") && read("keine,НЕТ", "нет"));
        assert!(!read("keine", "NULL"));
        assert!(!read("", "NULL") && !read("", "-"));
    }

    #[test]
    fn errors_of_a_spreadsheet_are_no_texts() {
        for cell in ["#N/A", "#DIV/0!", "#REF!", "#NV", "Err:502"] {
            check(cell, TEXT, Some(Special::Error));
        }
        for cell in ["#1", "#", "#sale!", "#N/A?", "Err:", "Err:5a", "Err"] {
            check(cell, TEXT, None);
        }
    }
}
