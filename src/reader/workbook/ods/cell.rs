//! A cell of an OpenDocument table: what its attributes and its text say, as a value.

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;

use crate::domain::row::is_error_word;
use crate::reader::merged::Region;
use crate::reader::workbook::cell::CellValue;
use crate::reader::workbook::shown::Shown;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ValueType {
    /// None is named: what is shown is the value.
    #[default]
    Untyped,
    Number,
    Boolean,
    Date,
    Time,
    Text,
}

/// A number of cells.
fn count(text: &str) -> u32 {
    text.trim().parse().unwrap_or(1)
}

/// A cell, filled again and again.
#[derive(Debug, Default)]
pub(super) struct OdsCell {
    value_type: ValueType,
    /// The value as its attribute has it.
    value: Option<String>,
    /// The paragraphs.
    shown: String,
    is_formula: bool,
    is_error: bool,
    is_percent: bool,
    repeated: u32,
    /// Columns and rows that the cell covers, its own among them.
    span: (u32, u32),
    number: f64,
}

impl OdsCell {
    /// Takes what the element's attributes say.
    pub(super) fn begin(&mut self, element: &BytesStart<'_>) {
        self.shown.clear();
        *self = Self {
            shown: std::mem::take(&mut self.shown),
            repeated: 1,
            span: (1, 1),
            ..Self::default()
        };
        for attribute in element.attributes().with_checks(false).flatten() {
            match attribute.key.as_ref() {
                "office:value-type" => {
                    self.is_percent = &*attribute.value == "percentage";
                    self.value_type = match &*attribute.value {
                        "float" | "percentage" | "currency" => ValueType::Number,
                        "boolean" => ValueType::Boolean,
                        "date" => ValueType::Date,
                        "time" => ValueType::Time,
                        "string" => ValueType::Text,
                        _ => ValueType::Untyped,
                    };
                }
                "office:value"
                | "office:string-value"
                | "office:date-value"
                | "office:time-value"
                | "office:boolean-value" => {
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                    self.value = value.ok().map(std::borrow::Cow::into_owned);
                }
                "calcext:value-type" => self.is_error = &*attribute.value == "error",
                "table:formula" => self.is_formula = true,
                "table:number-columns-repeated" => self.repeated = count(&attribute.value),
                "table:number-columns-spanned" => self.span.0 = count(&attribute.value).max(1),
                "table:number-rows-spanned" => self.span.1 = count(&attribute.value).max(1),
                _ => {}
            }
        }
        if self.value_type == ValueType::Number {
            let number = self.value.as_deref().and_then(|value| value.trim().parse().ok());
            self.number = number.unwrap_or(f64::NAN);
        }
    }

    /// Where the text of the paragraphs goes.
    pub(super) fn shown(&mut self) -> &mut String {
        &mut self.shown
    }

    pub(super) fn repeated(&self) -> u32 {
        self.repeated
    }

    /// The area of which this cell, at `row` and `column`, is the first, if it is merged. In rows
    /// that are repeated, it lies in each of them.
    pub(super) fn region(&self, (row, column): (u32, u32), repeated_rows: u32) -> Option<Region> {
        let (columns, rows) = (self.span.0, self.span.1.max(repeated_rows));
        (self.span != (1, 1)).then(|| Region {
            first_row: row,
            last_row: row.saturating_add(rows - 1),
            first_column: column,
            last_column: column.saturating_add(columns - 1),
        })
    }

    /// What the cell shows of its value. The file stores the text that it shows, in the words and
    /// signs of the language that it was written in.
    pub(super) fn look(&self) -> Shown<'_> {
        match self.value_type {
            ValueType::Number => Shown::of_text(self.number, &self.shown, self.is_percent),
            // A formula makes a day on purpose.
            ValueType::Date if !self.is_formula && self.hides_year() => Shown::ShortDay,
            _ => Shown::Plain,
        }
    }

    /// True for a day that is shown without its year: `1-Mar`.
    fn hides_year(&self) -> bool {
        let value = self.value.as_deref().unwrap_or_default();
        let year = value.split('-').next().unwrap_or_default();
        let short = year.get(year.len().saturating_sub(2)..).unwrap_or_default();
        !self.shown.is_empty() && !short.is_empty() && !self.shown.contains(short)
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.value(), CellValue::Empty)
    }

    pub(super) fn value(&self) -> CellValue<'_> {
        let value = self.value.as_deref().unwrap_or_default();
        // Programs differ in how they store an error: with a type of its own, as a text, or as the
        // number 0. What it shows is the same with all of them.
        if self.is_error || self.is_formula && is_error_word(&self.shown) {
            return CellValue::Error(if self.shown.is_empty() { "#N/A" } else { &self.shown });
        }
        if self.is_formula && is_error_word(value) {
            return CellValue::Error(value);
        }
        match self.value_type {
            ValueType::Number if self.number.is_finite() => CellValue::Number(self.number),
            ValueType::Number if !value.trim().is_empty() => CellValue::Error(value),
            ValueType::Boolean if value == "true" || value == "TRUE" => CellValue::Boolean(true),
            ValueType::Boolean if value == "false" || value == "FALSE" => CellValue::Boolean(false),
            ValueType::Date if !value.is_empty() => CellValue::Iso(value),
            ValueType::Time if !value.is_empty() => CellValue::Duration(value),
            // Without the attribute the paragraphs are the text.
            ValueType::Text if self.value.is_some() => CellValue::Text(value),
            ValueType::Text => CellValue::Text(&self.shown),
            _ if !self.shown.is_empty() => CellValue::Text(&self.shown),
            _ if self.is_formula => CellValue::NoStored,
            _ => CellValue::Empty,
        }
    }
}
