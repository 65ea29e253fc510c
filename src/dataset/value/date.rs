//! Days and points in time from text. ISO 8601 always; other spellings only when there is one way
//! to read them.

use super::month_name;
use crate::domain::detected::DateOrder;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// Why a text is not a day or a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum DateFault {
    /// Not a day of the calendar.
    NotADate,
    /// `05/04/2026`: which one is the month?
    TwoReadings,
    /// The month comes where the declared order has the day, or the year comes last.
    OtherOrder,
    /// In none of the forms that the column takes.
    OtherForm,
    /// A day is wanted, and the time of day is not midnight.
    HasTime,
}

/// Reads a day: `2026-11-22`, `2026/11/22`, `22.11.2026`, `22/11/2026` where only one is a month or
/// the order is known, `22 November 2026`.
pub(in crate::dataset) fn day(
    text: &str,
    order: Option<DateOrder>,
) -> Result<NaiveDate, DateFault> {
    let (date, clock) = day_and_clock(text, order)?;
    match clock {
        None => Ok(date),
        Some(clock) => match time(clock) {
            Some((NaiveTime::MIN, None)) => Ok(date),
            Some(_) => Err(DateFault::HasTime),
            None => Err(DateFault::NotADate),
        },
    }
}

/// Reads a point in time: RFC 3339, or a day with an optional time; without an offset it is UTC.
///
/// What is finer than a microsecond is dropped: no database here keeps it.
pub(in crate::dataset) fn moment(
    text: &str,
    order: Option<DateOrder>,
) -> Result<DateTime<Utc>, DateFault> {
    let (date, clock) = day_and_clock(text, order)?;
    let Some(clock) = clock else {
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    };
    let (time, offset) = time(clock).ok_or(DateFault::NotADate)?;
    let local: NaiveDateTime = date.and_time(time);
    let utc = local.checked_sub_signed(offset.unwrap_or_default()).ok_or(DateFault::NotADate)?;
    if (1..=9999).contains(&utc.year()) { Ok(utc.and_utc()) } else { Err(DateFault::NotADate) }
}

/// The order that `text` proves: a date that is one of the calendar in this order only.
pub(in crate::dataset) fn proof(text: &str) -> Option<DateOrder> {
    let (date, _) = split_clock(text);
    if date.contains('.') {
        // With points the day always comes first, whatever other dates do.
        return None;
    }
    let is_day = |order| calendar_day(date, Some(order)).is_ok();
    match (is_day(DateOrder::Dmy), is_day(DateOrder::Mdy)) {
        (true, false) => Some(DateOrder::Dmy),
        (false, true) => Some(DateOrder::Mdy),
        (true, true) | (false, false) => None,
    }
}

fn day_and_clock(
    text: &str,
    order: Option<DateOrder>,
) -> Result<(NaiveDate, Option<&str>), DateFault> {
    let (date, clock) = split_clock(text);
    match calendar_day(date, order) {
        Err(DateFault::NotADate) => month_name::day(text).ok_or(DateFault::NotADate),
        day => Ok((day?, clock)),
    }
}

fn split_clock(text: &str) -> (&str, Option<&str>) {
    match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    }
}

fn calendar_day(text: &str, order: Option<DateOrder>) -> Result<NaiveDate, DateFault> {
    let fault = DateFault::NotADate;
    let mark = text.chars().find(|c| matches!(c, '-' | '/' | '.')).ok_or(fault)?;
    let mut parts = text.split(mark);
    let (Some(first), Some(second), Some(third), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(fault);
    };
    let second = digits(second, 1, 2).ok_or(fault)?;
    let (year, month, day) = if let Some(year) = digits(first, 4, 4) {
        (year, second, digits(third, 1, 2).ok_or(fault)?)
    } else {
        let first = digits(first, 1, 2).ok_or(fault)?;
        let year = digits(third, 4, 4).ok_or(fault)?;
        let (month, day) = match order {
            Some(DateOrder::Dmy) => (second, first),
            Some(DateOrder::Mdy) => (first, second),
            Some(DateOrder::Ymd) => return Err(DateFault::OtherOrder),
            // With points the day always comes first.
            None if mark == '.' || first > 12 || first == second => (second, first),
            None if second > 12 => (first, second),
            None => return Err(DateFault::TwoReadings),
        };
        if order.is_some() && month > 12 && day <= 12 {
            return Err(DateFault::OtherOrder);
        }
        (year, month, day)
    };
    let year = i32::try_from(year).ok().filter(|year| *year > 0).ok_or(fault)?;
    NaiveDate::from_ymd_opt(year, month, day).ok_or(fault)
}

/// `08:30`, `08:30:00`, `08:30:00.123`, each with an optional offset `Z`, `+02:00`, `+0200`, `+02`.
fn time(text: &str) -> Option<(NaiveTime, Option<TimeDelta>)> {
    let (clock, offset) = if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        (clock, Some(TimeDelta::zero()))
    } else if let Some(at) = text.rfind(['+', '-']) {
        let (clock, offset) = text.split_at_checked(at)?;
        (clock, Some(offset_of(offset)?))
    } else {
        (text, None)
    };
    let mut parts = clock.trim_end().split(':');
    let hour = digits(parts.next()?, 2, 2)?;
    let minute = digits(parts.next()?, 2, 2)?;
    let (second, micros) = match parts.next() {
        None => (0, 0),
        Some(part) => match part.split_once('.') {
            None => (digits(part, 2, 2)?, 0),
            Some((second, fraction)) => (digits(second, 2, 2)?, microseconds(fraction)?),
        },
    };
    if parts.next().is_some() {
        return None;
    }
    Some((NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?, offset))
}

fn offset_of(text: &str) -> Option<TimeDelta> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(body) => (-1, body),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = match body.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if body.len() == 4 => body.split_at_checked(2)?,
        None => (body, "00"),
    };
    let (hours, minutes) = (digits(hours, 2, 2)?, digits(minutes, 2, 2)?);
    if hours > 18 || minutes > 59 {
        return None;
    }
    Some(TimeDelta::minutes(sign * i64::from(hours * 60 + minutes)))
}

fn microseconds(fraction: &str) -> Option<u32> {
    digits(fraction, 1, 9)?;
    let six = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some(six.fold(0, |micros, byte| micros * 10 + u32::from(byte - b'0')))
}

/// `text` as a number when it is nothing but `least` to `most` digits.
fn digits(text: &str, least: usize, most: usize) -> Option<u32> {
    let right = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if right { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DateFault::{HasTime, NotADate, OtherOrder, TwoReadings};
    use DateOrder::{Dmy, Mdy, Ymd};

    #[track_caller]
    fn check_day(text: &str, expected: Result<&str, DateFault>) {
        assert_eq!(
            day(text, None).map(|day| day.to_string()),
            expected.map(str::to_owned),
            "{text}"
        );
    }

    #[test]
    fn a_day_is_read_when_there_is_one_way_to_read_it() {
        for text in [
            "2026-11-22",
            "2026/11/22",
            "2026.11.22",
            "22.11.2026",
            "22/11/2026",
            "22-11-2026",
            "11/22/2026",
            "2026-11-22T00:00:00",
            "2026-11-22 00:00",
        ] {
            check_day(text, Ok("2026-11-22"));
        }
        check_day("5.4.2026", Ok("2026-04-05"));
        check_day("05/05/2026", Ok("2026-05-05"));
        check_day("2024-02-29", Ok("2024-02-29"));
        check_day("05/04/2026", Err(TwoReadings));
        check_day("4-5-2026", Err(TwoReadings));
        check_day("2026-11-22 08:30", Err(HasTime));
    }

    #[test]
    fn a_known_order_leaves_one_reading() {
        for (order, text, expected) in [
            (Dmy, "05/04/2026", Ok("2026-04-05")),
            (Mdy, "05/04/2026", Ok("2026-05-04")),
            (Mdy, "5-4-2026", Ok("2026-05-04")),
            (Dmy, "2026/05/04", Ok("2026-05-04")),
            (Dmy, "05/13/2026", Err(OtherOrder)),
            (Mdy, "13/05/2026", Err(OtherOrder)),
            (Mdy, "13.05.2026", Err(OtherOrder)),
            (Ymd, "05/04/2026", Err(OtherOrder)),
            (Ymd, "2026-05-04", Ok("2026-05-04")),
            (Dmy, "13/13/2026", Err(NotADate)),
            (Dmy, "31/02/2026", Err(NotADate)),
        ] {
            let found = day(text, Some(order)).map(|day| day.to_string());
            assert_eq!(found, expected.map(str::to_owned), "{text} in {order:?}");
        }
        let found = moment("05/04/2026 08:30", Some(Dmy)).map(|time| time.to_rfc3339());
        assert_eq!(found.as_deref(), Ok("2026-04-05T08:30:00+00:00"));
    }

    #[test]
    fn only_a_date_with_one_reading_proves_an_order() {
        for (text, expected) in [
            ("13/04/2026", Some(Dmy)),
            ("13-04-2026 08:30", Some(Dmy)),
            ("04/13/2026", Some(Mdy)),
            ("05/04/2026", None),
            ("05/05/2026", None),
            ("2026/04/13", None),
            ("13.04.2026", None),
            ("13/13/2026", None),
            ("31/02/2026", None),
            ("13/04/26", None),
            ("", None),
        ] {
            assert_eq!(proof(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_day_of_the_calendar_is_an_error() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "2023-02-29",
            "22.11.26",
            "22 Nox 2026",
            "46348",
            "0000-01-01",
            "2026-11",
            "2026-11-22-1",
            "2026-11/22",
            "２026-11-22",
            "+2026-11-22",
            "2026-11-22T",
            "2026-11-22 25:00",
            "99999-01-01",
        ] {
            check_day(text, Err(NotADate));
        }
    }

    #[track_caller]
    fn check_moment(text: &str, expected: Result<&str, DateFault>) {
        let found = moment(text, None).map(|time| time.to_rfc3339());
        assert_eq!(found, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn a_moment_without_offset_is_utc() {
        for text in [
            "2026-11-22T08:30:00Z",
            "2026-11-22t08:30:00z",
            "2026-11-22 08:30",
            "2026-11-22 08:30:00",
            "2026-11-22T10:30:00+02:00",
            "2026-11-22 10:30:00+0200",
            "2026-11-22 10:30:00 +02",
            "2026-11-22T03:00:00-05:30",
        ] {
            check_moment(text, Ok("2026-11-22T08:30:00+00:00"));
        }
        check_moment("2026-11-22", Ok("2026-11-22T00:00:00+00:00"));
        check_moment("2026-11-22 08:30:00.1234567", Ok("2026-11-22T08:30:00.123456+00:00"));
        for text in [
            "08:30",
            "2026-11-22 8:30",
            "2026-11-22 24:00:00",
            "2026-11-22T08:30:60Z",
            "2026-11-22 08:30:00+99:00",
            "9999-12-31T23:59:59-10:00",
            "2026-11-22  08:30",
            "2026-11-22 08:30:00.",
            "2026-11-22 08:30:00:00",
            "2026-11-22 08:30é",
        ] {
            check_moment(text, Err(NotADate));
        }
    }
}
