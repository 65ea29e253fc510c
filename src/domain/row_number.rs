//! The number of a row.

use serde::{Deserialize, Serialize};

/// The number that a spreadsheet shows beside a row: the header is row 1 unless `headerRow` says
/// otherwise. 0 stands before the first row.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct RowNumber(u32);

impl RowNumber {
    /// Before the first row.
    pub const NONE: Self = Self(0);

    /// The row with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The row after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl From<RowNumber> for u128 {
    fn from(row: RowNumber) -> Self {
        row.0.into()
    }
}

impl From<RowNumber> for u64 {
    fn from(row: RowNumber) -> Self {
        row.0.into()
    }
}

/// As the database stores it.
impl From<RowNumber> for i64 {
    fn from(row: RowNumber) -> Self {
        row.0.into()
    }
}

impl TryFrom<u64> for RowNumber {
    type Error = std::num::TryFromIntError;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        number.try_into().map(Self)
    }
}

impl TryFrom<i64> for RowNumber {
    type Error = std::num::TryFromIntError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        number.try_into().map(Self)
    }
}

impl std::str::FromStr for RowNumber {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl std::fmt::Display for RowNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
