//! A definition file as written: its tables with the line of every key, read into types by serde,
//! and the faults found on the way. Knows no meaning of a key.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::value::Error as KeysOnly;
use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::fault::DefinitionFault;
use super::names::listed;
use crate::domain::similar::nearest;

/// The lines of a definition file's keys, by path: `table`, `column.sku`, `column.sku.type`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefinitionLines(BTreeMap<String, usize>);

impl DefinitionLines {
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
pub(super) struct DefinitionFile<'a> {
    name: &'a str,
    text: &'a str,
    line_ends: Vec<usize>,
    /// Every fault so far, in the order found.
    pub(super) faults: Vec<DefinitionFault>,
}

impl<'a> DefinitionFile<'a> {
    /// A file without faults.
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        let line_ends = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { name, text, line_ends, faults: Vec::new() }
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_ends.partition_point(|end| *end < offset) + 1
    }

    /// Notes a fault at a byte offset.
    pub(super) fn fault(&mut self, offset: usize, key: impl Into<String>, message: String) {
        let (file, line) = (self.name.to_owned(), Some(self.line(offset)));
        self.faults.push(DefinitionFault { file, line, key: key.into(), message });
    }

    /// A number as its digits stand in the file, never through a float.
    pub(super) fn digits(&self, number: &Spanned<IgnoredAny>) -> String {
        // The span comes from parsing this very text.
        self.text.get(number.span()).unwrap_or_default().replace('_', "")
    }
}

/// One table of the file: the root, a `[[column]]`, a `references = { … }`.
#[derive(Debug, Clone)]
pub(super) struct Section<'a, 'i> {
    /// For people, empty at the root: `` column `sku` ``.
    label: String,
    /// Where it begins.
    pub(super) at: usize,
    table: &'a DeTable<'i>,
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
        self.keys().find(|(name, _)| *name == key).map_or(self.at, |(_, at)| at)
    }

    /// Each key and where it stands.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, usize)> {
        self.table.iter().map(|(name, _)| (name.get_ref().as_ref(), name.span().start))
    }

    /// True when the file has `key` here.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Notes a fault at `key`.
    pub(super) fn fault(&self, file: &mut DefinitionFile<'_>, key: &str, message: String) {
        file.fault(self.offset(key), self.key(key), message);
    }

    /// Notes that `key` is not there, though it is needed for `purpose`.
    pub(super) fn missing(&self, file: &mut DefinitionFile<'_>, key: &str, purpose: &str) {
        if !self.has(key) {
            self.fault(file, key, format!("is missing: {purpose}"));
        }
    }

    /// The section as `T`. A key that `T` cannot take is a fault, and is read as if it were not there.
    pub(super) fn read<T: DeserializeOwned + Default>(&self, file: &mut DefinitionFile<'_>) -> T {
        let mut table = self.table.clone();
        loop {
            let value = Spanned::new(self.at..self.at, DeValue::Table(table.clone()));
            let error = match T::deserialize(ValueDeserializer::from(value)) {
                Ok(read) => return read,
                Err(error) => error,
            };
            let at = error.span().map_or(self.at, |span| span.start);
            let is_here =
                |key: Range<usize>, value: Range<usize>| key.start <= at && at < value.end;
            let key = table.iter().find(|(key, value)| is_here(key.span(), value.span()));
            let Some(key) = key.map(|(key, _)| key.get_ref().to_string()) else {
                file.fault(at, self.label.clone(), error.message().to_owned());
                return T::default();
            };
            let known = keys_of::<T>();
            let message = match nearest(&key, known.iter().copied()) {
                _ if known.contains(&key.as_str()) => error.message().to_owned(),
                Some(near) => format!("there is no such key; did you mean `{near}`?"),
                None => {
                    format!("there is no such key; the keys are {}", listed(known.iter().copied()))
                }
            };
            file.fault(at, self.key(&key), message);
            table.remove(key.as_str());
        }
    }

    /// The tables written as `[[key]]`, in the order of the file.
    pub(super) fn sections(&self, file: &mut DefinitionFile<'_>, key: &str) -> Vec<Self> {
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let tables: Option<Vec<_>> = value.get_ref().as_array().and_then(|array| {
            array.iter().map(|item| Some((item.span(), item.get_ref().as_table()?))).collect()
        });
        let Some(tables) = tables else {
            self.fault(file, key, format!("is written as `[[{key}]]`, once for each {key}"));
            return Vec::new();
        };
        let section = |(index, (span, table)): (usize, (Range<usize>, &'a DeTable<'i>))| {
            let name = table.get("name").and_then(|name| name.get_ref().as_str());
            let label = name.map_or_else(|| (index + 1).to_string(), |name| format!("`{name}`"));
            Self { label: format!("{key} {label}"), at: span.start, table }
        };
        tables.into_iter().enumerate().map(section).collect()
    }

    /// The inline table under `key`.
    pub(super) fn section(&self, file: &mut DefinitionFile<'_>, key: &str) -> Option<Self> {
        let table = self.table.get(key)?.get_ref().as_table();
        if table.is_none() {
            self.fault(file, key, "takes a table in curly brackets".to_owned());
        }
        Some(Self { label: self.key(key), at: self.offset(key), table: table? })
    }
}

/// The keys that `T`, a struct, can be read from.
pub(super) fn keys_of<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Keys<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Keys<'_> {
        type Error = KeysOnly;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, KeysOnly> {
            Err(KeysOnly::custom("there is no value"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, KeysOnly> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut keys: &'static [&'static str] = &[];
    // There is no value to read: that the reader asks for its keys is all that is wanted.
    let _no_value = T::deserialize(Keys(&mut keys));
    keys
}
