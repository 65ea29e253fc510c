//! The XML of a spreadsheet's content, and the attributes of its elements.

use std::borrow::Cow;
use std::fs::File;
use std::io::BufReader;

use quick_xml::events::BytesStart;
use quick_xml::{Reader, XmlVersion};
use zip::read::ZipFile;

pub(super) type OdsXml<'a> = Reader<BufReader<ZipFile<'a, BufReader<File>>>>;

/// The value of an attribute without references to entities.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let found = attributes.with_checks(false).flatten().find(|it| it.key.as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(Cow::into_owned)
}

/// How often an element stands for itself.
pub(super) fn repeats(element: &BytesStart<'_>, name: &str) -> u32 {
    attribute(element, name).and_then(|count| count.trim().parse().ok()).unwrap_or(1)
}

/// True for a row or a column that is hidden, by hand or by a filter.
pub(super) fn is_hidden(element: &BytesStart<'_>) -> bool {
    attribute(element, "table:visibility").is_some_and(|it| it != "visible")
}
