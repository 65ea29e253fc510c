//! A part of the package as XML, event by event. Knows no element by name.

use std::fs::File;
use std::io::BufReader;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::read::ZipFile;

use crate::reader::error::WorkbookFault;
use crate::reader::workbook::fault::corrupt;

/// Inflated bytes that are read at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// The inflated bytes of a part.
pub(super) type PartBytes<'a> = BufReader<ZipFile<'a, BufReader<File>>>;

/// A part that is being read.
pub(super) struct PackagePart<'a> {
    name: String,
    xml: Reader<PartBytes<'a>>,
    buffer: Vec<u8>,
    is_broken: bool,
}

impl<'a> PackagePart<'a> {
    pub(super) fn new(name: &str, file: ZipFile<'a, BufReader<File>>) -> Self {
        let mut xml = Reader::from_reader(BufReader::with_capacity(BUFFER_BYTES, file));
        let config = xml.config_mut();
        config.check_end_names = false;
        config.check_comments = false;
        Self { name: name.to_owned(), xml, buffer: Vec::with_capacity(1024), is_broken: false }
    }

    /// The next event; [`Event::Eof`] at the end.
    pub(super) fn event(&mut self) -> Result<Event<'_>, WorkbookFault> {
        self.buffer.clear();
        if let Ok(event) = self.xml.read_event_into(&mut self.buffer) {
            return Ok(event);
        }
        self.is_broken = true;
        let at = self.xml.error_position();
        Err(corrupt(format_args!("the XML of `{}` is broken at byte {at}", self.name)))
    }

    /// The fault of a part that ends inside `element`.
    pub(super) fn breaks_off(&mut self, element: &str) -> WorkbookFault {
        self.is_broken = true;
        corrupt(format_args!("`{}` breaks off inside `{element}`", self.name))
    }

    /// Passes over everything up to the end of `element`, which has begun.
    pub(super) fn skip(&mut self, element: &'static str) -> Result<(), WorkbookFault> {
        loop {
            match self.event()? {
                Event::End(end) if end.local_name().as_ref() == element => return Ok(()),
                Event::Eof => return Err(self.breaks_off(element)),
                _ => {}
            }
        }
    }

    /// Appends the text up to the end of `element`, which has begun.
    pub(super) fn text(
        &mut self,
        element: &'static str,
        text: &mut String,
    ) -> Result<(), WorkbookFault> {
        loop {
            match self.event()? {
                Event::Text(words) => text.push_str(&words.xml10_content()),
                Event::CData(words) => text.push_str(&words.xml10_content()),
                Event::GeneralRef(entity) => {
                    if let Some(known) = quick_xml::escape::resolve_xml_entity(entity.as_ref()) {
                        text.push_str(known);
                    } else if let Ok(Some(sign)) = entity.resolve_char_ref() {
                        text.push(sign);
                    } else {
                        self.is_broken = true;
                        return Err(corrupt(format_args!("`{}` has an unknown entity", self.name)));
                    }
                }
                Event::End(end) if end.local_name().as_ref() == element => return Ok(()),
                Event::Eof => return Err(self.breaks_off(element)),
                _ => {}
            }
        }
    }

    /// It was found that the rest of the part cannot be read.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// The bytes after the last event.
    pub(super) fn into_bytes(self) -> PartBytes<'a> {
        self.xml.into_inner()
    }
}

/// The attributes of an element as they stand there, names without their prefix.
pub(super) fn attributes<'e>(
    element: &'e BytesStart<'_>,
) -> impl Iterator<Item = (&'e str, &'e str)> {
    let mut rest = element.attributes_raw();
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_ascii_start();
        let quote = after.chars().next().filter(|sign| matches!(sign, '"' | '\''))?;
        let (value, tail) = after.get(1..)?.split_once(quote)?;
        rest = tail;
        let name = name.trim_ascii();
        Some((name.rsplit_once(':').map_or(name, |(_, local)| local), value))
    })
}

/// The attribute `name`, with its entities resolved.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let (_, value) = attributes(element).find(|(key, _)| *key == name)?;
    let plain = quick_xml::escape::unescape(value);
    Some(plain.map_or_else(|_| value.to_owned(), std::borrow::Cow::into_owned))
}

/// The truth values of XML Schema.
pub(super) fn is_true(value: &str) -> bool {
    matches!(value, "1" | "true")
}
