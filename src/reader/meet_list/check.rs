//! The lines of a list, each checked by itself and against the others: which are whole, which have a
//! fault, and what they refer to. Knows no columns.

use std::collections::{BTreeSet, HashMap};

use super::elements::{
    CLASS, ELEMENTS, EVENT, Element, FEE, FORMAT, MEETING, Occurs, QUALIFYING_TIME, SECTION,
    VERSIONS, date, find,
};
use super::fault::MeetListFault;
use super::lines::{END, Line, lines};
use crate::domain::meet::{ElementFault, MeetSelection};
use crate::domain::row_number::RowNumber;
use crate::domain::warning::{WarningCode, Warnings};

/// The only list that is read.
const LIST: &str = "Wettkampfdefinitionsliste";

/// Number and kind of an event: what is unique in its meeting.
type EventKey = (u32, String);

/// The checked lines of a list.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    version: u8,
    lines: Vec<Line<'a>>,
    /// The lines of the sections, by their number.
    sections: HashMap<u32, usize>,
    /// The events, faulty ones included: what refers to them refers to something.
    events: BTreeSet<EventKey>,
}

impl<'a> Checked<'a> {
    /// Reads the lines and finds the faults of each.
    pub(super) fn read(text: &'a str) -> Result<Self, MeetListFault> {
        let lines: Vec<Line<'a>> = lines(text).collect();
        let version = version(&lines)?;
        let mut checked =
            Self { version, lines, sections: HashMap::new(), events: BTreeSet::new() };
        checked.check_whole()?;
        checked.check_lines();
        checked.check_references();
        Ok(checked)
    }

    /// The faults that concern the file as a whole.
    fn check_whole(&self) -> Result<(), MeetListFault> {
        let mut formats = self.lines.iter().filter(|line| line.element == FORMAT).skip(1);
        if let Some(second) = formats.next() {
            return Err(MeetListFault::SecondFormat { line: second.number });
        }
        let last = self.lines.last().map_or(1, |line| line.number);
        let end = self.lines.iter().find(|line| line.element == END);
        let line = end.ok_or(MeetListFault::NoEnd { line: last })?.number;
        let has = |name: &str| self.lines.iter().any(|line| line.element == name);
        let needed = |element: &&Element| {
            element.occurs == Occurs::Once || matches!(element.name, SECTION | EVENT)
        };
        let missing = ELEMENTS.iter().filter(needed).map(|element| element.name);
        let elements: Vec<_> = missing.filter(|name| !has(name)).collect();
        if elements.is_empty() { Ok(()) } else { Err(MeetListFault::Missing { line, elements }) }
    }

    /// Checks each line by itself, and counts what may stand once only.
    fn check_lines(&mut self) {
        let version = self.version;
        let mut is_behind_end = false;
        let (mut first, mut classes, mut sections) =
            (HashMap::new(), HashMap::new(), HashMap::new());
        for (index, line) in self.lines.iter_mut().enumerate() {
            if line.fault.is_none() {
                line.fault = fault_of(line, version, is_behind_end, &mut first);
            }
            is_behind_end |= line.element == END;
            let (Some(number), is_whole) = (line.number_at(0), line.fault.is_none()) else {
                continue;
            };
            match line.element.as_str() {
                SECTION if is_whole => {
                    let at = *sections.entry(number).or_insert(line.number);
                    if at == line.number {
                        self.sections.insert(number, index);
                    } else {
                        line.fault = Some(ElementFault::RepeatedSection { number, line: at });
                    }
                }
                EVENT => {
                    self.events.insert((number, line.attribute(1).to_uppercase()));
                }
                CLASS if is_whole => {
                    let Some(id) = line.number_at(2) else { continue };
                    let at = *classes.entry(id).or_insert(line.number);
                    if at != line.number {
                        line.fault = Some(ElementFault::RepeatedClass { id, line: at });
                    }
                }
                _ => {}
            }
        }
    }

    /// Checks what lines say of each other: an event is of a section and stands once.
    fn check_references(&mut self) {
        let mut first = HashMap::new();
        for line in &mut self.lines {
            if line.element != EVENT || line.fault.is_some() {
                continue;
            }
            let (Some(number), Some(section)) = (line.number_at(0), line.number_at(2)) else {
                continue;
            };
            let kind = line.attribute(1).to_uppercase();
            let at = *first.entry((number, kind.clone())).or_insert(line.number);
            line.fault = if at != line.number {
                Some(ElementFault::RepeatedEvent { number, kind, line: at })
            } else if self.sections.contains_key(&section) {
                None
            } else {
                Some(ElementFault::UnknownSection { number: section })
            };
        }
    }

    /// What the meeting is called when the client does not say: its name in the list and its first
    /// day, since many meetings have the same name every year.
    pub(super) fn meeting_name(&self) -> String {
        let name = self.once(MEETING).map_or("", |line| line.attribute(0));
        let days = self.sections.values().filter_map(|at| self.lines.get(*at));
        let first = days.filter_map(|line| date(line.attribute(1))).min();
        first.map_or_else(|| name.to_owned(), |day| format!("{name} {day}"))
    }

    /// The line of an element that stands once.
    pub(super) fn once(&self, element: &str) -> Option<&Line<'a>> {
        self.lines.iter().find(|line| line.element == element)
    }

    /// What a person should see of the list.
    pub(super) fn warnings(&self, selection: &MeetSelection) -> Warnings {
        let mut warnings = Warnings::default();
        for line in self.whole_lines() {
            let mut warn = |code| {
                let number = RowNumber::try_from(line.number).ok();
                warnings.add(code, None, number, Some(line.text.trim()));
            };
            let max = find(&line.element, self.version).map(|it| it.attributes_max(self.version));
            if max.is_some_and(|max| line.attributes.len() > max) {
                warn(WarningCode::ExtraAttributes);
            }
            let is_taken = event_number(line).is_none_or(|number| selection.takes(number));
            if is_taken && self.event_of(line).is_some_and(|key| !self.events.contains(&key)) {
                warn(WarningCode::DanglingReference);
            }
        }
        for number in selection.include_events.iter().chain(&selection.exclude_events) {
            if !self.events.iter().any(|(event, _)| event == number) {
                warnings.add(WarningCode::UnknownEvents, None, None, Some(&number.to_string()));
            }
        }
        warnings
    }

    /// The event that a whole line refers to, if it does.
    fn event_of(&self, line: &Line<'_>) -> Option<EventKey> {
        let (number, kind) = match line.element.as_str() {
            CLASS | QUALIFYING_TIME => (0, 1),
            EVENT => (9, 10),
            // A fee names the number only.
            FEE => {
                let number = line.number_at(2)?;
                let mut of_number = self.events.iter().filter(|(event, _)| *event == number);
                return Some(of_number.next().cloned().unwrap_or((number, String::new())));
            }
            _ => return None,
        };
        Some((line.number_at(number)?, line.attribute(kind).to_uppercase()))
    }

    fn whole_lines(&self) -> impl Iterator<Item = &Line<'a>> {
        self.lines.iter().filter(|line| line.fault.is_none())
    }

    /// Every line, in the order of the file.
    pub(super) fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    /// The lines of an element without a fault.
    pub(super) fn all(&self, element: &'static str) -> impl Iterator<Item = &Line<'a>> {
        self.whole_lines().filter(move |line| line.element == element)
    }

    /// The line of the section of this number.
    pub(super) fn section(&self, number: u32) -> Option<&Line<'a>> {
        self.lines.get(*self.sections.get(&number)?)
    }
}

/// The number of the event that a line is about.
pub(super) fn event_number(line: &Line<'_>) -> Option<u32> {
    match line.element.as_str() {
        EVENT | CLASS | QUALIFYING_TIME => line.number_at(0),
        FEE => line.number_at(2),
        _ => None,
    }
}

/// The fault of a line by itself.
fn fault_of(
    line: &Line<'_>,
    version: u8,
    is_behind_end: bool,
    first: &mut HashMap<&'static str, u64>,
) -> Option<ElementFault> {
    if is_behind_end {
        return Some(ElementFault::BehindEnd);
    }
    if line.element == END {
        return None;
    }
    let Some(element) = find(&line.element, version) else {
        return Some(ElementFault::UnknownElement { version });
    };
    if element.occurs != Occurs::Often {
        let at = *first.entry(element.name).or_insert(line.number);
        if at != line.number {
            return Some(ElementFault::RepeatedElement { line: at });
        }
    }
    element.check(line, version).err()
}

/// The format of the list, by its first element.
fn version(lines: &[Line<'_>]) -> Result<u8, MeetListFault> {
    let Some(first) = lines.first().filter(|line| line.element == FORMAT) else {
        let line = lines.first().map_or(1, |line| line.number);
        return Err(MeetListFault::NoFormat { line });
    };
    let (line, list, version) = (first.number, first.attribute(0), first.attribute(1));
    if !list.eq_ignore_ascii_case(LIST) {
        return Err(MeetListFault::OtherList { line, list: list.to_owned() });
    }
    let number = version.parse().ok().filter(|version| VERSIONS.contains(version));
    number.ok_or_else(|| MeetListFault::Version { line, version: version.to_owned() })
}
