//! A limit of rows, such as those that may fail before a job ends: a number, or a share of all.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A whole percent in the unit of shares.
const PERCENT: u64 = 1_000;

/// Digits of a share behind its point.
const DIGITS: usize = 3;

/// Rows at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowLimit {
    /// So many.
    Rows(u64),
    /// A share of all of them, in thousandths of a percent.
    Share(u64),
}

impl RowLimit {
    /// Reads `100`, `5%` or `0.5%`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some(share) = text.strip_suffix('%') else {
            return text.parse().ok().map(Self::Rows);
        };
        let share = share.trim_end();
        let (whole, part) = share.split_once('.').unwrap_or((share, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_share = !whole.is_empty() && is_number(whole) && is_number(part);
        if !is_share || part.len() > DIGITS || share.ends_with('.') {
            return None;
        }
        let part: u64 = format!("{part:0<DIGITS$}").parse().ok()?;
        let share = whole.parse::<u64>().ok()?.checked_mul(PERCENT)?.checked_add(part)?;
        (share <= 100 * PERCENT).then_some(Self::Share(share))
    }

    /// Rows that are allowed of `total`.
    #[must_use]
    pub fn allows(self, total: u64) -> u64 {
        match self {
            Self::Rows(rows) => rows,
            Self::Share(share) => {
                let rows = u128::from(total) * u128::from(share) / u128::from(100 * PERCENT);
                u64::try_from(rows).unwrap_or(u64::MAX)
            }
        }
    }
}

impl fmt::Display for RowLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Share(share) if share % PERCENT == 0 => write!(f, "{}%", share / PERCENT),
            Self::Share(share) => {
                let part = format!("{:0DIGITS$}", share % PERCENT);
                write!(f, "{}.{}%", share / PERCENT, part.trim_end_matches('0'))
            }
        }
    }
}

impl Serialize for RowLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Rows(rows) => serializer.serialize_u64(*rows),
            Self::Share(_) => serializer.collect_str(self),
        }
    }
}

/// As it is stored.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredLimit {
    Rows(u64),
    Share(String),
}

impl<'de> Deserialize<'de> for RowLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match StoredLimit::deserialize(deserializer)? {
            StoredLimit::Rows(rows) => Ok(Self::Rows(rows)),
            StoredLimit::Share(text) => Self::parse(&text)
                .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no limit of rows"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shares_are_read_and_written() {
        for (text, total, allowed) in [
            ("0", 100, 0),
            ("7", 3, 7),
            ("5%", 199, 9),
            ("0.5%", 1_000, 5),
            ("0.001%", 100_000, 1),
            ("100%", 12, 12),
            ("12.25%", u64::MAX, 2_259_726_149_029_420_072),
        ] {
            let limit = RowLimit::parse(text).unwrap();
            assert_eq!((limit.allows(total), limit.to_string().as_str()), (allowed, text));
            let stored = serde_json::to_string(&limit).unwrap();
            assert_eq!(serde_json::from_str::<RowLimit>(&stored).unwrap(), limit);
        }
        assert_eq!(RowLimit::parse("5 %"), Some(RowLimit::Share(5_000)));
        for refused in
            ["", "%", "-1", "-1%", "101%", "1.%", ".5%", "1,5%", "0.0001%", "5%%", "many"]
        {
            assert_eq!(RowLimit::parse(refused), None, "{refused}");
        }
    }
}
