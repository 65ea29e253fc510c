//! Records as PostgreSQL's binary COPY format (manual, COPY, "Binary Format"): half the work for
//! the server that the text format is.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::dataset::model::ColumnType;
use crate::domain::record::{Records, Value};
use crate::store::chunk::record_id::{KeyKind, RecordId};
use crate::store::chunk::references::ChunkReferences;
use crate::store::chunk::target::Target;

/// Signature, flags and length of the header's extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Bytes of one COPY message.
pub(super) const MESSAGE_BYTES: usize = 64 << 10;

/// Writes the records named by `order` into `out`: first the record's index, then which of its fields
/// are absent, a digit a field, or null where none is; then its fields.
pub(super) fn encode(
    out: &mut Vec<u8>,
    target: &Target,
    named: &ChunkReferences<'_>,
    records: &Records,
    order: &[usize],
) {
    out.clear();
    out.extend_from_slice(HEADER);
    let fields: i16 = fitting(target.fields.len() + target.lists.len() + 2);
    for record in order {
        out.extend_from_slice(&fields.to_be_bytes());
        fixed(out, &staged_index(*record).to_be_bytes());
        absent_fields(out, records, *record);
        for (position, field) in target.fields.iter().enumerate() {
            if field.reference.is_none() {
                encode_value(out, records.value(*record, position), field.kind);
            } else if let Some(id) = named.id(position, *record) {
                record_id(out, id);
            } else {
                null(out);
            }
        }
        for list in &target.lists {
            if target.says(list, records, *record).is_some() {
                let items = named.items(list.value, *record).filter_map(|(_, id)| id);
                array(out, list.reference.key_kind, &items.collect::<Vec<_>>());
            } else {
                null(out);
            }
        }
    }
    out.extend_from_slice(&(-1_i16).to_be_bytes());
}

fn record_id(out: &mut Vec<u8>, id: &RecordId) {
    match id {
        RecordId::Uuid(id) => fixed(out, id.as_bytes()),
        RecordId::Integer(number) => fixed(out, &number.to_be_bytes()),
        RecordId::Text(text) => fixed(out, text.as_bytes()),
    }
}

/// An array (PostgreSQL source, `array_recv`): dimensions, whether it has nulls, the type of its elements;
/// of the dimension its length and its first index; then the elements.
fn array(out: &mut Vec<u8>, kind: KeyKind, ids: &[&RecordId]) {
    let element: i32 = match kind {
        KeyKind::Uuid => 2950,
        KeyKind::Integer => 20,
        KeyKind::Text => 25,
    };
    let start = out.len();
    null(out);
    let dimensions = i32::from(!ids.is_empty());
    for number in [dimensions, 0, element] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    if !ids.is_empty() {
        out.extend_from_slice(&fitting::<i32, _>(ids.len()).to_be_bytes());
        out.extend_from_slice(&1_i32.to_be_bytes());
        for id in ids {
            record_id(out, id);
        }
    }
    let bytes: i32 = fitting(out.len() - start - 4);
    if let Some(length) = out.get_mut(start..start + 4) {
        length.copy_from_slice(&bytes.to_be_bytes());
    }
}

fn absent_fields(out: &mut Vec<u8>, records: &Records, record: usize) {
    let is_absent = |field| records.keeps_stored(record, field);
    if !records.has_absent() || !(0..records.width()).any(is_absent) {
        return null(out);
    }
    length(out, records.width());
    out.extend((0..records.width()).map(|field| if is_absent(field) { b'1' } else { b'0' }));
}

/// The index of a record as it is staged.
pub(super) fn staged_index(record: usize) -> i32 {
    fitting(record)
}

/// A number in the width that the format has for it: lengths, days and digits are bounded long before.
fn fitting<W: TryFrom<N> + Default, N: Copy + std::fmt::Display>(number: N) -> W {
    let fitting = W::try_from(number);
    assert!(fitting.is_ok(), "{number} does not fit the COPY format");
    fitting.unwrap_or_default()
}

fn encode_value(out: &mut Vec<u8>, value: Value<'_>, kind: ColumnType) {
    match value {
        Value::Null | Value::Absent => null(out),
        Value::Text(text) if matches!(kind, ColumnType::Json | ColumnType::List) => {
            // jsonb: a version byte, then the text.
            length(out, text.len() + 1);
            out.push(1);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Text(text) => fixed(out, text.as_bytes()),
        Value::Integer(number) => fixed(out, &number.to_be_bytes()),
        Value::Decimal(units) => {
            let scale = match kind {
                ColumnType::Decimal { scale, .. } => scale,
                _ => 0,
            };
            numeric(out, units, scale);
        }
        Value::Boolean(flag) => fixed(out, &[u8::from(flag)]),
        Value::Date(day) => fixed(out, &days(day).to_be_bytes()),
        Value::DateTime(time) => fixed(out, &microseconds(time).to_be_bytes()),
    }
}

fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1_i32).to_be_bytes());
}

fn length(out: &mut Vec<u8>, bytes: usize) {
    out.extend_from_slice(&fitting::<i32, _>(bytes).to_be_bytes());
}

fn fixed(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Days since 2000-01-01, which is day 730,120 of the common era.
fn days(day: NaiveDate) -> i32 {
    day.num_days_from_ce() - 730_120
}

/// Microseconds since 2000-01-01 00:00 UTC.
fn microseconds(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros() - 946_684_800_000_000
}

/// `numeric`: number of base-10,000 digits, weight of the first, sign, digits shown after the
/// point, then the digits (PostgreSQL source, `numeric_recv`).
fn numeric(out: &mut Vec<u8>, units: i64, scale: u8) {
    // Shift so that the decimal point falls between two base-10,000 digits.
    let shift = (4 - u32::from(scale) % 4) % 4;
    let mut rest = u128::from(units.unsigned_abs()) * 10_u128.pow(shift);
    let fraction_digits = (u32::from(scale) + shift) / 4;
    let mut digits = [0_u16; 8];
    let mut count = 0;
    for digit in &mut digits {
        if rest == 0 {
            break;
        }
        *digit = fitting(rest % 10_000);
        count += 1;
        rest /= 10_000;
    }
    assert_eq!(rest, 0, "64 bits have at most six such digits, three zeros included");
    let used = digits.get(..count).unwrap_or_default();
    let trailing_zeros = used.iter().take_while(|digit| **digit == 0).count();
    let kept = used.get(trailing_zeros..).unwrap_or_default();
    let weight = fitting::<i64, _>(count) - i64::from(fraction_digits) - 1;
    let weight = if kept.is_empty() { 0_i16 } else { fitting(weight) };
    length(out, 8 + kept.len() * 2);
    out.extend_from_slice(&fitting::<u16, _>(kept.len()).to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&(if units < 0 { 0x4000_u16 } else { 0 }).to_be_bytes());
    out.extend_from_slice(&u16::from(scale).to_be_bytes());
    for digit in kept.iter().rev() {
        out.extend_from_slice(&digit.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header of the numeric and its digits, without the length.
    #[track_caller]
    fn check(units: i64, scale: u8, expected: &[i16]) {
        let mut out = Vec::new();
        numeric(&mut out, units, scale);
        let words: Vec<i16> =
            out[4..].chunks(2).map(|word| i16::from_be_bytes([word[0], word[1]])).collect();
        assert_eq!(words, expected, "{units} with scale {scale}");
        assert_eq!(
            usize::try_from(i32::from_be_bytes(out[..4].try_into().unwrap())).unwrap(),
            out.len() - 4
        );
    }

    #[test]
    fn numerics_are_what_the_server_reads() {
        // count, weight, sign, display scale, digits…
        check(0, 2, &[0, 0, 0, 2]);
        check(1999, 2, &[2, 0, 0, 2, 19, 9900]);
        check(-5, 1, &[1, -1, 0x4000, 1, 5000]);
        check(10_000, 0, &[1, 1, 0, 0, 1]);
        check(123_456_789_012, 2, &[4, 2, 0, 2, 12, 3456, 7890, 1200]);
        check(1, 4, &[1, -1, 0, 4, 1]);
        check(50_000, 2, &[1, 0, 0, 2, 500]);
    }

    #[test]
    fn times_count_from_the_year_2000() {
        assert_eq!(days(NaiveDate::from_ymd_opt(2000, 1, 2).unwrap()), 1);
        assert_eq!(microseconds("2000-01-01T00:00:01Z".parse().unwrap()), 1_000_000);
    }
}
