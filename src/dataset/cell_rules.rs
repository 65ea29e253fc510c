//! How the cells of a file are read, as far as the file and the client decide it.

use super::value::special::SpecialCells;
use crate::domain::detected::{DecimalSeparator, Detected};
use crate::domain::options::{NullWords, Options};

/// How the cells of a file are read.
#[derive(Debug, Clone, Default)]
pub struct CellRules {
    /// How the file writes decimals.
    pub(super) decimal: DecimalSeparator,
    /// Cells that are not their value.
    pub(super) special: SpecialCells,
    /// Cells after the last one of a row are empty, as in every sheet; in other files they say
    /// nothing, and the stored values stay.
    pub(super) rows_are_whole: bool,
    /// A row with a warning fails.
    pub(super) strict: bool,
}

impl CellRules {
    /// The rules for a text of a definition: every word is a value.
    pub(super) fn of_definition() -> Self {
        Self { special: SpecialCells::new(&NullWords::none()), ..Self::default() }
    }

    /// The rules for a file of which this was detected, under these options.
    #[must_use]
    pub fn new(detected: &Detected, options: &Options) -> Self {
        Self {
            decimal: detected.decimal,
            special: SpecialCells::new(&options.nulls),
            rows_are_whole: detected.sheet.is_some(),
            strict: options.strict,
        }
    }
}
