//! Forms of days and times that a column takes instead of all that can be read: `%d.%m.%Y`, tried in
//! the order of the definition.

use std::fmt::Write as _;

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// Forms of one column.
pub(super) const FORMATS_MAX: usize = 8;

/// Years whose days show that two forms read one text differently: short and long ones, some whose
/// two last digits are days or months.
const SAMPLED_YEARS: [i32; 4] = [2001, 2012, 2024, 2031];

/// A form of days, or of points in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat {
    text: String,
    items: Vec<Item<'static>>,
}

impl DateFormat {
    /// Reads the text of a definition; the fault as a sentence. `is_day` of a column without times.
    pub(super) fn new(text: &str, is_day: bool) -> Result<Self, String> {
        let items: Vec<Item<'static>> = StrftimeItems::new(text).map(Item::to_owned).collect();
        if items.contains(&Item::Error) {
            return Err(format!("`{text}` has a sign that no date has; write it like %d.%m.%Y"));
        }
        let format = Self { text: text.to_owned(), items };
        let sample = sample(2031, 11, 22);
        let written = format.write(sample, is_day).ok_or_else(|| {
            format!("`{text}` has a time or an offset, which the column does not keep")
        })?;
        let read = format.moment(&written);
        let is_whole = read == Some(sample)
            || (is_day && read.map(|it| it.date_naive()) == Some(sample.date_naive()));
        let is_day_of_time = !is_day && read.map(|it| it.date_naive()) == Some(sample.date_naive());
        if is_whole || is_day_of_time {
            return Ok(format);
        }
        Err(format!("`{text}` does not say which day it is; write it like %d.%m.%Y"))
    }

    /// As the definition has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The point in time of a text in this form; a day begins at midnight, and a time without an
    /// offset is UTC.
    pub(super) fn moment(&self, text: &str) -> Option<DateTime<Utc>> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        let day = parsed.to_naive_date().ok()?;
        // Chrono takes `26` for a year of four digits, and means antiquity.
        if !(1000..=9999).contains(&day.year()) {
            return None;
        }
        let time = match parsed.to_naive_time() {
            Ok(time) => time,
            Err(_) if self.has_clock() => return None,
            Err(_) => NaiveTime::MIN,
        };
        let offset = parsed.offset().map_or(0, i64::from);
        let local: NaiveDateTime = day.and_time(time);
        Some(local.checked_sub_signed(TimeDelta::seconds(offset))?.and_utc())
    }

    /// The day of a text in this form.
    pub(super) fn day(&self, text: &str) -> Option<NaiveDate> {
        self.moment(text).map(|moment| moment.date_naive())
    }

    /// How people write it: the example of an error.
    #[must_use]
    pub fn example(&self) -> String {
        let sample = sample(2026, 11, 22);
        self.write(sample, false).unwrap_or_default()
    }

    /// A day that another form reads as another one: as both write it.
    pub(super) fn clash(&self, other: &Self, is_day: bool) -> Option<String> {
        let days = SAMPLED_YEARS.into_iter().flat_map(|year| (1..=366).map(move |day| (year, day)));
        let mut days = days.filter_map(|(year, day)| NaiveDate::from_yo_opt(year, day));
        days.find_map(|day| {
            let moment = day.and_time(clock()).and_utc();
            let text = self.write(moment, is_day)?;
            let (own, others) = (self.moment(&text)?, other.moment(&text)?);
            (own != others).then_some(text)
        })
    }

    fn has_clock(&self) -> bool {
        use chrono::format::Fixed;
        use chrono::format::Numeric::{Hour, Hour12, Minute, Second, Timestamp};
        self.items.iter().any(|item| match item {
            Item::Numeric(number, _) => {
                matches!(number, Hour | Hour12 | Minute | Second | Timestamp)
            }
            Item::Fixed(fixed) => matches!(fixed, Fixed::RFC2822 | Fixed::RFC3339),
            _ => false,
        })
    }

    /// `None` where the form has a part that a day alone does not have.
    fn write(&self, moment: DateTime<Utc>, is_day: bool) -> Option<String> {
        let mut text = String::new();
        let items = self.items.iter();
        let written = if is_day {
            write!(text, "{}", moment.date_naive().format_with_items(items))
        } else {
            write!(text, "{}", moment.format_with_items(items))
        };
        written.ok().map(|()| text)
    }
}

fn clock() -> NaiveTime {
    NaiveTime::from_hms_opt(8, 30, 0).unwrap_or_default()
}

fn sample(year: i32, month: u32, day: u32) -> DateTime<Utc> {
    let day = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    day.and_time(clock()).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(format: &str, text: &str) -> Option<String> {
        DateFormat::new(format, true).unwrap().day(text).map(|day| day.to_string())
    }

    #[test]
    fn days_are_read_in_their_form_only() {
        assert_eq!(day("%d.%m.%Y", "22.11.2026").as_deref(), Some("2026-11-22"));
        assert_eq!(day("%d.%m.%Y", "5.4.2026").as_deref(), Some("2026-04-05"));
        assert_eq!(day("%m/%d/%y", "04/05/26").as_deref(), Some("2026-04-05"));
        assert_eq!(day("%Y%m%d", "20260405").as_deref(), Some("2026-04-05"));
        for text in ["22.11.26", "2026-11-22", "31.02.2026", "22.11.2026 ", "22.11.2026 08:00", ""]
        {
            assert_eq!(day("%d.%m.%Y", text), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_with_or_without_their_offset() {
        let read = |format: &str, text: &str| {
            let format = DateFormat::new(format, false).unwrap();
            format.moment(text).map(|moment| moment.to_rfc3339())
        };
        let expected = Some("2026-04-05T08:30:00+00:00".to_owned());
        assert_eq!(read("%d.%m.%Y %H:%M", "05.04.2026 08:30"), expected);
        assert_eq!(read("%d.%m.%Y %H:%M %z", "05.04.2026 10:30 +0200"), expected);
        assert_eq!(read("%d.%m.%Y", "05.04.2026").as_deref(), Some("2026-04-05T00:00:00+00:00"));
        assert_eq!(read("%d.%m.%Y %H:%M", "05.04.2026 25:30"), None);
    }

    #[test]
    fn forms_that_say_no_day_are_faults() {
        for (format, is_day) in
            [("%d.%m", true), ("%Q", true), ("", true), ("%H:%M", false), ("%d.%m.%Y %H", true)]
        {
            assert!(DateFormat::new(format, is_day).is_err(), "{format}");
        }
    }

    #[test]
    fn two_readings_of_one_text_are_found() {
        let clash = |one: &str, other: &str| {
            let form = |text: &str| DateFormat::new(text, true).unwrap();
            form(one).clash(&form(other), true)
        };
        assert_eq!(clash("%d/%m/%Y", "%m/%d/%Y").as_deref(), Some("02/01/2001"));
        assert!(clash("%d.%m.%y", "%y.%m.%d").is_some());
        for (one, other) in
            [("%d.%m.%Y", "%Y-%m-%d"), ("%d.%m.%Y", "%d.%m.%y"), ("%d.%m.%y", "%d.%m.%Y")]
        {
            assert_eq!(clash(one, other), None, "{one} {other}");
        }
    }
}
