//! An event of a list as the cells of a row: what its own line says, and what other lines say of it.

use std::collections::HashMap;

use serde::Serialize;

use super::check::Checked;
use super::elements::{CLASS, FEE, MEETING, QUALIFYING_TIME, date, money};
use super::lines::Line;
use crate::domain::meet::MeetSelection;
use crate::domain::row::CellKind;

/// The columns of an event.
pub(in crate::reader) const HEADER: [&str; 23] = [
    "meeting",
    "event_number",
    "kind",
    "meeting_name",
    "city",
    "course",
    "timing",
    "place_in_order",
    "section",
    "section_date",
    "section_start",
    "start_is_relative",
    "swimmers",
    "distance",
    "stroke",
    "exercise",
    "gender",
    "ranking",
    "qualifying_event",
    "qualifying_kind",
    "classes",
    "qualifying_times",
    "fee",
];

/// A class in which an event is ranked.
#[derive(Debug, Serialize)]
struct Class<'a> {
    id: u32,
    r#type: String,
    min: &'a str,
    max: &'a str,
    gender: Option<String>,
    name: &'a str,
}

/// A time that a swimmer must have swum before.
#[derive(Debug, Serialize)]
struct QualifyingTime<'a> {
    r#type: String,
    min: &'a str,
    max: &'a str,
    time: &'a str,
    gender: Option<String>,
}

/// What other lines say of the events, by number and kind.
#[derive(Debug, Default)]
pub(super) struct EventParts<'a> {
    classes: HashMap<(u32, String), Vec<Class<'a>>>,
    times: HashMap<(u32, String), Vec<QualifyingTime<'a>>>,
    fees: HashMap<u32, String>,
}

impl<'a> EventParts<'a> {
    pub(super) fn gather(list: &'a Checked<'_>) -> Self {
        let mut parts = Self::default();
        for line in list.all(CLASS) {
            let (Some(key), Some(id)) = (key(line), line.number_at(2)) else { continue };
            let (min, max) = ages(line, 4);
            let (r#type, gender) = (line.attribute(3).to_uppercase(), code(line.attribute(6)));
            let class = Class { id, r#type, min, max, gender, name: line.attribute(7) };
            parts.classes.entry(key).or_default().push(class);
        }
        for line in list.all(QUALIFYING_TIME) {
            let Some(key) = key(line) else { continue };
            let (min, max) = ages(line, 3);
            let (r#type, gender) = (line.attribute(2).to_uppercase(), code(line.attribute(6)));
            let time = QualifyingTime { r#type, min, max, time: line.attribute(5), gender };
            parts.times.entry(key).or_default().push(time);
        }
        for line in list.all(FEE) {
            let is_of_event = line.attribute(0).eq_ignore_ascii_case("Wkmeldegeld");
            let of_event = line.number_at(2).filter(|_| is_of_event);
            if let (Some(number), Some(fee)) = (of_event, money(line.attribute(1))) {
                parts.fees.insert(number, fee);
            }
        }
        parts
    }
}

/// Number and kind of the event that a line begins with.
fn key(line: &Line<'_>) -> Option<(u32, String)> {
    Some((line.number_at(0)?, line.attribute(1).to_uppercase()))
}

/// The ages from and to; without an end they are one year or class.
fn ages<'a>(line: &'a Line<'_>, at: usize) -> (&'a str, &'a str) {
    let min = line.attribute(at);
    (min, Some(line.attribute(at + 1)).filter(|max| !max.is_empty()).unwrap_or(min))
}

fn code(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_uppercase())
}

/// The cells of an event under [`HEADER`]. `place` is its place among the events of the list.
pub(super) fn cells(
    list: &Checked<'_>,
    parts: &EventParts<'_>,
    line: &Line<'_>,
    place: u32,
    selection: &MeetSelection,
) -> Vec<(CellKind, String)> {
    let text = |value: &str| (CellKind::Text, value.to_owned());
    let code = |value: &str| (CellKind::Text, value.to_uppercase());
    let number = |value: &str| match value.parse::<u32>() {
        Ok(number) => (CellKind::Number, number.to_string()),
        Err(_) => (CellKind::Text, String::new()),
    };
    let meeting = list.once(MEETING);
    let of_meeting = |at| meeting.map_or("", |line| line.attribute(at));
    let section = line.number_at(2).and_then(|number| list.section(number));
    let of_section = |at| section.map_or("", |line| line.attribute(at));
    let day = date(of_section(1)).map(|day| day.to_string()).unwrap_or_default();
    let is_relative = of_section(5).eq_ignore_ascii_case("J");
    let swimmers = Some(line.attribute(3)).filter(|count| !count.is_empty()).unwrap_or("1");
    let key = key(line).unwrap_or_default();
    let fee = parts.fees.get(&key.0).cloned();
    vec![
        text(&selection.meeting),
        number(line.attribute(0)),
        code(line.attribute(1)),
        text(of_meeting(0)),
        text(of_meeting(1)),
        code(of_meeting(2)),
        code(of_meeting(3)),
        (CellKind::Number, place.to_string()),
        number(line.attribute(2)),
        (CellKind::Date, day),
        text(of_section(4)),
        (CellKind::Boolean, is_relative.to_string()),
        number(swimmers),
        number(line.attribute(4)),
        code(line.attribute(5)),
        code(line.attribute(6)),
        code(line.attribute(7)),
        code(line.attribute(8)),
        number(line.attribute(9)),
        code(line.attribute(10)),
        text(&json(parts.classes.get(&key))),
        text(&json(parts.times.get(&key))),
        (fee.as_ref().map_or(CellKind::Text, |_| CellKind::Number), fee.unwrap_or_default()),
    ]
}

/// Several values as JSON text; nothing for none.
fn json<T: Serialize>(values: Option<&Vec<T>>) -> String {
    let Some(values) = values else { return String::new() };
    let text = serde_json::to_string(values);
    assert!(text.is_ok(), "texts and numbers are always JSON");
    text.unwrap_or_default()
}
