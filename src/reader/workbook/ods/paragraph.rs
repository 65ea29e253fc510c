//! The text of a cell: its paragraphs, without notes and drawings (OpenDocument 1.3, part 3, 6.1).

use quick_xml::events::{BytesRef, BytesStart, Event};

use super::xml::{OdsXml, repeats};
use crate::domain::limits::FIELD_BYTES_MAX;

/// The XML breaks its rules.
pub(super) struct Broken;

impl From<quick_xml::Error> for Broken {
    fn from(_: quick_xml::Error) -> Self {
        Self
    }
}

/// Appends the paragraphs of the cell that just began, and reads up to its end.
pub(super) fn read(xml: &mut OdsXml<'_>, text: &mut String) -> Result<(), Broken> {
    let (mut buffer, mut inner) = (Vec::new(), Vec::new());
    let mut is_first = true;
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer)? {
            Event::Start(element) if matches!(element.name().as_ref(), "text:p" | "text:h") => {
                if !is_first {
                    text.push('\n');
                }
                is_first = false;
                paragraph(xml, text)?;
            }
            // A note, a drawing, a table.
            Event::Start(element) => {
                xml.read_to_end_into(element.name(), &mut inner)?;
            }
            Event::End(_) => return Ok(()),
            Event::Eof => return Err(Broken),
            _ => {}
        }
    }
}

fn paragraph(xml: &mut OdsXml<'_>, text: &mut String) -> Result<(), Broken> {
    let (mut buffer, mut inner) = (Vec::new(), Vec::new());
    let start = text.len();
    // White space counts as one blank, and as none at the begin; more of it stands in elements.
    let mut blank = false;
    let mut depth = 0_u32;
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer)? {
            Event::Start(element) => match element.name().as_ref() {
                "office:annotation" | "office:annotation-end" | "text:note" => {
                    xml.read_to_end_into(element.name(), &mut inner)?;
                }
                name if name.starts_with("draw:") => {
                    xml.read_to_end_into(element.name(), &mut inner)?;
                }
                name => {
                    if matches!(name, "text:s" | "text:tab" | "text:line-break") {
                        end_blank(text, start, &mut blank);
                        push_white(&element, text);
                    }
                    depth += 1;
                }
            },
            Event::End(_) if depth == 0 => {
                end_blank(text, start, &mut blank);
                return Ok(());
            }
            Event::End(_) => depth -= 1,
            Event::Text(words) => push(&words.xml10_content(), text, start, &mut blank),
            Event::CData(words) => push(&words.xml10_content(), text, start, &mut blank),
            Event::GeneralRef(reference) => {
                end_blank(text, start, &mut blank);
                text.push(character(&reference)?);
            }
            Event::Eof => return Err(Broken),
            _ => {}
        }
    }
}

fn push(words: &str, text: &mut String, start: usize, blank: &mut bool) {
    for sign in words.chars() {
        if matches!(sign, ' ' | '\t' | '\n' | '\r') {
            *blank = true;
        } else {
            end_blank(text, start, blank);
            text.push(sign);
        }
    }
}

/// Writes the blank that white space before this place stands for.
fn end_blank(text: &mut String, start: usize, blank: &mut bool) {
    if std::mem::take(blank) && text.len() > start {
        text.push(' ');
    }
}

fn push_white(element: &BytesStart<'_>, text: &mut String) {
    match element.name().as_ref() {
        "text:tab" => text.push('\t'),
        "text:line-break" => text.push('\n'),
        _ => {
            // One blank more than a cell may hold is refused as too long.
            let count = (repeats(element, "text:c") as usize).min(FIELD_BYTES_MAX + 1);
            text.extend(std::iter::repeat_n(' ', count));
        }
    }
}

fn character(reference: &BytesRef<'_>) -> Result<char, Broken> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character);
    }
    match &*reference.xml10_content() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(Broken),
    }
}
