//! One cell → one value, by the column's type and what the file says the cell is.
//!
//! Knows nothing of rows and headers. The good path allocates nothing.

pub(super) mod boolean;
pub(super) mod currency;
pub(super) mod date;
mod items;
pub(super) mod json;
mod month_name;
pub(super) mod number;
pub(super) mod special;
pub(super) mod text;
mod workbook_number;

use super::cell_rules::{CellRules, Convention};
use super::model::{Column, ColumnType};
use crate::domain::detected::{DateOrder, DecimalSeparator};
use crate::domain::options::Currency;
use crate::domain::record::Value;
use crate::domain::row::CellKind;
use crate::domain::warning::WarningCode;
use date::DateFault;
use items::ItemsFault;
use json::JsonCellFault;
use number::{Digits, NumberFault};
use special::{Place, Special, is_same_word};
use text::{CleanText, TextFault, TextRole};

/// Why a cell has no value. `messages` makes the row error from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellFault {
    /// Empty, but the column is required.
    Required,
    /// A word that stands for no value, but the column is required.
    NullWord,
    /// More characters than `max_length`.
    TooLong,
    /// Not a number of the column.
    Number(NumberFault),
    /// A number with a currency or a unit beside it.
    Currency,
    /// Below `min`.
    BelowMin,
    /// Above `max`.
    AboveMax,
    /// None of the spellings of yes and no.
    NotABoolean,
    /// Not a day or point in time.
    Date(DateFault),
    /// Not JSON.
    NotJson,
    /// An item of a list has more characters than it may.
    LongItem,
    /// So many items of a list, which are too many.
    TooManyItems(usize),
    /// None of `allowed`.
    NotAllowed,
    /// Not as `pattern` says.
    OtherPattern,
    /// U+0000.
    Nul,
    /// A control or invisible character.
    Control(char),
    /// Bytes that are no text.
    BadEncoding,
    /// A number of a workbook whose last digits are gone.
    PrecisionLost,
    /// A long number that a spreadsheet shortened before it wrote it as text.
    ExponentForm,
    /// An error value of a spreadsheet.
    CellError,
    /// A formula without a stored value.
    NoValue,
    /// A day or time of a workbook where the column takes none.
    BecameDay,
}

impl From<NumberFault> for CellFault {
    fn from(fault: NumberFault) -> Self {
        Self::Number(fault)
    }
}

impl From<DateFault> for CellFault {
    fn from(fault: DateFault) -> Self {
        Self::Date(fault)
    }
}

impl From<TextFault> for CellFault {
    fn from(fault: TextFault) -> Self {
        match fault {
            TextFault::Nul => Self::Nul,
            TextFault::Control(c) => Self::Control(c),
        }
    }
}

impl From<ItemsFault> for CellFault {
    fn from(fault: ItemsFault) -> Self {
        match fault {
            ItemsFault::Text(fault) => fault.into(),
            ItemsFault::LongItem => Self::LongItem,
            ItemsFault::TooMany(count) => Self::TooManyItems(count),
        }
    }
}

impl From<JsonCellFault> for CellFault {
    fn from(fault: JsonCellFault) -> Self {
        match fault {
            JsonCellFault::Nul => Self::Nul,
            JsonCellFault::NotJson => Self::NotJson,
        }
    }
}

/// What a cell is read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellContext<'a> {
    /// The column that the cell feeds.
    pub(super) column: &'a Column,
    /// The column is part of the key.
    pub(super) is_key: bool,
    /// How the file's cells are read.
    pub(super) rules: &'a CellRules,
}

impl<'a> CellContext<'a> {
    fn place(&self) -> Place<'a> {
        Place {
            is_key: self.is_key,
            is_reference: self.column.named_records().is_some(),
            allowed: &self.column.allowed,
        }
    }
}

/// Buffers that are filled again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    unwrapped: String,
    buffers: Buffers,
    /// What a person should see of the cell that was read last.
    pub(super) warnings: Vec<WarningCode>,
}

#[derive(Debug, Default)]
struct Buffers {
    text: String,
    json: String,
    item: String,
}

/// The value of a cell; borrowed from the cell, the column or `scratch`, which keeps the warnings.
pub(super) fn convert<'a>(
    context: CellContext<'a>,
    raw: &'a str,
    kind: CellKind,
    scratch: &'a mut Scratch,
) -> Result<Value<'a>, CellFault> {
    let Scratch { unwrapped, buffers, warnings } = scratch;
    warnings.clear();
    match kind {
        CellKind::Error => return Err(CellFault::CellError),
        CellKind::NoValue => return Err(CellFault::NoValue),
        CellKind::BadEncoding => return Err(CellFault::BadEncoding),
        CellKind::Missing if !context.column.required => return Ok(Value::Absent),
        CellKind::Missing => return Err(CellFault::Required),
        CellKind::Text
        | CellKind::Number
        | CellKind::LossyNumber
        | CellKind::RoundedNumber { .. }
        | CellKind::Percent { .. }
        | CellKind::Labelled { .. }
        | CellKind::Boolean
        | CellKind::ShortDay
        | CellKind::Date
        | CellKind::DateTime
        | CellKind::Time => {}
    }
    let column = context.column;
    let mut cell = text::trimmed(raw);
    let mut may_be_shortened = kind == CellKind::Text;
    if kind == CellKind::Text {
        match context.rules.special.read(cell, context.place(), unwrapped) {
            None => {}
            Some(Special::Wrapped(value)) => {
                warnings.push(WarningCode::WrappedCells);
                cell = text::trimmed(value);
                may_be_shortened = false;
            }
            Some(Special::NoValue) if column.required => return Err(CellFault::NullWord),
            Some(Special::NoValue) => {
                warnings.push(WarningCode::NullWords);
                return Ok(Value::Null);
            }
            Some(Special::Error) => return Err(CellFault::CellError),
        }
    }
    if cell.is_empty() {
        return if column.required { Err(CellFault::Required) } else { Ok(Value::Null) };
    }
    // What stands in a wrapper was never a number.
    if may_be_shortened && column.kind == ColumnType::Text && text::is_exponent_form(cell) {
        return Err(CellFault::ExponentForm);
    }
    typed_value(context, cell, kind, buffers, warnings)
}

/// The value of a cell that has one, by the column's type.
fn typed_value<'a>(
    context: CellContext<'a>,
    cell: &'a str,
    kind: CellKind,
    buffers: &'a mut Buffers,
    warnings: &mut Vec<WarningCode>,
) -> Result<Value<'a>, CellFault> {
    let column = context.column;
    match column.kind {
        ColumnType::Text => text_value(context, cell, kind, &mut buffers.text, warnings),
        ColumnType::Integer => {
            number_value(context, cell, kind, Digits::INTEGER, warnings).map(Value::Integer)
        }
        ColumnType::Decimal { precision, scale } => {
            let digits = Digits { precision, scale };
            number_value(context, cell, kind, digits, warnings).map(Value::Decimal)
        }
        ColumnType::Boolean => match boolean::parse(cell) {
            Some(flag) => Ok(Value::Boolean(flag)),
            None => Err(or_nul(cell, CellFault::NotABoolean)),
        },
        ColumnType::Date if has_forms(column, kind) => {
            let read = column.formats.iter().find_map(|format| format.day(cell));
            read.map(Value::Date).ok_or_else(|| or_nul(cell, DateFault::OtherForm.into()))
        }
        ColumnType::DateTime if has_forms(column, kind) => {
            let read = column.formats.iter().find_map(|format| format.moment(cell));
            read.map(Value::DateTime).ok_or_else(|| or_nul(cell, DateFault::OtherForm.into()))
        }
        ColumnType::Date => in_order(context.rules, warnings, |order| date::day(cell, order))
            .map(Value::Date)
            .map_err(|fault| or_nul(cell, fault.into())),
        ColumnType::DateTime => {
            in_order(context.rules, warnings, |order| date::moment(cell, order))
                .map(Value::DateTime)
                .map_err(|fault| or_nul(cell, fault.into()))
        }
        ColumnType::Json => {
            if kind == CellKind::LossyNumber {
                return Err(CellFault::PrecisionLost);
            }
            json::compact(cell, &mut buffers.json).map_err(|fault| or_nul(cell, fault.into()))?;
            Ok(Value::Text(&buffers.json))
        }
        ColumnType::List if column.join.is_some() => {
            let Buffers { item, json, .. } = buffers;
            let is_some = items::read(column, text_of(cell, kind)?, (json, item), warnings)?;
            no_empty_list(column, is_some.then_some(json))
        }
        ColumnType::List => {
            let cell = text_of(cell, kind)?;
            let Buffers { text, json, .. } = buffers;
            let clean = text::clean(cell, TextRole::Text, text)?;
            no_empty_list(column, json::list(clean.text, json).then_some(json))
        }
    }
}

fn no_empty_list<'a>(column: &Column, list: Option<&'a str>) -> Result<Value<'a>, CellFault> {
    match list {
        Some(list) => Ok(Value::Text(list)),
        None if column.required => Err(CellFault::Required),
        None => Ok(Value::Null),
    }
}

/// The definition says how the column's texts are written; days of a workbook are no texts.
fn has_forms(column: &Column, kind: CellKind) -> bool {
    !column.formats.is_empty() && !matches!(kind, CellKind::Date | CellKind::DateTime)
}

/// A cell as text: workbooks show their truth values in capitals.
fn text_of(cell: &str, kind: CellKind) -> Result<&str, CellFault> {
    match kind {
        CellKind::LossyNumber => Err(CellFault::PrecisionLost),
        CellKind::Boolean => Ok(if cell == "true" { "TRUE" } else { "FALSE" }),
        // Nobody enters them as such: `MAR1`, `10-12` and `1:30` became them.
        CellKind::ShortDay | CellKind::Time => Err(CellFault::BecameDay),
        _ => Ok(cell),
    }
}

fn text_value<'a>(
    context: CellContext<'a>,
    cell: &'a str,
    kind: CellKind,
    scratch: &'a mut String,
    warnings: &mut Vec<WarningCode>,
) -> Result<Value<'a>, CellFault> {
    let column = context.column;
    let is_reference = column.reference.is_some();
    let role = if context.is_key {
        TextRole::Key
    } else if is_reference || !column.allowed.is_empty() {
        TextRole::Name
    } else {
        TextRole::Text
    };
    let is_day = matches!(kind, CellKind::Date | CellKind::DateTime);
    if is_day && role != TextRole::Text {
        return Err(CellFault::BecameDay);
    }
    let CleanText { text: clean, is_folded } = text::clean(text_of(cell, kind)?, role, scratch)?;
    if clean.is_empty() {
        // A name of nothing but invisible characters.
        return if column.required { Err(CellFault::Required) } else { Ok(Value::Null) };
    }
    if is_folded {
        warnings.push(WarningCode::FoldedKeys);
    }
    if is_reference && text::has_entity(clean) {
        warnings.push(WarningCode::Entities);
    }
    if column.max_length.is_some_and(|most| text::is_longer(clean, most)) {
        return Err(CellFault::TooLong);
    }
    if column.pattern.as_ref().is_some_and(|pattern| !pattern.matches(clean)) {
        return Err(CellFault::OtherPattern);
    }
    if column.allowed.is_empty() {
        return Ok(Value::Text(clean));
    }
    match column.allowed.iter().find(|word| is_same_word(word, clean)) {
        Some(word) => Ok(Value::Text(word)),
        None => Err(CellFault::NotAllowed),
    }
}

fn number_value(
    context: CellContext<'_>,
    cell: &str,
    kind: CellKind,
    digits: Digits,
    warnings: &mut Vec<WarningCode>,
) -> Result<i64, CellFault> {
    let column = context.column;
    let units = match kind {
        CellKind::Number
        | CellKind::LossyNumber
        | CellKind::RoundedNumber { .. }
        | CellKind::Percent { .. } => {
            let read = workbook_number::read(cell, kind, column.percent, digits, warnings);
            read.map_err(|fault| match (kind, fault) {
                (CellKind::LossyNumber, fault) if fault != NumberFault::Overflow => {
                    CellFault::PrecisionLost
                }
                _ => fault.into(),
            })?
        }
        CellKind::ShortDay | CellKind::Date | CellKind::DateTime | CellKind::Time => {
            return Err(CellFault::BecameDay);
        }
        _ => {
            number_of_text(context, cell, digits, warnings).map_err(|fault| or_nul(cell, fault))?
        }
    };
    if column.min.is_some_and(|min| units < min) {
        return Err(CellFault::BelowMin);
    }
    if column.max.is_some_and(|max| units > max) {
        return Err(CellFault::AboveMax);
    }
    Ok(units)
}

fn number_of_text(
    context: CellContext<'_>,
    cell: &str,
    digits: Digits,
    warnings: &mut Vec<WarningCode>,
) -> Result<i64, CellFault> {
    let decimal = context.rules.decimal;
    let read = |text: &str| match decimal {
        Convention::Unknown => parse_plainly(text, digits, DecimalSeparator::Undeclared),
        Convention::Proven(proven) => number::parse_proven(text, digits, proven),
        Convention::Declared(declared) => parse_plainly(text, digits, declared),
    };
    let text = if context.column.percent { without_percent_sign(cell) } else { cell };
    let (units, is_decided) = match read(text) {
        Err(NumberFault::NotANumber) => {
            let Some(bare) = currency::strip(text) else {
                return Err(NumberFault::NotANumber.into());
            };
            let read = read(&bare);
            if context.rules.currency == Currency::Refuse {
                let is_number = read != Err(NumberFault::NotANumber);
                return Err(if is_number {
                    CellFault::Currency
                } else {
                    NumberFault::NotANumber.into()
                });
            }
            warnings.push(WarningCode::CurrencyStripped);
            read?
        }
        read => read?,
    };
    if is_decided {
        warnings.push(WarningCode::DecimalsDerived);
    }
    Ok(units)
}

/// A number by a separator that was not proved by others, so that it decided nothing.
fn parse_plainly(
    text: &str,
    digits: Digits,
    decimal: DecimalSeparator,
) -> Result<(i64, bool), NumberFault> {
    number::parse(text, digits, decimal).map(|units| (units, false))
}

/// Reads a date in the order that is declared; one that other dates prove decides only what has two
/// readings.
fn in_order<T>(
    rules: &CellRules,
    warnings: &mut Vec<WarningCode>,
    read: impl Fn(Option<DateOrder>) -> Result<T, DateFault>,
) -> Result<T, DateFault> {
    let proven = match rules.dates {
        Convention::Unknown => return read(None),
        Convention::Declared(order) => return read(Some(order)),
        Convention::Proven(order) => order,
    };
    match read(None) {
        Err(DateFault::TwoReadings) => {
            warnings.push(WarningCode::DatesDerived);
            read(Some(proven))
        }
        read => read,
    }
}

/// The number of `18%`, `12.5 %` or, as in Turkish, `%18`.
pub(super) fn without_percent_sign(cell: &str) -> &str {
    const SIGNS: [char; 2] = ['%', '\u{ff05}'];
    match cell.strip_suffix(SIGNS) {
        Some(number) => number.trim_end(),
        None => cell.strip_prefix(SIGNS).map_or(cell, str::trim_start),
    }
}

/// A NUL in the cell explains more than that the cell is not what the column wants.
fn or_nul(cell: &str, fault: CellFault) -> CellFault {
    if cell.contains('\0') { CellFault::Nul } else { fault }
}
