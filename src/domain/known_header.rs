//! What a dataset knows of a row of a file that may be its header. The reader of a file is handed
//! this instead of the dataset itself.

/// The column of a dataset that a header cell feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownColumn {
    /// Which of the dataset's columns, from 0.
    pub index: usize,
    /// No row may lack it.
    pub is_required: bool,
}

/// A row of a file, read as a header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownHeader {
    /// For each cell the column that it feeds, or nothing.
    pub cells: Vec<Option<KnownColumn>>,
    /// Every required column is fed.
    pub is_complete: bool,
}

impl KnownHeader {
    /// How many different columns the cells feed.
    #[must_use]
    pub fn columns(&self) -> usize {
        let mut fed: Vec<usize> = self.cells.iter().flatten().map(|known| known.index).collect();
        fed.sort_unstable();
        fed.dedup();
        fed.len()
    }

    /// Larger for the row that is rather the header: one with every required column before one
    /// without, then the one with more columns.
    #[must_use]
    pub fn rank(&self) -> (bool, usize) {
        (self.is_complete, self.columns())
    }

    /// False for a row whose few known words may as well be values.
    #[must_use]
    pub fn is_convincing(&self) -> bool {
        self.is_complete || self.columns() > 1
    }
}
