//! A preview as clients see it: which header cell feeds which column, and the first rows with what
//! is wrong with them.

use serde::Serialize;

use crate::dataset::model::{Column, Dataset};
use crate::dataset::{
    CellRules, Constant, Converter, Match, Plan, Suggestion, conventions, header_warnings,
    read_header, suggestions,
};
use crate::domain::detected::Detected;
use crate::domain::new_reference::NewReferencesView;
use crate::domain::options::Mode;
use crate::domain::record::Records;
use crate::domain::row::RawRow;
use crate::domain::row_error::{RowCode, RowError, shown};
use crate::domain::row_number::RowNumber;
use crate::domain::saved_mapping::MappingName;
use crate::domain::warning::{WarningView, Warnings};
use crate::http::problem::ProblemPart;
use crate::jobs::{ImportRequest, SampleRecords, check_version};
use crate::reader::Inspection;

/// Rows that are shown.
const ROWS_SHOWN: usize = 10;

/// Rows whose values are shown as those of a column.
const SAMPLED_ROWS: usize = 20;

/// Different values that are shown of a column.
const SAMPLES_SHOWN: usize = 3;

/// A preview, in the order of its members in JSON.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct PreviewView<'a> {
    dataset: &'a str,
    file_name: &'a str,
    file_size: u64,
    /// The file is only the beginning of one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) part: bool,
    detected: Detected,
    /// Every worksheet, for those who want another one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sheets: Vec<String>,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_mapping: Option<&'a str>,
    columns: Vec<PreviewColumnView<'a>>,
    /// The columns that the option `set` gives a value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    constants: Vec<ConstantView<'a>>,
    missing: Vec<MissingColumnView<'a>>,
    /// What the first rows would create in other tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) new_references: Vec<NewReferencesView<'a>>,
    faults: Vec<ProblemPart>,
    warnings: Vec<WarningView>,
    rows: Vec<PreviewRowView>,
}

/// A cell of the header.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct PreviewColumnView<'a> {
    header: String,
    index: usize,
    column: Option<&'a str>,
    title: Option<&'a str>,
    required: bool,
    samples: Vec<String>,
    /// Of a header that is not known: the column that it probably means.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<SuggestionView<'a>>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct SuggestionView<'a> {
    column: &'a str,
    title: &'a str,
    confidence: f64,
}

/// A column that has the same value in every row.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ConstantView<'a> {
    column: &'a str,
    title: &'a str,
    value: String,
}

/// A column that nothing in the file feeds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct MissingColumnView<'a> {
    column: &'a str,
    title: &'a str,
    required: bool,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct PreviewRowView {
    row_number: RowNumber,
    cells: Vec<String>,
    errors: Vec<PreviewErrorView>,
}

/// A row error without its row.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct PreviewErrorView {
    column: Option<String>,
    code: RowCode,
    message: String,
    value: Option<String>,
}

impl<'a> PreviewView<'a> {
    /// What was found in the file of a request, and its first rows as records.
    pub(super) fn of(
        request: &'a ImportRequest,
        mut inspection: Inspection,
    ) -> (Self, SampleRecords) {
        let dataset = &request.dataset;
        let (matched, faults) = read_header(dataset, &inspection.header, &request.options);
        let mut warnings =
            header_warnings(dataset, &inspection.header, &matched, &inspection.sample);
        let mut parts: Vec<_> = faults.iter().map(ProblemPart::of_header).collect();
        if request.options.mode == Mode::Newer {
            parts.extend(
                check_version(dataset, &matched).err().map(|it| ProblemPart::of_version(&it)),
            );
        }
        let suggested = suggestions(dataset, &inspection.header, &matched);
        let (names, fed) = (matched.names(dataset), &matched.columns);
        let columns = inspection.header.iter().zip(fed.iter().zip(&suggested)).enumerate().map(
            |(index, (header, (fed, suggested)))| {
                let column = fed.and_then(|column| dataset.columns.get(column));
                PreviewColumnView {
                    header: header.clone(),
                    index,
                    column: column.map(|column| column.name.as_str()),
                    title: column.map(|column| column.title.as_str()),
                    required: column.is_some_and(|column| column.required),
                    samples: samples(&inspection.sample, index, &|text| {
                        dataset.shown(column, text)
                    }),
                    suggestion: suggested.and_then(|it| SuggestionView::of(it, dataset)),
                }
            },
        );
        let columns = columns.collect();
        warnings.merge(&inspection.warnings);
        if dataset.has_sensitive() {
            warnings.hide_texts();
        }
        let sample = std::mem::take(&mut inspection.sample);
        let sheets = std::mem::take(&mut inspection.sheets);
        let conventions = conventions(dataset, fed, &sample, &request.options);
        let detected = inspection.into_detected(names, conventions);
        let rules = CellRules::new(&detected, &request.options);
        let plan = Plan::of_what_fits(dataset, &matched);
        let mut converter = Converter::new(dataset, &plan, rules).with_header(&detected.header);
        let column_of = |cell: usize| {
            fed.get(cell).copied().flatten().and_then(|column| dataset.columns.get(column))
        };
        let shown_cell = |row: &RawRow, cell: usize, text: &str| {
            // The cells of a row that breaks the rules of the format may be any columns'.
            let column = if row.fault.is_some() { None } else { column_of(cell) };
            shown(dataset.shown(column, text))
        };
        let rows = rows(&mut converter, &sample, &shown_cell, &mut warnings);
        let records = SampleRecords::new(&plan, &mut converter, &sample);
        let view = Self {
            dataset: &dataset.name,
            file_name: &request.file_name,
            file_size: request.upload.size,
            part: false,
            ready: parts.is_empty(),
            saved_mapping: request.options.saved_mapping.as_ref().map(MappingName::as_str),
            columns,
            constants: constants(dataset, &matched),
            missing: missing(dataset, &matched),
            new_references: Vec::new(),
            faults: parts,
            rows,
            detected,
            sheets,
            warnings: warnings.iter().map(WarningView::of).collect(),
        };
        (view, records)
    }
}

impl<'a> SuggestionView<'a> {
    fn of(suggestion: Suggestion, dataset: &'a Dataset) -> Option<Self> {
        let column = dataset.columns.get(suggestion.column)?;
        let confidence = suggestion.confidence;
        Some(Self { column: &column.name, title: &column.title, confidence })
    }
}

/// The first different values of a column that say something, among its first cells.
fn samples(rows: &[RawRow], index: usize, shown_text: &dyn Fn(&str) -> &str) -> Vec<String> {
    let mut samples: Vec<String> = Vec::with_capacity(SAMPLES_SHOWN);
    for row in rows.iter().take(SAMPLED_ROWS) {
        let text = row.cell(index).map_or("", |(text, _)| text.trim());
        let value = shown(shown_text(text));
        if !text.is_empty() && !samples.contains(&value) {
            samples.push(value);
        }
        if samples.len() == SAMPLES_SHOWN {
            break;
        }
    }
    samples
}

/// The columns that the upload sets.
fn constants<'a>(dataset: &'a Dataset, matched: &Match) -> Vec<ConstantView<'a>> {
    let view = |(index, constant): (usize, &Constant)| {
        let column = dataset.columns.get(index)?;
        let value = shown(constant.text());
        Some(ConstantView { column: &column.name, title: &column.title, value })
    };
    matched.constants.iter().filter_map(view).collect()
}

/// The columns that nothing feeds, required ones first.
fn missing<'a>(dataset: &'a Dataset, matched: &Match) -> Vec<MissingColumnView<'a>> {
    let each = dataset.columns.iter().enumerate();
    let mut missing: Vec<&Column> =
        each.filter(|(index, _)| !matched.has(*index)).map(|(_, column)| column).collect();
    missing.sort_by_key(|column| !column.required);
    let view = |column: &'a Column| MissingColumnView {
        column: &column.name,
        title: &column.title,
        required: column.required,
    };
    missing.into_iter().map(view).collect()
}

/// The first rows, with the errors that converting them gives.
fn rows(
    converter: &mut Converter,
    sample: &[RawRow],
    shown_cell: &dyn Fn(&RawRow, usize, &str) -> String,
    warnings: &mut Warnings,
) -> Vec<PreviewRowView> {
    let mut records = Records::new(converter.width());
    let mut convert = |row: &RawRow| {
        if let Some(code) = converter.skips(row) {
            warnings.add(code, None, Some(row.row_number), None);
            return Vec::new();
        }
        match converter.convert(row, &mut records) {
            Ok(()) => {
                converter.count_warnings(row, warnings);
                Vec::new()
            }
            Err(errors) => errors,
        }
    };
    let mut view = |row: &RawRow| PreviewRowView {
        row_number: row.row_number,
        cells: row
            .cells()
            .enumerate()
            .map(|(cell, (text, _))| shown_cell(row, cell, text))
            .collect(),
        errors: convert(row).into_iter().map(PreviewErrorView::of).collect(),
    };
    sample.iter().take(ROWS_SHOWN).map(&mut view).collect()
}

impl PreviewErrorView {
    fn of(error: RowError) -> Self {
        let RowError { column, code, message, value, .. } = error;
        Self { column, code, message, value }
    }
}
