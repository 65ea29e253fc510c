//! The elements of a meet definition list in formats 6, 7 and 8 as one table, and the check of a line
//! against it. Knows nothing of how lines belong together.

use chrono::NaiveDate;

use super::lines::Line;
use crate::domain::meet::ElementFault;
use crate::domain::row_error::shown;

/// The formats of the standard that are read.
pub(super) const VERSIONS: std::ops::RangeInclusive<u8> = 6..=8;

/// A value of a list of codes, with the first and the last format that knows it.
type Code = (&'static str, u8, u8);

/// What an attribute holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Any text.
    Text,
    /// A whole number up to this one.
    Number(u32),
    /// One of several codes, whatever the letter case.
    Code(&'static [Code]),
    /// `TT.MM.JJJJ`.
    Date,
    /// `HH:MM`.
    Clock,
    /// `HH:MM:SS,hh`.
    Time,
    /// `5,50`.
    Money,
    /// A year of birth or a class of ages.
    Ages,
}

/// An attribute: its name in the standard, what it holds, and whether it must have a value.
#[derive(Debug, Clone, Copy)]
struct Attribute(&'static str, Kind, bool);

/// How often an element stands in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurs {
    /// Exactly once.
    Once,
    /// Not, or once.
    AtMostOnce,
    /// As often as needed.
    Often,
}

/// An element of the list.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) occurs: Occurs,
    /// The first format that knows it.
    since: u8,
    /// Attributes at the end that a line may lack.
    spare: usize,
    attributes: &'static [Attribute],
}

const fn element(name: &'static str, occurs: Occurs, attributes: &'static [Attribute]) -> Element {
    Element { name, occurs, since: 6, spare: 0, attributes }
}

const fn text(name: &'static str) -> Attribute {
    Attribute(name, Kind::Text, false)
}

const fn must(name: &'static str, kind: Kind) -> Attribute {
    Attribute(name, kind, true)
}

const fn may(name: &'static str, kind: Kind) -> Attribute {
    Attribute(name, kind, false)
}

pub(super) const EVENT: &str = "WETTKAMPF";
pub(super) const SECTION: &str = "ABSCHNITT";
pub(super) const CLASS: &str = "WERTUNG";
pub(super) const QUALIFYING_TIME: &str = "PFLICHTZEIT";
pub(super) const FEE: &str = "MELDEGELD";
pub(super) const MEETING: &str = "VERANSTALTUNG";
pub(super) const FORMAT: &str = "FORMAT";

/// The largest number of an event: it has at most three digits.
const EVENT_MAX: u32 = 999;
const SECTION_MAX: u32 = 99;

const EVENT_KINDS: Kind = Kind::Code(&[("V", 6, 8), ("Z", 6, 8), ("F", 6, 8), ("E", 6, 8)]);
const COURSES: Kind = Kind::Code(&[
    ("16", 6, 8),
    ("20", 6, 8),
    ("25", 6, 8),
    ("33", 6, 8),
    ("50", 6, 8),
    ("FW", 6, 8),
    ("X", 6, 8),
]);
const PROOF_COURSES: Kind = Kind::Code(&[("25", 6, 8), ("50", 6, 8), ("FW", 6, 8), ("AL", 6, 8)]);
const TIMINGS: Kind =
    Kind::Code(&[("HANDZEIT", 6, 8), ("AUTOMATISCH", 6, 8), ("HALBAUTOMATISCH", 6, 8)]);
const STROKES: Kind =
    Kind::Code(&[("F", 6, 8), ("R", 6, 8), ("B", 6, 8), ("S", 6, 8), ("L", 6, 8), ("X", 6, 8)]);
const EXERCISES: Kind = Kind::Code(&[
    ("GL", 6, 8),
    ("BE", 6, 8),
    ("AR", 6, 8),
    ("ST", 6, 8),
    ("WE", 6, 8),
    ("GB", 6, 8),
    ("X", 6, 8),
    ("KB", 8, 8),
    ("KR", 8, 8),
]);
const EVENT_GENDERS: Kind = Kind::Code(&[("M", 6, 8), ("W", 6, 8), ("X", 6, 8), ("D", 8, 8)]);
const CLASS_GENDERS: Kind = Kind::Code(&[("M", 6, 8), ("W", 6, 8), ("X", 6, 8), ("D", 7, 8)]);
const RANKINGS: Kind = Kind::Code(&[
    ("SW", 6, 8),
    ("EW", 6, 8),
    ("PA", 6, 8),
    ("MS", 6, 8),
    ("KG", 6, 8),
    ("XX", 6, 8),
    ("FS", 6, 6),
]);
const CLASS_KINDS: Kind = Kind::Code(&[("JG", 6, 8), ("AK", 6, 8)]);
const YES_NO: Kind = Kind::Code(&[("J", 6, 8), ("N", 6, 8)]);
const FEES: Kind = Kind::Code(&[
    ("MELDEGELDPAUSCHALE", 6, 8),
    ("EINZELMELDEGELD", 6, 8),
    ("STAFFELMELDEGELD", 6, 8),
    ("WKMELDEGELD", 6, 8),
    ("MANNSCHAFTMELDEGELD", 6, 8),
    ("TEILNEHMERMELDEGELD", 8, 8),
    ("ABSCHNITTSPAUSCHALE", 8, 8),
]);

/// Every element, in the order of the standard. Addresses and accounts are not imported: of them only
/// the number of attributes is checked.
pub(super) const ELEMENTS: &[Element] = &[
    element(FORMAT, Occurs::Once, &[text("Listart"), must("Version", Kind::Number(99))]),
    element("ERZEUGER", Occurs::Once, &[text("Software"), text("Version"), text("Kontakt")]),
    element(
        MEETING,
        Occurs::Once,
        &[
            must("Bezeichnung", Kind::Text),
            text("Ort"),
            must("Bahnlänge", COURSES),
            must("Zeitmessung", TIMINGS),
        ],
    ),
    element(
        "VERANSTALTUNGSORT",
        Occurs::Once,
        &[
            text("Schwimmhalle"),
            text("Straße"),
            text("PLZ"),
            text("Ort"),
            text("Land"),
            text("Telefon"),
            text("Fax"),
            text("E-Mail"),
        ],
    ),
    Element {
        spare: 1,
        ..element("AUSSCHREIBUNGIMNETZ", Occurs::Once, &[text("Internetadresse")])
    },
    element("VERANSTALTER", Occurs::Once, &[text("Name")]),
    element(
        "AUSRICHTER",
        Occurs::Once,
        &[
            text("Ausrichter"),
            text("Name"),
            text("Straße"),
            text("PLZ"),
            text("Ort"),
            text("Land"),
            text("Telefon"),
            text("Fax"),
            text("E-Mail"),
        ],
    ),
    element(
        "MELDEADRESSE",
        Occurs::Once,
        &[
            text("Name"),
            text("Straße"),
            text("PLZ"),
            text("Ort"),
            text("Land"),
            text("Telefon"),
            text("Fax"),
            text("E-Mail"),
        ],
    ),
    element(
        "MELDESCHLUSS",
        Occurs::Once,
        &[must("Datum", Kind::Date), must("Uhrzeit", Kind::Clock)],
    ),
    Element {
        spare: 1,
        ..element(
            "BANKVERBINDUNG",
            Occurs::AtMostOnce,
            &[text("Bank"), text("IBAN"), text("BIC"), text("Kontoinhaber")],
        )
    },
    Element { since: 8, ..element("LASTSCHRIFT", Occurs::AtMostOnce, &[must("Angabe", YES_NO)]) },
    element("BESONDERES", Occurs::AtMostOnce, &[text("Anmerkungen")]),
    element(
        "NACHWEIS",
        Occurs::AtMostOnce,
        &[must("von", Kind::Date), may("bis", Kind::Date), must("Bahnlänge", PROOF_COURSES)],
    ),
    element(
        SECTION,
        Occurs::Often,
        &[
            must("Abschnittsnr", Kind::Number(SECTION_MAX)),
            must("Datum", Kind::Date),
            may("Einlass", Kind::Clock),
            may("Kampfrichtersitzung", Kind::Clock),
            must("Anfangszeit", Kind::Clock),
            may("Relative Angabe", YES_NO),
        ],
    ),
    element(
        EVENT,
        Occurs::Often,
        &[
            must("Wettkampfnr", Kind::Number(EVENT_MAX)),
            must("Wettkampfart", EVENT_KINDS),
            must("Abschnittsnr", Kind::Number(SECTION_MAX)),
            may("Anzahl Starter", Kind::Number(99)),
            must("Einzelstrecke", Kind::Number(25_000)),
            must("Technik", STROKES),
            must("Ausübung", EXERCISES),
            must("Geschlecht", EVENT_GENDERS),
            must("Zuordnung Bestenliste", RANKINGS),
            may("Qualifikationswettkampfnr", Kind::Number(EVENT_MAX)),
            may("Qualifikationswettkampfart", EVENT_KINDS),
        ],
    ),
    element(
        CLASS,
        Occurs::Often,
        &[
            must("Wettkampfnr", Kind::Number(EVENT_MAX)),
            must("Wettkampfart", EVENT_KINDS),
            must("WertungsID", Kind::Number(u32::MAX)),
            must("Wertungsklasse", CLASS_KINDS),
            must("Mindest JG/AK", Kind::Ages),
            may("Maximal JG/AK", Kind::Ages),
            may("Geschlecht", CLASS_GENDERS),
            must("Wertungsname", Kind::Text),
        ],
    ),
    element(
        QUALIFYING_TIME,
        Occurs::Often,
        &[
            must("Wettkampfnr", Kind::Number(EVENT_MAX)),
            must("Wettkampfart", EVENT_KINDS),
            must("Wertungsklasse", CLASS_KINDS),
            must("Mindest JG/AK", Kind::Ages),
            may("Maximal JG/AK", Kind::Ages),
            must("Pflichtzeit", Kind::Time),
            may("Geschlecht", CLASS_GENDERS),
        ],
    ),
    element(
        FEE,
        Occurs::Often,
        &[
            must("Meldegeldtyp", FEES),
            must("Betrag", Kind::Money),
            may("Wettkampfnr", Kind::Number(EVENT_MAX)),
        ],
    ),
];

/// The element of this name in a format.
pub(super) fn find(name: &str, version: u8) -> Option<&'static Element> {
    ELEMENTS.iter().find(|it| it.name == name && it.since <= version)
}

impl Element {
    /// Attributes of a line of it in a format.
    pub(super) fn attributes_max(&self, version: u8) -> usize {
        // The holder of the account came with format 8.
        let is_older = self.name == "BANKVERBINDUNG" && version < 8;
        self.attributes.len() - usize::from(is_older)
    }

    /// Checks the attributes of a line.
    pub(super) fn check(&self, line: &Line<'_>, version: u8) -> Result<(), ElementFault> {
        let (expected, found) = (self.attributes.len() - self.spare, line.attributes.len());
        if found < expected {
            return Err(ElementFault::TooFew { expected, found });
        }
        for (index, Attribute(name, kind, is_required)) in self.attributes.iter().enumerate() {
            match line.attribute(index) {
                "" if *is_required => return Err(ElementFault::Empty { attribute: name }),
                "" => {}
                value => kind.check(name, value, version)?,
            }
        }
        Ok(())
    }
}

impl Kind {
    fn check(self, attribute: &'static str, value: &str, version: u8) -> Result<(), ElementFault> {
        let (is_right, rule) = match self {
            Self::Text => return Ok(()),
            Self::Number(max) => {
                let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let number = value.parse::<u32>().ok().filter(|number| *number <= max);
                (is_digits && number.is_some(), format!("a whole number from 0 to {max}"))
            }
            Self::Code(codes) => match codes.iter().find(|(code, ..)| is_code(code, value)) {
                Some((_, first, last)) if (first..=last).contains(&&version) => return Ok(()),
                Some(_) => {
                    let value = shown(value);
                    return Err(ElementFault::OtherVersion { attribute, value, version });
                }
                None => (false, one_of(codes, version)),
            },
            Self::Date => (date(value).is_some(), "a day such as 09.12.2026".to_owned()),
            Self::Clock => (is_clock(value), "a time of day such as 08:45".to_owned()),
            Self::Time => (is_time(value), "a time such as 00:02:32,09".to_owned()),
            Self::Money => (money(value).is_some(), "an amount such as 5,50".to_owned()),
            Self::Ages => (
                is_ages(value),
                "a year such as 2013, a class from A to E, J, or a number such as 25 or 80+"
                    .to_owned(),
            ),
        };
        if is_right {
            return Ok(());
        }
        Err(ElementFault::Value { attribute, value: shown(value), rule })
    }
}

fn is_code(code: &str, value: &str) -> bool {
    code.eq_ignore_ascii_case(value)
}

fn one_of(codes: &[Code], version: u8) -> String {
    let known = codes.iter().filter(|(_, first, last)| (first..=last).contains(&&version));
    let known: Vec<_> = known.map(|(code, ..)| *code).collect();
    format!("one of {}", known.join(", "))
}

/// A day written as `TT.MM.JJJJ`.
pub(super) fn date(value: &str) -> Option<NaiveDate> {
    let shape = |(at, byte): (usize, u8)| match at {
        2 | 5 => byte == b'.',
        _ => byte.is_ascii_digit(),
    };
    let is_shaped = value.len() == 10 && value.bytes().enumerate().all(shape);
    is_shaped.then(|| NaiveDate::parse_from_str(value, "%d.%m.%Y").ok())?
}

/// Two digits each, the first below `max`.
fn has_shape(value: &str, signs: &[u8], maxima: &[u32]) -> bool {
    let parts: Vec<&str> = value.split([':', ',']).collect();
    let found: Vec<u8> = value.bytes().filter(|byte| matches!(byte, b':' | b',')).collect();
    let is_part = |(part, max): (&&str, &u32)| {
        part.len() == 2
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|number| number <= *max)
    };
    parts.len() == maxima.len() && found == signs && parts.iter().zip(maxima).all(is_part)
}

fn is_clock(value: &str) -> bool {
    has_shape(value, b":", &[23, 59])
}

fn is_time(value: &str) -> bool {
    has_shape(value, b"::,", &[99, 59, 59, 99])
}

/// An amount with a comma, as a number with a point.
pub(super) fn money(value: &str) -> Option<String> {
    let (whole, cents) = value.split_once(',')?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_money = !whole.is_empty() && whole.len() <= 7 && cents.len() == 2;
    (is_money && is_digits(whole) && is_digits(cents)).then(|| format!("{whole}.{cents}"))
}

fn is_ages(value: &str) -> bool {
    if matches!(value, "A" | "B" | "C" | "D" | "E" | "J" | "a" | "b" | "c" | "d" | "e" | "j") {
        return true;
    }
    let digits = value.strip_suffix('+').unwrap_or(value);
    (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_times_and_amounts_have_one_form() {
        assert!(date("09.12.2023").is_some() && date("31.02.2023").is_none());
        assert!(date("9.12.2023").is_none() && date("2023-12-09").is_none());
        assert!(is_clock("23:59") && !is_clock("24:00") && !is_clock("8:30"));
        assert!(is_time("00:02:32,09") && !is_time("00:02:32.09") && !is_time("2:32,09"));
        assert_eq!(money("10,00").as_deref(), Some("10.00"));
        assert!(money("10.00").is_none() && money("10,5").is_none() && money(",50").is_none());
    }

    #[test]
    fn classes_are_years_letters_or_masters() {
        for good in ["0", "9999", "2013", "A", "J", "20", "80+"] {
            assert!(is_ages(good), "{good}");
        }
        for bad in ["F", "20-25", "+", "20133", "JG"] {
            assert!(!is_ages(bad), "{bad}");
        }
    }

    #[test]
    fn the_table_has_each_element_once() {
        let mut names = std::collections::BTreeSet::new();
        assert!(ELEMENTS.iter().all(|element| names.insert(element.name)));
    }
}
