//! A value that is known before any row is: one that the upload sets, or the definition as a default.

use crate::domain::record::Value;

/// A value of a column that no row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    text: String,
    /// `None`: the text is the value.
    typed: Option<Value<'static>>,
}

impl Constant {
    /// A text.
    pub(super) fn of_text(text: String) -> Self {
        Self { text, typed: None }
    }

    /// Another value, which is written as `text`.
    pub(super) fn of_value(text: String, value: Value<'static>) -> Self {
        Self { text, typed: Some(value) }
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As a record holds it.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        self.typed.unwrap_or(Value::Text(&self.text))
    }
}
