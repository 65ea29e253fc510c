//! How the cells of a file are read, as far as the file and the client decide it.

use std::collections::BTreeMap;

use super::job_identity::JobIdentity;
use super::value::special::SpecialCells;
use crate::domain::detected::{DateOrder, DecimalSeparator, Detected};
use crate::domain::job::Job;
use crate::domain::options::{Currency, Hidden, NullWords, Options, Replacements};

/// Something that a file may be written in one way or another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Convention<T> {
    /// Nothing says which.
    #[default]
    Unknown,
    /// Other values of the file prove it.
    Proven(T),
    /// The client declares it.
    Declared(T),
}

/// How the cells of a file are read.
#[derive(Debug, Clone, Default)]
pub struct CellRules {
    /// How the file writes decimals.
    pub(super) decimal: Convention<DecimalSeparator>,
    /// The order of the file's dates.
    pub(super) dates: Convention<DateOrder>,
    /// What a currency sign or a unit beside a number does.
    pub(super) currency: Currency,
    /// Cells that are not their value.
    pub(super) special: SpecialCells,
    /// Cells after the last one of a row are empty, as in every sheet; in other files they say
    /// nothing, and the stored values stay.
    pub(super) rows_are_whole: bool,
    /// Rows that the sheet hides are left out.
    pub(super) skips_hidden: bool,
    /// A row with a warning fails.
    pub(super) strict: bool,
    /// What the values are made of that no row has.
    pub(super) job: JobIdentity,
    /// Column → the one value that its cells may have.
    pub(super) only: BTreeMap<String, String>,
    /// Column → name → what is meant.
    pub(super) replace: Replacements,
    /// Column → its value in every row that is in scope.
    pub(super) scope: BTreeMap<String, String>,
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
            decimal: match (options.decimal, detected.decimal) {
                (_, DecimalSeparator::Undeclared) => Convention::Unknown,
                (DecimalSeparator::Undeclared, proven) => Convention::Proven(proven),
                (_, declared) => Convention::Declared(declared),
            },
            dates: match (options.dates, detected.dates) {
                (_, None) => Convention::Unknown,
                (None, Some(proven)) => Convention::Proven(proven),
                (Some(_), Some(declared)) => Convention::Declared(declared),
            },
            currency: options.currency,
            special: SpecialCells::new(&options.nulls),
            rows_are_whole: detected.sheet.is_some(),
            skips_hidden: options.hidden == Hidden::Skip,
            strict: options.strict,
            only: options.only.clone(),
            replace: options.replace.clone(),
            scope: options.scope.clone(),
            job: JobIdentity::default(),
        }
    }

    /// The same rules for the rows that this job writes.
    #[must_use]
    pub fn of_job(mut self, job: &Job) -> Self {
        self.job = JobIdentity { uuid: job.uuid, created_at: job.created_at };
        self
    }
}
