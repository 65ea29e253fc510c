//! The datasets and their templates.

use actix_web::{HttpRequest, HttpResponse, web};
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde::Serialize;

use super::access;
use super::api::Api;
use super::csv_text::{BOM, write_record};
use super::download;
use super::envelope;
use super::path_prefix;
use super::problem::Problem;
use super::query::Query;
use crate::dataset::model::{
    Column, ColumnDefault, ColumnType, Dataset, DateFormat, Pattern, Reference, ReferencePart, Run,
};
use crate::dataset::{json_schema, template_example, template_header, template_object};
use crate::domain::error_code::ErrorCode;
use crate::domain::path_prefix::PathPrefix;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DatasetView<'a> {
    name: &'a str,
    title: &'a str,
    table: &'a str,
    run: &'static str,
    key: Vec<&'a str>,
    version_column: Option<&'a str>,
    columns: Vec<DatasetColumnView<'a>>,
    links: DatasetLinks,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct DatasetList<'a> {
    datasets: Vec<DatasetSummary<'a>>,
}

/// A dataset among others.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DatasetSummary<'a> {
    name: &'a str,
    title: &'a str,
    columns: usize,
    required: Vec<&'a str>,
    /// By which `mode=newer` tells versions apart.
    version_column: Option<&'a str>,
    links: DatasetLinks,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DatasetLinks {
    #[serde(rename = "self")]
    itself: String,
    import: String,
    template_csv: String,
    template_ndjson: String,
    template_xlsx: String,
    rows_csv: String,
    rows_xlsx: String,
    schema: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DatasetColumnView<'a> {
    name: &'a str,
    title: &'a str,
    #[serde(rename = "type")]
    kind: String,
    required: bool,
    max_length: Option<u32>,
    min: Option<String>,
    max: Option<String>,
    percent: bool,
    allowed: &'a [String],
    pattern: Option<&'a str>,
    formats: Vec<&'a str>,
    aliases: &'a [String],
    fallback_aliases: &'a [String],
    default: Option<DefaultView<'a>>,
    sensitive: bool,
    description: Option<&'a str>,
    references: Option<ReferenceView<'a>>,
    /// The column whose record its cells help to name.
    #[serde(skip_serializing_if = "Option::is_none")]
    part_of: Option<&'a str>,
    /// The join table that its lists go into.
    #[serde(skip_serializing_if = "Option::is_none")]
    into: Option<JoinTableView<'a>>,
    history: Option<&'a str>,
    example: Option<&'a str>,
}

/// What a new record gets where its row has no value, as the definition says it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum DefaultView<'a> {
    Value {
        value: &'a str,
    },
    Column {
        column: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        case: Option<&'static str>,
    },
    Generated {
        generate: &'static str,
    },
}

impl<'a> DefaultView<'a> {
    fn of(default: &'a ColumnDefault) -> Self {
        match default {
            ColumnDefault::Constant(constant) => Self::Value { value: constant.text() },
            ColumnDefault::Column { name, case } => {
                Self::Column { column: name, case: case.word() }
            }
            ColumnDefault::Now => Self::Generated { generate: "now" },
            ColumnDefault::Uuid => Self::Generated { generate: "uuid" },
        }
    }
}

/// A table that says which items a record has, a row for each.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct JoinTableView<'a> {
    table: &'a str,
    /// Its column for the record.
    owner: &'a str,
    /// Its column for the item.
    item: &'a str,
    references: ReferenceView<'a>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ReferenceView<'a> {
    table: &'a str,
    #[serde(rename = "match")]
    match_column: &'a str,
    key: &'a str,
    create: bool,
    /// The other columns of the table by which a record is found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    with: Vec<ReferencePartView<'a>>,
}

/// A further column of the other table, and the column of the dataset that is compared with it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ReferencePartView<'a> {
    #[serde(rename = "match")]
    match_column: &'a str,
    column: &'a str,
}

/// `GET /api/v1/datasets`.
pub(super) async fn list(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let prefix = path_prefix::of(&request);
    let (current, caller) = (api.datasets.current(), access::caller(&request));
    let offered = current.iter().filter(|it| caller.may_use(&it.dataset.name));
    let datasets: Vec<_> = offered.map(|it| summary(&it.dataset, &prefix)).collect();
    envelope::ok(&DatasetList { datasets })
}

fn summary<'a>(dataset: &'a Dataset, prefix: &PathPrefix) -> DatasetSummary<'a> {
    let required = dataset.columns.iter().filter(|column| column.required);
    DatasetSummary {
        name: &dataset.name,
        title: &dataset.title,
        columns: dataset.columns.len(),
        required: required.map(|column| column.title.as_str()).collect(),
        version_column: version_column(dataset),
        links: links(dataset, prefix),
    }
}

/// `GET /api/v1/datasets/{name}`.
pub(super) async fn one(
    request: HttpRequest,
    name: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    envelope::ok(&view(&*api.dataset(&name)?, &path_prefix::of(&request)))
}

pub(super) fn view<'a>(dataset: &'a Dataset, prefix: &PathPrefix) -> DatasetView<'a> {
    let name = |index: &usize| dataset.columns.get(*index).map(|column| column.name.as_str());
    DatasetView {
        name: &dataset.name,
        title: &dataset.title,
        table: &dataset.table,
        run: match dataset.run {
            Run::Background => "background",
            Run::Inline => "inline",
        },
        key: dataset.key.iter().filter_map(name).collect(),
        version_column: version_column(dataset),
        columns: dataset
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| column_view(dataset, index, column))
            .collect(),
        links: links(dataset, prefix),
    }
}

fn version_column(dataset: &Dataset) -> Option<&str> {
    let column = dataset.version.and_then(|index| dataset.columns.get(index));
    column.map(|column| column.name.as_str())
}

fn column_view<'a>(
    dataset: &'a Dataset,
    index: usize,
    column: &'a Column,
) -> DatasetColumnView<'a> {
    let history = dataset.histories.iter().find(|history| history.columns.contains(&index));
    DatasetColumnView {
        name: &column.name,
        title: &column.title,
        kind: column.kind.to_string(),
        required: column.required,
        max_length: column.max_length,
        min: column.min.map(|units| column.kind.number(units).to_string()),
        max: column.max.map(|units| column.kind.number(units).to_string()),
        percent: column.percent,
        allowed: &column.allowed,
        pattern: column.pattern.as_ref().map(Pattern::as_str),
        formats: column.formats.iter().map(DateFormat::as_str).collect(),
        aliases: &column.aliases,
        fallback_aliases: &column.fallback_aliases,
        default: column.default.as_ref().map(DefaultView::of),
        sensitive: column.sensitive,
        description: column.description.as_deref(),
        references: column.reference.as_ref().map(reference_view),
        into: column.join.as_ref().map(|join| JoinTableView {
            table: &join.table,
            owner: &join.owner,
            item: &join.item,
            references: reference_view(&join.reference),
        }),
        part_of: column.part_of.as_deref(),
        history: history.map(|history| history.table.as_str()),
        example: column.example.as_deref(),
    }
}

fn reference_view(reference: &Reference) -> ReferenceView<'_> {
    ReferenceView {
        table: &reference.table,
        match_column: &reference.match_column,
        key: &reference.key,
        create: reference.create,
        with: reference.also.iter().map(part_view).collect(),
    }
}

fn part_view(part: &ReferencePart) -> ReferencePartView<'_> {
    ReferencePartView { match_column: &part.match_column, column: &part.column }
}

fn links(dataset: &Dataset, prefix: &PathPrefix) -> DatasetLinks {
    let base = prefix.to(format_args!("/api/v1/datasets/{}", dataset.name));
    DatasetLinks {
        import: prefix.to(format_args!("/api/v1/import/{}", dataset.name)),
        template_csv: format!("{base}/template.csv"),
        template_ndjson: format!("{base}/template.ndjson"),
        template_xlsx: format!("{base}/template.xlsx"),
        rows_csv: format!("{base}/rows.csv"),
        rows_xlsx: format!("{base}/rows.xlsx"),
        schema: format!("{base}/schema.json"),
        itself: base,
    }
}

/// `GET /api/v1/datasets/{name}/schema.json`: the JSON Schema of one record.
pub(super) async fn schema(
    request: HttpRequest,
    name: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let dataset = api.dataset(&name)?;
    let schema = json_schema(&dataset, &links(&dataset, &path_prefix::of(&request)).schema);
    Ok(HttpResponse::Ok().content_type("application/schema+json").body(schema.to_string()))
}

/// `GET /api/v1/datasets/{name}/template.csv`: the header and one example row.
pub(super) async fn template_csv(
    request: HttpRequest,
    name: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let bom = Query::read(&request, &["bom"])?.flag("bom")?;
    let dataset = api.dataset(&name)?;
    let name = format!("{}-template.csv", dataset.name);
    Ok(download::headers(&name, download::CSV).body(template(&dataset, bom)))
}

/// The template as CSV.
pub(super) fn template(dataset: &Dataset, bom: bool) -> Vec<u8> {
    let mut text = if bom { BOM.to_vec() } else { Vec::new() };
    write_record(&mut text, b',', template_header(dataset));
    let example = template_example(dataset);
    write_record(&mut text, b',', example.iter().map(String::as_str));
    text
}

/// `GET /api/v1/datasets/{name}/template.ndjson`: the example row as one line of JSON.
pub(super) async fn template_ndjson(
    request: HttpRequest,
    name: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let dataset = api.dataset(&name)?;
    let name = format!("{}-template.ndjson", dataset.name);
    let line = format!("{}\n", serde_json::Value::from(template_object(&dataset)));
    Ok(download::headers(&name, download::NDJSON).body(line))
}

/// `GET /api/v1/datasets/{name}/template.xlsx`: the same, with text columns formatted as text so
/// that a spreadsheet keeps leading zeros and long numbers.
pub(super) async fn template_xlsx(
    request: HttpRequest,
    name: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let dataset = api.dataset(&name)?;
    let book = workbook(&dataset).map_err(|f| Problem::because(ErrorCode::Internal, f))?;
    let name = format!("{}-template.xlsx", dataset.name);
    Ok(download::headers(&name, download::XLSX).body(book))
}

fn workbook(dataset: &Dataset) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (bold, as_text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
    let columns = template_header(dataset).into_iter().zip(template_example(dataset));
    for (index, (title, example)) in columns.enumerate() {
        let Ok(place) = u16::try_from(index) else { break };
        let kind = dataset.columns.get(index).map(|column| column.kind);
        sheet.write_string_with_format(0, place, title, &bold)?;
        let number = example
            .parse::<f64>()
            .ok()
            .filter(|_| matches!(kind, Some(ColumnType::Integer | ColumnType::Decimal { .. })));
        if let Some(number) = number {
            sheet.write_number(1, place, number)?;
        } else {
            sheet.set_column_format(place, &as_text)?;
            sheet.write_string_with_format(1, place, example, &as_text)?;
        }
        let width = title.chars().count().max(10);
        sheet.set_column_width(place, u16::try_from(width).unwrap_or(10) + 2)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    book.save_to_buffer()
}
