//! Times written by a Go layout: the reference time `Mon Jan 2 15:04:05 MST 2006` spelt as the output shall look.

use std::fmt::{self, Write as _};

use jiff::{Timestamp, tz::TimeZone};

/// A layout, taken apart once.
#[derive(Clone, PartialEq, Eq)]
pub struct Layout(Vec<Piece>);

/// Why a layout was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no Go time layout: nothing in it is a part of the reference time, such as 2006-01-02T15:04:05.000Z07:00"
)]
pub struct LayoutError(String);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Part(Part),
    /// A separator, a number of digits, and whether trailing zeros go.
    Fraction(char, usize, bool),
    Offset(Offset),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    LongYear,
    ShortYear,
    LongMonth,
    ShortMonth,
    Month2,
    Month,
    LongWeekday,
    ShortWeekday,
    Day2,
    DayPadded,
    Day,
    YearDay3,
    YearDayPadded,
    Hour24,
    Hour12Of2,
    Hour12,
    Minute2,
    Minute,
    Second2,
    Second,
    UpperHalf,
    LowerHalf,
    Zone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offset {
    /// `Z` instead of a zero offset.
    z: bool,
    colon: bool,
    /// Hours alone, with minutes, or with seconds as well: 1 to 3.
    units: u8,
}

/// Where one is the beginning of another, the longer one stands first.
const PARTS: [(&str, Part); 23] = [
    ("January", Part::LongMonth),
    ("Jan", Part::ShortMonth),
    ("Monday", Part::LongWeekday),
    ("Mon", Part::ShortWeekday),
    ("MST", Part::Zone),
    ("002", Part::YearDay3),
    ("01", Part::Month2),
    ("02", Part::Day2),
    ("03", Part::Hour12Of2),
    ("04", Part::Minute2),
    ("05", Part::Second2),
    ("06", Part::ShortYear),
    ("15", Part::Hour24),
    ("1", Part::Month),
    ("2006", Part::LongYear),
    ("2", Part::Day),
    ("__2", Part::YearDayPadded),
    ("_2", Part::DayPadded),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
    ("PM", Part::UpperHalf),
    ("pm", Part::LowerHalf),
];

/// The forms after `Z` or `-`.
const OFFSETS: [(&str, bool, u8); 5] = [
    ("070000", false, 3),
    ("07:00:00", true, 3),
    ("0700", false, 2),
    ("07:00", true, 2),
    ("07", false, 1),
];

impl Layout {
    /// Go's `time.RFC3339Nano`, the default of the log.
    pub fn rfc3339_nano() -> Self {
        Self(take_apart("2006-01-02T15:04:05.999999999Z07:00"))
    }

    /// Takes a layout apart. One that holds no part of a time is refused: it would print itself on every line.
    pub fn parse(layout: &str) -> Result<Self, LayoutError> {
        let pieces = take_apart(layout);
        if pieces.iter().all(|piece| matches!(piece, Piece::Literal(_))) {
            return Err(LayoutError(layout.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// Appends `time`, seen in `zone`.
    pub fn write(&self, out: &mut String, time: Timestamp, zone: &TimeZone) {
        let offset = zone.to_offset(time);
        let civil = offset.to_datetime(time);
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Part(Part::Zone) => out.push_str(zone.to_offset_info(time).abbreviation()),
                Piece::Part(part) => write_part(out, *part, civil),
                Piece::Fraction(separator, digits, trim) => {
                    let nanos = civil.subsec_nanosecond().unsigned_abs();
                    write_fraction(out, *separator, nanos, *digits, *trim);
                }
                Piece::Offset(form) => write_offset(out, *form, offset.seconds()),
            }
        }
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

fn take_apart(mut rest: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    while let Some(first) = rest.chars().next() {
        let (piece, len) = match piece_at(rest) {
            Some(found) => found,
            None => {
                literal.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(piece);
        rest = &rest[len..];
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

/// The piece that `rest` begins with, and its length in the layout.
fn piece_at(rest: &str) -> Option<(Piece, usize)> {
    if let Some(found) = fraction_at(rest).or_else(|| offset_at(rest)) {
        return Some(found);
    }
    // An underscore in front of a year is an underscore.
    if rest.starts_with("_2006") {
        return None;
    }
    let (text, part) = PARTS.iter().find(|(text, _)| rest.starts_with(text))?;
    // "Janet" and "Month" are words, not a month and a weekday.
    let word = matches!(part, Part::ShortMonth | Part::ShortWeekday)
        && rest[text.len()..].starts_with(|c: char| c.is_ascii_lowercase());
    (!word).then_some((Piece::Part(*part), text.len()))
}

/// `.000`, `,999`: one kind of digit, and no other digit after it.
fn fraction_at(rest: &str) -> Option<(Piece, usize)> {
    let separator = rest.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let digit = rest[1..].chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let digits = rest[1..].chars().take_while(|c| *c == digit).count();
    let after = rest[1 + digits..].chars().next();
    let ends = !after.is_some_and(|c| c.is_ascii_digit());
    ends.then_some((Piece::Fraction(separator, digits, digit == '9'), 1 + digits))
}

fn offset_at(rest: &str) -> Option<(Piece, usize)> {
    let sign = rest.chars().next().filter(|c| matches!(c, 'Z' | '-'))?;
    let (text, colon, units) = OFFSETS.iter().find(|(text, ..)| rest[1..].starts_with(text))?;
    let form = Offset {
        z: sign == 'Z',
        colon: *colon,
        units: *units,
    };
    Some((Piece::Offset(form), 1 + text.len()))
}

fn write_part(out: &mut String, part: Part, at: jiff::civil::DateTime) {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const DAYS: [&str; 7] = [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ];
    let month = MONTHS[(at.month() as usize + 11) % 12];
    let weekday = DAYS[at.weekday().to_sunday_zero_offset() as usize % 7];
    let hour12 = if at.hour() % 12 == 0 { 12 } else { at.hour() % 12 };
    let half = if at.hour() < 12 { "AM" } else { "PM" };
    // Writing to a string cannot fail.
    let _ = match part {
        Part::LongYear => write!(out, "{:04}", at.year()),
        Part::ShortYear => write!(out, "{:02}", at.year().rem_euclid(100)),
        Part::LongMonth => out.write_str(month),
        Part::ShortMonth => out.write_str(&month[..3]),
        Part::Month2 => write!(out, "{:02}", at.month()),
        Part::Month => write!(out, "{}", at.month()),
        Part::LongWeekday => out.write_str(weekday),
        Part::ShortWeekday => out.write_str(&weekday[..3]),
        Part::Day2 => write!(out, "{:02}", at.day()),
        Part::DayPadded => write!(out, "{:2}", at.day()),
        Part::Day => write!(out, "{}", at.day()),
        Part::YearDay3 => write!(out, "{:03}", at.day_of_year()),
        Part::YearDayPadded => write!(out, "{:3}", at.day_of_year()),
        Part::Hour24 => write!(out, "{:02}", at.hour()),
        Part::Hour12Of2 => write!(out, "{hour12:02}"),
        Part::Hour12 => write!(out, "{hour12}"),
        Part::Minute2 => write!(out, "{:02}", at.minute()),
        Part::Minute => write!(out, "{}", at.minute()),
        Part::Second2 => write!(out, "{:02}", at.second()),
        Part::Second => write!(out, "{}", at.second()),
        Part::UpperHalf => out.write_str(half),
        Part::LowerHalf => out.write_str(&half.to_ascii_lowercase()),
        // Needs the zone, which the caller has.
        Part::Zone => Ok(()),
    };
}

fn write_fraction(out: &mut String, separator: char, nanos: u32, digits: usize, trim: bool) {
    let mut text = format!("{nanos:09}");
    // A layout may ask for more digits than a nanosecond has.
    while text.len() < digits {
        text.push('0');
    }
    text.truncate(digits);
    let kept = if trim { text.trim_end_matches('0') } else { &text };
    if !kept.is_empty() {
        out.push(separator);
        out.push_str(kept);
    }
}

fn write_offset(out: &mut String, form: Offset, seconds: i32) {
    if form.z && seconds == 0 {
        return out.push('Z');
    }
    out.push(if seconds < 0 { '-' } else { '+' });
    let seconds = seconds.unsigned_abs();
    let units = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    for (i, unit) in units.iter().take(form.units.into()).enumerate() {
        if i > 0 && form.colon {
            out.push(':');
        }
        let _ = write!(out, "{unit:02}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(layout: &str, nanos: i32, zone: &TimeZone) -> String {
        // 2026-02-03T04:05:06Z, a Tuesday.
        let time = Timestamp::new(1_770_091_506, nanos).unwrap();
        let mut out = String::new();
        Layout::parse(layout).unwrap().write(&mut out, time, zone);
        out
    }

    /// Each right side was printed by Go.
    #[test]
    fn layouts_are_followed_as_go_does() {
        let east = TimeZone::fixed(jiff::tz::offset(5).saturating_add(jiff::Span::new().minutes(30)));
        for (layout, nanos, want) in LAYOUTS {
            assert_eq!(text(layout, nanos, &east), want, "{layout}");
        }
        assert_eq!(
            text("2006-01-02T15:04:05.999999999Z07:00", 0, &TimeZone::UTC),
            "2026-02-03T04:05:06Z"
        );
        assert_eq!(text("15:04 MST -0700", 0, &TimeZone::UTC), "04:05 UTC +0000");
    }

    const LAYOUTS: [(&str, i32, &str); 19] = [
        (
            "2006-01-02T15:04:05.999999999Z07:00",
            123456789,
            "2026-02-03T09:35:06.123456789+05:30",
        ),
        (
            "2006-01-02T15:04:05.999999999Z07:00",
            120000000,
            "2026-02-03T09:35:06.12+05:30",
        ),
        (
            "2006-01-02T15:04:05.999999999Z07:00",
            0,
            "2026-02-03T09:35:06+05:30",
        ),
        ("2006-01-02T15:04:05Z07:00", 5, "2026-02-03T09:35:06+05:30"),
        ("Mon Jan _2 15:04:05 2006", 0, "Tue Feb  3 09:35:06 2026"),
        ("Mon Jan _2 15:04:05", 0, "Tue Feb  3 09:35:06"),
        ("02 Jan 06 15:04 -0700", 0, "03 Feb 26 09:35 +0530"),
        ("Monday, 02-Jan-06 15:04:0", 0, "Tuesday, 03-Feb-26 09:35:0"),
        (
            "Mon, 02 Jan 2006 15:04:05 -0700",
            0,
            "Tue, 03 Feb 2026 09:35:06 +0530",
        ),
        ("3:04PM", 0, "9:35AM"),
        ("Jan _2 15:04:05.000000", 7000, "Feb  3 09:35:06.000007"),
        ("2006-01-02 15:04:05", 0, "2026-02-03 09:35:06"),
        ("2006-01-02 15:04:05.000", 1999999, "2026-02-03 09:35:06.001"),
        ("2006-01-02 15:04:05,000", 1999999, "2026-02-03 09:35:06,001"),
        (
            "Jan _2 3:4:5pm 06 002 __2 Monday",
            0,
            "Feb  3 9:35:6am 26 034  34 Tuesday",
        ),
        (
            "Janet Month 2.0006 _2006 Z0700 Z07 -07 -070000 -07:00:00",
            0,
            "Janet Month 3.0026 _2026 +0530 +05 +05 +053000 +05:30:00",
        ),
        ("05.00", 999999999, "06.99"),
        ("05.9999", 100000, "06.0001"),
        ("January 02 03PM 1/2", 0, "February 03 09AM 2/3"),
    ];

    #[test]
    fn a_layout_without_time_is_refused() {
        for bad in ["", "RFC", "hello", "%Y-%m"] {
            assert!(
                Layout::parse(bad)
                    .unwrap_err()
                    .to_string()
                    .contains("no Go time layout")
            );
        }
    }

    proptest! {
        #[test]
        fn any_layout_is_survived(layout in "[ -~é]{0,20}", seconds in -99_999_999_999i64..99_999_999_999, nanos in 0i32..999_999_999) {
            if let Ok(layout) = Layout::parse(&layout) {
                layout.write(&mut String::new(), Timestamp::new(seconds, nanos).unwrap(), &TimeZone::UTC);
            }
        }
    }
}
