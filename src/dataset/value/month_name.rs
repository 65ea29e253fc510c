//! Days whose month is a word: `15 January 2024`, `15 Jan 2024`, `15 Januari 2024`. A word leaves one
//! reading, so no order of day and month is asked for. English and Indonesian.

use chrono::NaiveDate;

/// The months by every name that they have here, in lower case.
const NAMES: [&[&str]; 12] = [
    &["january", "jan", "januari"],
    &["february", "feb", "februari", "peb", "pebruari"],
    &["march", "mar", "maret"],
    &["april", "apr"],
    &["may", "mei"],
    &["june", "jun", "juni"],
    &["july", "jul", "juli"],
    &["august", "aug", "agustus", "agu", "agt", "ags"],
    &["september", "sep", "sept"],
    &["october", "oct", "oktober", "okt"],
    &["november", "nov", "nop", "nopember"],
    &["december", "dec", "desember", "des"],
];

/// The day at the start of `text`, and the time behind it: behind a comma, a blank or both.
pub(super) fn day(text: &str) -> Option<(NaiveDate, Option<&str>)> {
    let (day, rest) = number(text, 2)?;
    let rest = separated(rest)?;
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic())?;
    let (word, rest) = rest.split_at_checked(letters)?;
    let rest = separated(rest.strip_prefix('.').unwrap_or(rest))?;
    let (year, rest) = number(rest, 4).filter(|(year, _)| *year >= 1000)?;
    let month = (1..)
        .zip(NAMES)
        .find(|(_, names)| names.iter().any(|name| name.eq_ignore_ascii_case(word)))?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month.0, day)?;
    if rest.is_empty() {
        return Some((date, None));
    }
    let clock = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    // A digit behind the year belongs to no time.
    (clock.len() < rest.len() && !clock.is_empty()).then_some((date, Some(clock)))
}

/// What follows blanks or one hyphen.
fn separated(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('-').unwrap_or_else(|| text.trim_start_matches(' '));
    (rest.len() < text.len()).then_some(rest)
}

/// A number of one to `most` digits, and what follows it.
fn number(text: &str, most: usize) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if !(1..=most).contains(&digits.len()) {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, Option<&str>)>) {
        let found = day(text);
        let found = found.map(|(date, clock)| (date.to_string(), clock));
        assert_eq!(found, expected.map(|(date, clock)| (date.to_owned(), clock)), "{text}");
    }

    #[test]
    fn a_month_may_be_a_word() {
        check("15 January 2024", Some(("2024-01-15", None)));
        check("01 January 2025, 10:00:00", Some(("2025-01-01", Some("10:00:00"))));
        check("5 mei 2024 07:30", Some(("2024-05-05", Some("07:30"))));
        check("17-Agu-2024", Some(("2024-08-17", None)));
        check("3 Dec. 2024", Some(("2024-12-03", None)));
        for (month, names) in (1..).zip(NAMES) {
            for name in names {
                check(&format!("9 {name} 2024"), Some((&format!("2024-{month:02}-09"), None)));
            }
        }
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in [
            "31 February 2024",
            "15 Foo 2024",
            "January 2024",
            "15 January 24",
            "15January2024",
            "15 January 20245",
            "15 January 2024x",
            "15 January 2024,",
            "",
            "15",
            "15 January",
            "0 May 2024",
            "115 May 2024",
        ] {
            check(text, None);
        }
    }
}
