//! The lines of a list: remarks are taken off, the element and its attributes are split. Knows no
//! element.

use crate::domain::meet::ElementFault;

/// The element that ends a list.
pub(super) const END: &str = "DATEIENDE";

/// A line with an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The line of the file, from 1.
    pub(super) number: u64,
    /// The line as it stands.
    pub(super) text: &'a str,
    /// The name of the element in capitals; empty where there is none.
    pub(super) element: String,
    /// Its attributes without blanks around them.
    pub(super) attributes: Vec<String>,
    /// What is wrong with the line before anybody looks at its attributes.
    pub(super) fault: Option<ElementFault>,
}

impl Line<'_> {
    /// The attribute at `index`; empty when there is none.
    pub(super) fn attribute(&self, index: usize) -> &str {
        self.attributes.get(index).map_or("", String::as_str)
    }

    /// The attribute at `index` as a number.
    pub(super) fn number_at(&self, index: usize) -> Option<u32> {
        self.attribute(index).parse().ok()
    }
}

/// The lines that are neither blank nor remarks.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let numbered = (1..).zip(text.split('\n').map(|line| line.trim_end_matches('\r')));
    numbered.filter_map(|(number, text)| line(number, text))
}

fn line(number: u64, text: &str) -> Option<Line<'_>> {
    let (content, is_open) = without_remarks(text);
    let content = content.trim();
    if content.is_empty() && !is_open {
        return None;
    }
    let (name, rest) = content.split_once(':').unwrap_or((content, ""));
    let mut element = name.trim().to_uppercase();
    let is_end = element.trim_end_matches(';').trim_end() == END;
    if is_end {
        END.clone_into(&mut element);
    }
    let mut attributes: Vec<String> = rest.split(';').map(|it| it.trim().to_owned()).collect();
    // Each attribute is ended by its sign; what stands behind the last one is a remark, or nothing.
    if attributes.last().is_some_and(String::is_empty) {
        attributes.pop();
    }
    let fault = if is_open {
        Some(ElementFault::OpenRemark)
    } else if !content.contains(':') && !is_end {
        element.clear();
        Some(ElementFault::NoElement)
    } else {
        None
    };
    Some(Line { number, text, element, attributes, fault })
}

/// The text outside of remarks, and whether a remark has no end.
fn without_remarks(text: &str) -> (String, bool) {
    let (mut content, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, remark)) = rest.split_once("(*") {
        content.push_str(before);
        match remark.split_once("*)") {
            Some((_, behind)) => rest = behind,
            None => return (content, true),
        }
    }
    content.push_str(rest);
    (content, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, String, Vec<String>)> {
        lines(text).map(|line| (line.number, line.element, line.attributes)).collect()
    }

    #[test]
    fn remarks_and_blanks_are_no_content() {
        let text = "(* Meet Manager *)\r\n\r\n  FORMAT: Liste ;7;  (* a; b *)\r\nX:a (* b *) c;;\n";
        assert_eq!(
            read(text),
            [
                (3, "FORMAT".to_owned(), vec!["Liste".to_owned(), "7".to_owned()]),
                (4, "X".to_owned(), vec!["a  c".to_owned(), String::new()]),
            ]
        );
    }

    #[test]
    fn quotes_are_letters_and_the_last_sign_may_be_missing() {
        assert_eq!(
            read("A:\"Letzte Chance;x\nDATEIENDE"),
            [
                (1, "A".to_owned(), vec!["\"Letzte Chance".to_owned(), "x".to_owned()]),
                (2, END.to_owned(), vec![]),
            ]
        );
    }

    #[test]
    fn what_is_no_element_is_told() {
        let faults: Vec<_> = lines("hello\nA:1; (* open\ndateiende;").map(|it| it.fault).collect();
        assert_eq!(faults, [Some(ElementFault::NoElement), Some(ElementFault::OpenRemark), None]);
    }
}
