//! The table that the benchmark prints: medians, with the smallest and largest beside them.

use std::fmt::Write as _;
use std::time::Duration;

use crate::files::{BenchFile, Format};
use crate::server::Import;

/// Everything that was measured for one file on one database.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) database: &'static str,
    pub(crate) file: BenchFile,
    /// Reading the file alone.
    pub(crate) reading: Vec<Duration>,
    /// The same rows by hand-written SQL.
    pub(crate) limit: Vec<Duration>,
    /// Loadbay, when a server was given.
    pub(crate) imports: Vec<Import>,
    /// The same with listeners, when any were asked for.
    pub(crate) heard: Vec<Import>,
}

/// The middle one; of an even number the lower of the two.
pub(crate) fn median<T: Copy + Ord>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

fn spread(values: &[Duration]) -> String {
    let (Some(middle), Some(least), Some(most)) =
        (median(values.iter().copied()), values.iter().min(), values.iter().max())
    else {
        return "-".to_owned();
    };
    format!("{:.2} s ({:.2}-{:.2})", middle.as_secs_f64(), least.as_secs_f64(), most.as_secs_f64())
}

fn per_second(rows: u32, took: Option<Duration>) -> String {
    took.map_or_else(
        || "-".to_owned(),
        |took| format!("{:.0}", f64::from(rows) / took.as_secs_f64()),
    )
}

fn milliseconds(value: Option<Duration>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.1} ms", value.as_secs_f64() * 1000.0))
}

fn mib(value: Option<u64>) -> String {
    value.filter(|kib| *kib > 0).map_or_else(|| "-".to_owned(), |kib| format!("{} MiB", kib / 1024))
}

/// The value below which this share of the sorted values lies.
fn percentile(sorted: &[Duration], share: usize) -> Option<Duration> {
    let place = (sorted.len() * share).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied()
}

impl Measured {
    /// What Loadbay is compared with: for CSV the limit, which reads the file as well; for a
    /// workbook the larger of reading alone and writing alone.
    fn yardstick(&self) -> Option<Duration> {
        let limit = median(self.limit.iter().copied());
        let reading = median(self.reading.iter().copied());
        if self.file.format == Format::Csv { limit } else { limit.max(reading) }
    }

    fn row(&self) -> String {
        let took: Vec<Duration> = self.imports.iter().map(|import| import.took).collect();
        let loadbay = median(took.iter().copied());
        let mut polls: Vec<Duration> =
            self.imports.iter().flat_map(|import| import.polls.iter().copied()).collect();
        polls.sort_unstable();
        let ratio = match (loadbay, self.yardstick()) {
            (Some(loadbay), Some(limit)) => {
                format!("{:.2}", loadbay.as_secs_f64() / limit.as_secs_f64())
            }
            _ => "-".to_owned(),
        };
        let limit = median(self.limit.iter().copied());
        let heard: Vec<Duration> = self.heard.iter().map(|import| import.took).collect();
        let slower = match (median(heard.iter().copied()), loadbay) {
            (Some(heard), Some(alone)) => {
                format!("{:.2}", heard.as_secs_f64() / alone.as_secs_f64())
            }
            _ => "-".to_owned(),
        };
        let cells = [
            self.database.to_owned(),
            format!("{} {}", self.file.content.as_str(), self.file.format.as_str()),
            self.file.rows.to_string(),
            format!("{} MB", self.file.bytes / 1_000_000),
            spread(&self.reading),
            spread(&self.limit),
            per_second(self.file.rows, limit),
            spread(&took),
            per_second(self.file.rows, loadbay),
            ratio,
            mib(self.imports.iter().map(|import| import.server_kib).max()),
            mib(self.imports.iter().map(|import| import.child_kib).max()),
            milliseconds(median(self.imports.iter().map(|import| import.accepted_after))),
            milliseconds(percentile(&polls, 50)),
            milliseconds(percentile(&polls, 99)),
            spread(&heard),
            slower,
            mib(self.heard.iter().map(|import| import.server_kib).max()),
        ];
        format!("| {} |", cells.join(" | "))
    }
}

/// The whole table in Markdown.
pub(crate) fn table(all: &[Measured]) -> String {
    let titles = [
        "database",
        "file",
        "rows",
        "size",
        "reading alone",
        "limit",
        "limit rows/s",
        "Loadbay",
        "Loadbay rows/s",
        "ratio",
        "server peak",
        "child peak",
        "202 after last byte",
        "poll p50",
        "poll p99",
        "with listeners",
        "to without",
        "peak with",
    ];
    let mut table = format!("| {} |\n|{}\n", titles.join(" | "), " --- |".repeat(titles.len()));
    for measured in all {
        let _ = writeln!(table, "{}", measured.row());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles_are_values_that_were_measured() {
        assert_eq!(median([3, 1, 2]), Some(2));
        assert_eq!(median([4, 1, 2, 3]), Some(2));
        assert_eq!(median::<u32>([]), None);
        let values: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&values, 50), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&values, 99), Some(Duration::from_millis(198)));
        assert_eq!(percentile(&[], 99), None);
    }
}
