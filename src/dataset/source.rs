//! A definition file as written: TOML values with the line of every key, and the faults found on
//! the way. Knows how to read a key of the right type, not what the key means.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{DefinitionFault, listed, nearest};

/// The lines of a definition file's keys, by path: `table`, `column.sku`, `column.sku.type`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(BTreeMap<String, usize>);

impl Lines {
    /// The line of the first of `paths` that the file has.
    #[must_use]
    pub fn first(&self, paths: &[&str]) -> Option<usize> {
        paths.iter().find_map(|path| self.0.get(*path).copied())
    }

    /// Remembers the line of `path`.
    pub(super) fn set(&mut self, path: String, line: usize) {
        self.0.insert(path, line);
    }
}

/// The file that is being compiled and everything that is wrong with it so far.
#[derive(Debug)]
pub(super) struct Source<'a> {
    file: &'a str,
    line_ends: Vec<usize>,
    /// Every fault so far, in the order found.
    pub(super) faults: Vec<DefinitionFault>,
}

impl<'a> Source<'a> {
    /// A source without faults.
    pub(super) fn new(file: &'a str, text: &str) -> Self {
        let line_ends = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { file, line_ends, faults: Vec::new() }
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_ends.partition_point(|end| *end < offset) + 1
    }

    /// Notes a fault at a byte offset.
    pub(super) fn fault(&mut self, offset: usize, key: impl Into<String>, message: String) {
        let (file, line) = (self.file.to_owned(), Some(self.line(offset)));
        self.faults.push(DefinitionFault { file, line, key: key.into(), message });
    }
}

/// One table of the file: the root, a `[[column]]`, a `references = { … }`.
#[derive(Debug, Clone)]
pub(super) struct Section<'a, 'i> {
    /// For people, empty at the root: `` column `sku` ``.
    pub(super) label: String,
    /// Where it begins.
    pub(super) at: usize,
    table: &'a DeTable<'i>,
}

/// A value of the file and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    /// The value.
    pub(super) value: T,
    /// The byte offset.
    pub(super) offset: usize,
}

impl<'a, 'i> Section<'a, 'i> {
    /// The whole file.
    pub(super) fn root(table: &'a DeTable<'i>) -> Self {
        Self { label: String::new(), at: 0, table }
    }

    /// The key as faults show it.
    pub(super) fn key(&self, key: &str) -> String {
        if self.label.is_empty() { format!("`{key}`") } else { format!("{}, `{key}`", self.label) }
    }

    /// Where `key` stands, or where the section begins.
    pub(super) fn offset(&self, key: &str) -> usize {
        let entry = self.table.iter().find(|(name, _)| name.get_ref() == key);
        entry.map_or(self.at, |(name, _)| name.span().start)
    }

    /// Each key and where it stands.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, usize)> {
        self.table.iter().map(|(name, _)| (name.get_ref().as_ref(), name.span().start))
    }

    /// Makes every key that is not one of `known` a fault.
    pub(super) fn only(&self, source: &mut Source<'_>, known: &[&str]) {
        for (name, at) in self.keys().filter(|(name, _)| !known.contains(name)) {
            let message = match nearest(name, known.iter().copied()) {
                Some(near) => format!("there is no such key; did you mean `{near}`?"),
                None => {
                    format!("there is no such key; the keys are {}", listed(known.iter().copied()))
                }
            };
            source.fault(at, self.key(name), message);
        }
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.table.get(key)
    }

    fn wrong_type(&self, source: &mut Source<'_>, key: &str, found: &DeValue<'_>, takes: &str) {
        let message = format!("takes {takes}, but this is {}", type_word(found));
        source.fault(self.offset(key), self.key(key), message);
    }

    /// The text under `key`.
    pub(super) fn text(&self, source: &mut Source<'_>, key: &str) -> Option<At<String>> {
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(source, key, value.get_ref(), "a text in quotes");
            return None;
        };
        if text.trim().is_empty() {
            source.fault(self.offset(key), self.key(key), "is empty".to_owned());
            return None;
        }
        Some(At { value: text.to_owned(), offset: self.offset(key) })
    }

    /// The text under `key`; its absence is a fault that says what it is for.
    pub(super) fn needed(
        &self,
        source: &mut Source<'_>,
        key: &str,
        purpose: &str,
    ) -> Option<At<String>> {
        if self.value(key).is_none() {
            source.fault(self.at, self.key(key), format!("is missing: {purpose}"));
        }
        self.text(source, key)
    }

    /// `true` or `false` under `key`.
    pub(super) fn flag(&self, source: &mut Source<'_>, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(source, key, value.get_ref(), "true or false");
        }
        flag
    }

    /// The number under `key` as its digits stand in the file, never through a float.
    pub(super) fn number(&self, source: &mut Source<'_>, key: &str) -> Option<At<String>> {
        let value = self.value(key)?;
        let whole = value.get_ref().as_integer().filter(|number| number.radix() == 10);
        let digits = whole
            .map(toml::de::DeInteger::as_str)
            .or_else(|| value.get_ref().as_float().map(toml::de::DeFloat::as_str));
        let Some(digits) = digits else {
            self.wrong_type(source, key, value.get_ref(), "a plain number");
            return None;
        };
        Some(At { value: digits.to_owned(), offset: self.offset(key) })
    }

    /// The texts of the array under `key`; none when the key is not there.
    pub(super) fn texts(&self, source: &mut Source<'_>, key: &str) -> Vec<At<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(source, key, value.get_ref(), "a list of texts in square brackets");
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(array.len());
        for item in array {
            match item.get_ref().as_str() {
                Some(text) if !text.trim().is_empty() => {
                    texts.push(At { value: text.to_owned(), offset: item.span().start });
                }
                Some(_) => {
                    source.fault(item.span().start, self.key(key), "has an empty text".to_owned());
                }
                None => {
                    let message =
                        format!("takes texts in quotes, but holds {}", type_word(item.get_ref()));
                    source.fault(item.span().start, self.key(key), message);
                }
            }
        }
        texts
    }

    /// The tables written as `[[key]]`, in the order of the file.
    pub(super) fn sections(&self, source: &mut Source<'_>, key: &str) -> Vec<Self> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let tables: Option<Vec<_>> = value.get_ref().as_array().and_then(|array| {
            array.iter().map(|item| Some((item.span(), item.get_ref().as_table()?))).collect()
        });
        let Some(tables) = tables else {
            let message = format!("is written as `[[{key}]]`, once for each {key}");
            source.fault(self.offset(key), self.key(key), message);
            return Vec::new();
        };
        let section = |(at, (span, table)): (usize, (Range<usize>, &'a DeTable<'i>))| Self {
            label: format!("{key} {}", at + 1),
            at: span.start,
            table,
        };
        tables.into_iter().enumerate().map(section).collect()
    }

    /// The inline table under `key`.
    pub(super) fn section(&self, source: &mut Source<'_>, key: &str) -> Option<Self> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(source, key, value.get_ref(), "a table in curly brackets");
            return None;
        };
        Some(Self { label: self.key(key), at: self.offset(key), table })
    }
}

fn type_word(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
