//! The sentences of row errors: the value, the rule, the way out.

use super::model::{Column, ColumnType, Dataset, DateFormat, HIDDEN, Pattern};
use super::value::CellFault;
use super::value::date::DateFault;
use super::value::number::NumberFault;
use super::value::text::is_invisible;
use crate::domain::fixed_point::FixedPoint;
use crate::domain::limits::LIST_ITEMS_MAX;
use crate::domain::row::{RawRow, RowFault};
use crate::domain::row_error::{RowCode, RowError, shown};
use crate::domain::warning::WarningCode;

/// The row error for `fault` of the cell `raw`.
pub(super) fn cell_error(row: &RawRow, column: &Column, raw: &str, fault: CellFault) -> RowError {
    if column.sensitive {
        return hidden_error(row, column, raw, fault);
    }
    let value = visible(raw.trim());
    RowError {
        row_number: row.row_number,
        line: row.line,
        column: Some(column.name.clone()),
        code: code(column, fault),
        message: message(column, &value, raw, fault),
        value: (!value.is_empty()).then_some(value),
    }
}

/// The same where nobody may see the value: neither the value nor what it could be read as.
fn hidden_error(row: &RawRow, column: &Column, raw: &str, fault: CellFault) -> RowError {
    let title = &column.title;
    let message = match fault {
        CellFault::TooLong => format!(
            "the value is longer than the {} characters that {title} takes; shorten it",
            column.max_length.unwrap_or_default()
        ),
        CellFault::Number(NumberFault::Ambiguous) => format!(
            "the value of {title} can be read as two numbers; say which with the option `decimal` \
             (point or comma)"
        ),
        fault => message(column, HIDDEN, HIDDEN, fault),
    };
    let value = (!raw.trim().is_empty()).then(|| HIDDEN.to_owned());
    let error = row_error(row, code(column, fault), message, value);
    RowError { column: Some(column.name.clone()), ..error }
}

/// The row error when a short row ends before required columns.
pub(super) fn missing_columns(row: &RawRow, header_len: usize, missing: &[&str]) -> RowError {
    let names = missing.join(", ");
    row_error(
        row,
        RowCode::MissingColumns,
        format!(
            "the row has {} where the header has {header_len}, so {names} {} missing; look for a \
             line break or a lost delimiter",
            cells(row.len()),
            if missing.len() == 1 { "is" } else { "are" },
        ),
        None,
    )
}

/// The row error when a long row goes on after the header's last column with `extra`.
pub(super) fn too_many_columns(
    dataset: &Dataset,
    row: &RawRow,
    header_len: usize,
    extra: &str,
) -> RowError {
    let value = visible(dataset.shown(None, extra.trim()));
    let message = format!(
        "the row has {} where the header has {header_len}, and `{value}` stands outside; a text \
         that holds the delimiter needs quotes around it",
        cells(row.len()),
    );
    row_error(row, RowCode::TooManyColumns, message, Some(value))
}

/// The row error when a row is a total by the word in its key.
pub(super) fn total_row(row: &RawRow, key_cell: usize) -> RowError {
    let value = visible(row.cell(key_cell).map_or("", |(text, _)| text.trim()));
    let message = format!(
        "`{value}` stands where the key should be, so the row looks like a total; remove the row, or \
         give the record another key"
    );
    row_error(row, RowCode::TotalRow, message, Some(value))
}

/// The row error when a row has the names of the header in another order.
pub(super) fn other_header(row: &RawRow) -> RowError {
    let message = "the row has the names of the header in another order, so the columns of the rows \
                   below it are other ones; import that part as a file of its own";
    row_error(row, RowCode::OtherHeader, message.to_owned(), None)
}

/// The row error of a row that the upload is not about.
pub(super) fn out_of_scope(row: &RawRow, column: &Column, raw: &str) -> RowError {
    let value = visible(column.shown(raw.trim()));
    let title = &column.title;
    let message = if value.is_empty() {
        format!(
            "{title} is empty, so the row is outside of the `scope` of the upload; give it the value of the scope"
        )
    } else {
        format!(
            "{title} is `{value}`, so the row is outside of the `scope` of the upload; import it with \
             an upload of its own"
        )
    };
    RowError {
        row_number: row.row_number,
        line: row.line,
        column: Some(column.name.clone()),
        code: RowCode::OutOfScope,
        message,
        value: Some(value),
    }
}

/// The row error when the upload takes only rows with another value in a column.
pub(super) fn other_value(row: &RawRow, column: &Column, value: &str, only: &str) -> RowError {
    let (value, title) = (visible(column.shown(value)), &column.title);
    let message = format!(
        "{title} is `{value}`, but the upload takes only rows of `{}`; import the row with an \
         upload that takes all",
        visible(column.shown(only))
    );
    let column = Some(column.name.clone());
    RowError { column, ..row_error(row, RowCode::OtherValue, message, Some(value)) }
}

/// A row that is no row: its value is the line, which stands behind the columns, else what it begins
/// with.
pub(super) fn row_fault(
    dataset: &Dataset,
    row: &RawRow,
    header_len: usize,
    fault: &RowFault,
) -> RowError {
    let line = row.cell(header_len).or_else(|| row.cell(0)).map_or("", |(text, _)| text);
    row_error(
        row,
        fault.code(),
        with_signs(&fault.to_string()),
        Some(visible(dataset.shown(None, line))),
    )
}

/// The row error for a warning where the upload has `strict=true`.
pub(super) fn strict(
    row: &RawRow,
    column: Option<&Column>,
    value: Option<&str>,
    warning: WarningCode,
) -> RowError {
    let meaning = warning.meaning().trim_end_matches('.');
    let message = format!("{meaning}; the upload has strict=true");
    let value = value.map(|value| column.map_or(value, |column| column.shown(value)));
    let value = value.map(|value| visible(value.trim())).filter(|value| !value.is_empty());
    let column = column.map(|column| column.name.clone());
    RowError { column, ..row_error(row, RowCode::RefusedByStrict, message, value) }
}

fn row_error(row: &RawRow, code: RowCode, message: String, value: Option<String>) -> RowError {
    RowError { row_number: row.row_number, line: row.line, column: None, code, message, value }
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}

/// `raw` shortened, with a visible sign for each character that is not.
pub(super) fn visible(raw: &str) -> String {
    with_signs(&shown(raw))
}

/// A visible sign for each character that is not: a row error is stored and shown where a NUL or a
/// bidirectional mark would do harm.
fn with_signs(text: &str) -> String {
    let sign = |c: char| match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        _ if c.is_control() || is_invisible(c) => '\u{fffd}',
        _ => c,
    };
    text.chars().map(sign).collect()
}

/// The code of a cell's fault.
fn code(column: &Column, fault: CellFault) -> RowCode {
    match fault {
        CellFault::Required | CellFault::NullWord => RowCode::Required,
        CellFault::TooLong | CellFault::LongItem => RowCode::TooLong,
        CellFault::Number(NumberFault::NotANumber) | CellFault::Currency => RowCode::NotANumber,
        CellFault::Number(NumberFault::Ambiguous) => RowCode::AmbiguousNumber,
        CellFault::Number(NumberFault::TooManyDecimals) => match scale(column) {
            0 => RowCode::NotAnInteger,
            _ => RowCode::TooManyDecimals,
        },
        CellFault::Number(NumberFault::Overflow) | CellFault::BelowMin | CellFault::AboveMax => {
            RowCode::OutOfRange
        }
        CellFault::NotABoolean => RowCode::NotABoolean,
        CellFault::Date(_) => RowCode::NotADate,
        CellFault::NotJson => RowCode::NotJson,
        CellFault::TooManyItems(_) => RowCode::TooManyItems,
        CellFault::NotAllowed => RowCode::NotAllowed,
        CellFault::OtherPattern => RowCode::PatternMismatch,
        CellFault::Nul => RowCode::NulCharacter,
        CellFault::Control(_) => RowCode::ControlCharacter,
        CellFault::BadEncoding => RowCode::BadEncoding,
        CellFault::PrecisionLost | CellFault::ExponentForm => RowCode::PrecisionLost,
        CellFault::CellError => RowCode::CellError,
        CellFault::NoValue => RowCode::FormulaWithoutValue,
        CellFault::BecameDay => RowCode::BecameDay,
    }
}

/// The sentence about a cell's fault; `value` is `raw` made fit to be shown.
pub(super) fn message(column: &Column, value: &str, raw: &str, fault: CellFault) -> String {
    let title = &column.title;
    match fault {
        CellFault::Required => format!("{title} is required"),
        CellFault::NullWord => format!(
            "`{value}` stands for no value, but {title} is required; if it is a value here, name \
             other words with the option `nulls`"
        ),
        CellFault::TooLong => format!(
            "`{value}` has {} characters, but {title} takes at most {}; shorten it",
            raw.trim().chars().count(),
            column.max_length.unwrap_or_default(),
        ),
        CellFault::LongItem => long_item_message(column, value),
        CellFault::TooManyItems(count) => format!(
            "`{value}` has {count} items, but {title} takes at most {LIST_ITEMS_MAX}; shorten the list"
        ),
        CellFault::Number(fault) => number_message(column, value, raw, fault),
        CellFault::Currency => format!(
            "{}, or upload with the option `currency=strip`, which takes currency signs and units off",
            number_message(column, value, raw, NumberFault::NotANumber),
        ),
        CellFault::BelowMin => format!(
            "`{value}` is below {}, the smallest value of {title}; correct it",
            column.kind.number(column.min.unwrap_or(i64::MIN)),
        ),
        CellFault::AboveMax => format!(
            "`{value}` is above {}, the largest value of {title}; correct it",
            column.kind.number(column.max.unwrap_or(i64::MAX)),
        ),
        CellFault::NotABoolean => {
            format!("`{value}` is neither yes nor no; write `true` or `false`")
        }
        CellFault::Date(fault) => date_message(column, value, fault),
        CellFault::NotJson => format!("`{value}` is not JSON; write it like `{{\"a\": 1}}`"),
        CellFault::NotAllowed => format!(
            "`{value}` is none of the values that {title} takes; use one of {}",
            column.allowed.join(", "),
        ),
        CellFault::OtherPattern => pattern_message(column, value),
        CellFault::Nul => format!("`{value}` holds a NUL character, which no text may; remove it"),
        CellFault::Control(c) => format!(
            "`{value}` holds {} character U+{:04X}; remove it",
            if c.is_control() { "the control" } else { "the invisible" },
            u32::from(c),
        ),
        CellFault::BadEncoding => format!(
            "`{value}` holds bytes that are not text in the file's encoding; save the file as \
             UTF-8, or name its encoding with the option `encoding`"
        ),
        CellFault::PrecisionLost => format!(
            "`{value}` is a number of which the spreadsheet kept only the first 15 digits; format \
             the column as text, enter the value again and save"
        ),
        CellFault::ExponentForm => format!(
            "`{value}` is how a spreadsheet shortens a long number, and its last digits are gone; \
             format the column as text, enter the value again and save; if it is the value as it \
             should be, write it as `=\"{value}\"`"
        ),
        CellFault::CellError => format!(
            "`{value}` is an error of the spreadsheet, not a value; correct the formula or empty \
             the cell"
        ),
        CellFault::BecameDay => became_day_message(column, value),
        CellFault::NoValue => NO_VALUE.to_owned(),
    }
}

const NO_VALUE: &str = "the formula has no stored value; open the workbook in a spreadsheet program, save it \
                        and send it again";

fn long_item_message(column: &Column, value: &str) -> String {
    format!(
        "an item of `{value}` has more than the {} characters that {} takes of each; shorten it",
        column.max_length.unwrap_or_default(),
        column.title
    )
}

fn pattern_message(column: &Column, value: &str) -> String {
    let pattern = column.pattern.as_ref().map_or("", Pattern::as_str);
    let example = column.example.as_ref().or(column.allowed.first());
    let example = example.map_or_else(String::new, |it| format!("; write it like {it}"));
    format!("`{value}` is not of the form `{pattern}` that {} takes{example}", column.title)
}

fn became_day_message(column: &Column, value: &str) -> String {
    let is_text = matches!(column.kind, ColumnType::Text | ColumnType::List);
    format!(
        "the spreadsheet made the day or time `{value}` of what was typed, as it does with `MAR1` \
         or `1:30`, but {} takes no day; format the column as {}, enter the value again and save",
        column.title,
        if is_text { "text" } else { "a number" },
    )
}

fn number_message(column: &Column, value: &str, raw: &str, fault: NumberFault) -> String {
    let (title, scale) = (&column.title, scale(column));
    match fault {
        NumberFault::NotANumber => {
            format!(
                "`{value}` is not a number; write it like {}",
                FixedPoint::new(1250, scale.min(2))
            )
        }
        NumberFault::Ambiguous => {
            let whole: String = raw.trim().chars().filter(|c| !matches!(c, '.' | ',')).collect();
            let parted = raw.trim().replace(',', ".");
            format!(
                "`{value}` can be read as {whole} or as {parted}; say which with the option \
                 `decimal` (point or comma), or write it without a thousands separator"
            )
        }
        NumberFault::TooManyDecimals if scale == 0 => {
            format!("`{value}` is not a whole number; {title} takes no decimals")
        }
        NumberFault::TooManyDecimals => format!(
            "`{value}` has more digits after the decimal point than the {scale} that {title} \
             keeps; round it in the file"
        ),
        NumberFault::Overflow => {
            if let ColumnType::Decimal { precision, scale } = column.kind {
                let whole = precision.saturating_sub(scale);
                format!(
                    "`{value}` is too large; {title} takes at most {whole} digits before the \
                     decimal point"
                )
            } else {
                format!("`{value}` is too large for a whole number of 64 bits")
            }
        }
    }
}

fn date_message(column: &Column, value: &str, fault: DateFault) -> String {
    let is_day = column.kind == ColumnType::Date;
    let example = if is_day { "2026-11-22" } else { "2026-11-22T08:30:00Z" };
    match fault {
        DateFault::NotADate if is_day => {
            format!("`{value}` is not a day of the calendar; write it like {example}")
        }
        DateFault::NotADate => {
            format!("`{value}` is not a point in time; write it like {example}")
        }
        DateFault::OtherForm => {
            let like = column.formats.iter().map(DateFormat::example).collect::<Vec<_>>();
            format!(
                "`{value}` is not written as {} takes it; write it like {}",
                column.title,
                like.join(" or ")
            )
        }
        DateFault::TwoReadings => format!(
            "`{value}` can be read as two different days; say which part comes first with the option \
             `dates` (dmy or mdy), or write it with the year first, like {example}"
        ),
        DateFault::OtherOrder => format!(
            "`{value}` does not have the order that the option `dates` names; correct the option, \
             or write it with the year first, like {example}"
        ),
        DateFault::HasTime => format!(
            "`{value}` has a time of day, but {} takes only the day; write it like {example}",
            column.title,
        ),
    }
}

/// Digits after the point.
fn scale(column: &Column) -> u8 {
    if let ColumnType::Decimal { scale, .. } = column.kind { scale } else { 0 }
}
