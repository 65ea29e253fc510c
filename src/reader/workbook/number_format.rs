//! Number formats: what a format code makes of a number, as far as it changes what a person reads.
//! A format is looked at once; a cell only asks which part of it applies.

use ssfmt::ast::{Condition, FormatPart};
use ssfmt::{FormatOptions, NumberFormat as Code};

/// Characters of a format code that a spreadsheet takes.
const CODE_CHARS_MAX: usize = 255;

/// What numbers of a format are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberKind {
    /// Numbers that are shown as they are.
    General,
    /// Numbers with a shape of their own.
    Number,
    /// Days and times. `is_short`: the cell shows no year, or no day.
    Day { is_short: bool },
    /// Spans of time.
    Duration,
}

/// The shape of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NumberShape {
    /// Digits after the point that are shown, if that is known.
    pub(crate) decimals: Option<u8>,
    /// Digits after the point that are shown at least; zeros fill them up.
    pub(crate) least_decimals: u8,
    /// Digits before the point at least; zeros fill them up.
    pub(crate) whole_digits: u8,
    /// The number is shown times 100 with a percent sign.
    pub(crate) is_percent: bool,
}

/// How one section of a format shows a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Plain,
    Shape(NumberShape),
    /// With words around or signs within, as only the whole text can say.
    Label(NumberShape),
}

/// A number format.
#[derive(Debug, Clone)]
pub(crate) struct NumberFormat {
    kind: NumberKind,
    looks: Vec<(Option<Condition>, Look)>,
    /// The code, where a section has a label.
    code: Option<Code>,
}

impl NumberFormat {
    const GENERAL: Self = Self { kind: NumberKind::General, looks: Vec::new(), code: None };

    fn of_kind(kind: NumberKind) -> Self {
        Self { kind, ..Self::GENERAL }
    }

    /// One of the formats that every workbook has (ECMA-376, 18.8.30).
    pub(crate) fn of_id(id: u32) -> Self {
        let code = match id {
            1 => "0",
            2 => "0.00",
            3 | 37 | 38 | 41 | 42 => "#,##0",
            4 | 39 | 40 | 43 | 44 => "#,##0.00",
            9 => "0%",
            10 => "0.00%",
            12 => "# ?/?",
            13 => "# ??/??",
            14 | 15 | 18..=22 | 27..=36 | 45 | 47 | 50..=58 => {
                return Self::of_kind(NumberKind::Day { is_short: false });
            }
            16 | 17 => return Self::of_kind(NumberKind::Day { is_short: true }),
            46 => return Self::of_kind(NumberKind::Duration),
            _ => return Self::GENERAL,
        };
        Self::of_code(code)
    }

    /// The format of a code such as `#,##0.00`. A code that nobody understands shows numbers as they
    /// are.
    pub(crate) fn of_code(code: &str) -> Self {
        match date_kind(code) {
            NumberKind::General => {}
            kind => return Self::of_kind(kind),
        }
        if code.chars().count() > CODE_CHARS_MAX {
            return Self::GENERAL;
        }
        let Ok(parsed) = Code::parse(code) else { return Self::GENERAL };
        let looks: Vec<_> = parsed
            .sections()
            .iter()
            .map(|section| (section.condition, look_of(&section.parts)))
            .collect();
        if looks.iter().all(|(_, look)| *look == Look::Plain) {
            return Self::GENERAL;
        }
        let has_label = looks.iter().any(|(_, look)| matches!(look, Look::Label(_)));
        Self { kind: NumberKind::Number, looks, code: has_label.then_some(parsed) }
    }

    pub(crate) fn kind(&self) -> NumberKind {
        self.kind
    }

    /// How `value` is shown.
    pub(crate) fn look(&self, value: f64) -> Look {
        let has_conditions = self.looks.iter().any(|(condition, _)| condition.is_some());
        let index = if has_conditions {
            let applies = |(condition, _): &(Option<Condition>, Look)| {
                condition.as_ref().is_none_or(|condition| condition.evaluate(value))
            };
            self.looks.iter().position(applies).unwrap_or(self.looks.len().saturating_sub(1))
        } else if value < 0.0 && self.looks.len() > 1 {
            1
        } else if value == 0.0 && self.looks.len() > 2 {
            2
        } else {
            0
        };
        self.looks.get(index).map_or(Look::Plain, |(_, look)| *look)
    }

    /// The whole text of a number with a label.
    pub(crate) fn text(&self, value: f64) -> Option<String> {
        let text = self.code.as_ref()?.try_format(value, &FormatOptions::default()).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// How the parts of a section show a number.
fn look_of(parts: &[FormatPart]) -> Look {
    let mut shape = NumberShape { decimals: Some(0), ..NumberShape::default() };
    let (mut digits, mut decimals, mut is_behind_point) = (0_u8, 0_u8, false);
    let (mut has_label, mut is_scaled, mut has_number) = (false, false, false);
    for part in parts {
        match part {
            FormatPart::Digit(digit) => {
                is_scaled &= is_behind_point;
                // `?` alone is the room of a dash that stands for nothing.
                has_number |= !matches!(digit, ssfmt::ast::DigitPlaceholder::Question);
                if is_behind_point {
                    decimals = decimals.saturating_add(1);
                    if digit.is_required() {
                        shape.least_decimals = decimals;
                    }
                } else if digit.is_required() || digits > 0 {
                    digits = digits.saturating_add(1);
                }
            }
            FormatPart::DecimalPoint => is_behind_point = true,
            FormatPart::ThousandsSeparator => is_scaled = true,
            FormatPart::Percent => shape.is_percent = true,
            FormatPart::Literal(text) | FormatPart::EscapedLiteral(text) => {
                let is_first = digits == 0 && !has_number;
                has_label |= text.chars().any(|sign| is_label(sign, is_first));
            }
            FormatPart::Fraction { .. } => {
                (has_label, has_number) = (true, true);
                shape.decimals = None;
            }
            FormatPart::GeneralNumber => {
                has_number = true;
                shape.decimals = None;
            }
            FormatPart::Scientific { .. }
            | FormatPart::DatePart(_)
            | FormatPart::AmPm(_)
            | FormatPart::Elapsed(_)
            | FormatPart::TextPlaceholder => return Look::Plain,
            FormatPart::Fill(_) | FormatPart::Skip(_) | FormatPart::Locale(_) => {}
        }
    }
    // `0,` and `0,.0` show thousands: their digits are those of another number.
    if !has_number || (is_scaled && !has_label) {
        return Look::Plain;
    }
    shape.decimals = shape.decimals.map(|_| decimals);
    shape.whole_digits = digits;
    if has_label && !shape.is_percent {
        Look::Label(shape)
    } else if shape.decimals.is_none() {
        Look::Plain
    } else {
        Look::Shape(shape)
    }
}

/// True for a sign that belongs to what the cell says, false for currencies, blanks, brackets and
/// the sign of a number.
fn is_label(sign: char, is_first: bool) -> bool {
    match sign {
        '-' | '+' | '\u{2212}' => !is_first,
        '(' | ')' | '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}' => false,
        _ => !sign.is_whitespace(),
    }
}

/// Whether the first section of a code shows days, as spreadsheets decide it: by its letters outside
/// quotes, brackets and escapes.
fn date_kind(code: &str) -> NumberKind {
    let (mut signs, mut letters, mut is_duration) = (code.chars(), String::new(), false);
    while let Some(sign) = signs.next() {
        match sign {
            '\\' | '_' | '*' => {
                signs.next();
            }
            '"' => {
                signs.by_ref().find(|sign| *sign == '"');
            }
            ';' => break,
            '[' => {
                let inside: String = signs
                    .by_ref()
                    .take_while(|sign| *sign != ']')
                    .collect::<String>()
                    .to_lowercase();
                let first = inside.chars().next().unwrap_or(' ');
                is_duration |= "hms".contains(first) && inside.chars().all(|sign| sign == first);
            }
            sign => letters.extend(sign.to_lowercase()),
        }
    }
    if is_duration {
        return NumberKind::Duration;
    }
    if letters.contains("general") || letters.contains("standard") {
        return NumberKind::General;
    }
    let has_half_days = letters.contains("am/pm") || letters.contains("a/p");
    let is_day = has_half_days || letters.contains(['d', 'm', 'h', 'y', 's']);
    if !is_day {
        return NumberKind::General;
    }
    let has_year = letters.contains(['y', 'e']);
    let shows_day =
        letters.contains('d') || (letters.contains('m') && !letters.contains(['h', 's']));
    NumberKind::Day { is_short: shows_day && !(has_year && letters.contains('d')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(code: &str) -> Option<(Option<u8>, u8, bool)> {
        match NumberFormat::of_code(code).look(1.0) {
            Look::Shape(shape) => Some((shape.decimals, shape.whole_digits, shape.is_percent)),
            Look::Plain | Look::Label(_) => None,
        }
    }

    #[test]
    fn digits_decimals_and_percent_are_read_from_the_code() {
        assert_eq!(shape("0"), Some((Some(0), 1, false)));
        assert_eq!(shape("000000"), Some((Some(0), 6, false)));
        assert_eq!(shape("#,##0.00"), Some((Some(2), 1, false)));
        assert_eq!(shape("0.0%"), Some((Some(1), 1, true)));
        assert_eq!(shape("0.0##"), Some((Some(3), 1, false)));
        assert_eq!(shape("[Red]#,##0.00;-#,##0.00"), Some((Some(2), 1, false)));
        assert_eq!(shape("[$€-407] #,##0.00"), Some((Some(2), 1, false)));
        assert_eq!(shape("#,##0.00\\ \"€\""), Some((Some(2), 1, false)));
        assert_eq!(
            shape("_(* #,##0.00_);_(* (#,##0.00);_(* \"-\"??_);_(@_)"),
            Some((Some(2), 1, false))
        );
        for plain in ["General", "@", "0.00E+00", "0.0,", "", ";;;", "\u{0}", "[", "\"", "0.0.0.0"]
        {
            assert!(!matches!(shape(plain), Some((_, 2.., _))), "{plain}");
        }
    }

    #[test]
    fn words_make_a_label() {
        for (code, value, text) in [
            ("\"SKU-\"0000", 12.0, "SKU-0012"),
            ("0 \"kg\"", 12.0, "12 kg"),
            ("000-0000", 1_234_567.0, "123-4567"),
            ("# ?/?", 0.5, "1/2"),
        ] {
            let format = NumberFormat::of_code(code);
            assert!(matches!(format.look(value), Look::Label(_)), "{code}");
            assert_eq!(format.text(value).as_deref(), Some(text), "{code}");
        }
    }

    #[test]
    fn a_section_is_chosen_by_the_value() {
        let format = NumberFormat::of_code("0.0;0.00;\"-\"??");
        let decimals = |value| match format.look(value) {
            Look::Shape(shape) => shape.decimals,
            Look::Plain | Look::Label(_) => None,
        };
        assert_eq!((decimals(1.0), decimals(-1.0), decimals(0.0)), (Some(1), Some(2), None));
        let format = NumberFormat::of_code("[<1]0.00%;0");
        assert!(matches!(format.look(0.5), Look::Shape(NumberShape { is_percent: true, .. })));
        assert!(matches!(format.look(5.0), Look::Shape(NumberShape { is_percent: false, .. })));
    }

    #[test]
    fn days_are_told_from_numbers_and_whole_days_from_short_ones() {
        let (whole, short) =
            (NumberKind::Day { is_short: false }, NumberKind::Day { is_short: true });
        for (code, kind) in [
            ("dd/mm/yyyy", whole),
            ("yyyy-mm-dd h:mm:ss", whole),
            ("[$-409]d-mmm-yy;@", whole),
            ("h:mm AM/PM", whole),
            ("mm:ss", whole),
            ("d-mmm", short),
            ("mmm-yy", short),
            ("dd.mm.", short),
            ("[h]:mm", NumberKind::Duration),
            ("[ss]", NumberKind::Duration),
            ("#,##0.00 \"Md\"", NumberKind::Number),
            ("\\Y000000", NumberKind::Number),
            ("[Red]0", NumberKind::Number),
            ("General", NumberKind::General),
        ] {
            assert_eq!(NumberFormat::of_code(code).kind, kind, "{code}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_code_brings_the_child_down(
            code in "[0#?.,%;@_*\"\\\\/eE+\\-\\[\\]<>=a-zA-Z$ 0-9]{0,24}",
            value in proptest::num::f64::NORMAL,
        ) {
            let format = NumberFormat::of_code(&code);
            format.look(value);
            format.text(value);
        }
    }
}
