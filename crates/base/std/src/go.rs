//! Texts as Go's standard library reads and writes them: durations (`1h5m`), booleans, truthy words.
//!
//! Configuration files and wire fields of the ecosystem were made for Go programs, so their small grammars are Go's.

use std::time::Duration;

/// Why a text is not a Go duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a duration: expected numbers with units, such as \"300ms\", \"1.5s\" or \"2h45m\"")]
pub struct DurationError {
    /// The text as it was given.
    pub text: String,
}

/// Nanoseconds in one of each unit of a Go duration, longest name first where one is a prefix of another.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// Reads a Go duration (`time.ParseDuration`), negative ones included, in nanoseconds.
pub fn parse_duration_nanos(text: &str) -> Result<i128, DurationError> {
    let fail = || DurationError {
        text: text.to_owned(),
    };
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(fail());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(fail)?;
        let (number, tail) = rest.split_at(end);
        let (name, scale) = unit_at(tail).ok_or_else(fail)?;
        total = total.saturating_add(nanos_of(number, scale).ok_or_else(fail)?);
        rest = &tail[name.len()..];
    }
    Ok(if negative { -total } else { total })
}

/// A number of units in nanoseconds. What stands before the point is exact, what stands behind it is as exact as Go's.
fn nanos_of(number: &str, scale: f64) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_empty = whole.is_empty() && fraction.is_empty();
    if is_empty || fraction.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let (mut digits, mut shift) = (0_u64, 1.0);
    for digit in fraction.bytes().map(|byte| u64::from(byte - b'0')) {
        // Go leaves out the digits that do not fit.
        let Some(more) = digits
            .checked_mul(10)
            .and_then(|more| more.checked_add(digit))
            .filter(|more| *more <= 1 << 63)
        else {
            break;
        };
        digits = more;
        shift *= 10.0;
    }
    let part = (digits as f64 * (scale / shift)) as i128;
    Some(whole.saturating_mul(scale as i128).saturating_add(part))
}

/// The unit that `tail` begins with; `ms` is tried before `m`.
fn unit_at(tail: &str) -> Option<(&'static str, f64)> {
    UNITS.iter().copied().find(|(name, _)| tail.starts_with(name))
}

/// Reads a Go duration that must not be negative.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let nanos = parse_duration_nanos(text)?;
    u64::try_from(nanos)
        .map(Duration::from_nanos)
        .map_err(|_| DurationError {
            text: text.to_owned(),
        })
}

/// Writes a duration as Go does (`time.Duration.String`): `1h5m0s`, `1.5s`, `500ms`, `0s`.
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0 => "0s".to_owned(),
        n if n < 1_000 => format!("{n}ns"),
        n if n < 1_000_000 => format!("{}µs", decimal(n, 1_000)),
        n if n < 1_000_000_000 => format!("{}ms", decimal(n, 1_000_000)),
        n => {
            let (minutes, rest) = (n / 60_000_000_000, n % 60_000_000_000);
            let seconds = decimal(rest, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, m) => format!("{m}m{seconds}s"),
                (h, m) => format!("{h}h{m}m{seconds}s"),
            }
        }
    }
}

/// `value / scale` without trailing zeros.
fn decimal(value: u128, scale: u128) -> String {
    let (whole, part) = (value / scale, value % scale);
    if part == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    let digits = format!("{part:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// Reads a boolean as `strconv.ParseBool` does; `None` for anything else.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Whether a text is one of the truthy words (`y yes true t on 1`, trimmed, any case); never an error.
pub fn is_truthy(text: &str) -> bool {
    let word = text.trim();
    ["y", "yes", "true", "t", "on", "1"]
        .iter()
        .any(|yes| word.eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_reads_them() {
        let cases = [
            ("0", 0),
            ("5s", 5_000_000_000),
            ("1h5m", 3_900_000_000_000),
            ("1.5s", 1_500_000_000),
            ("500ms", 500_000_000),
            ("10us", 10_000),
            ("7ns", 7),
            ("-3m", -180_000_000_000),
            ("1.s", 1_000_000_000),
            (".5s", 500_000_000),
            ("33.55s", 33_550_000_000),
            ("1h23.5h2m93.55s", 88_413_550_000_000),
            // Fractions with more digits than fit, from the tests of Go's own parser.
            ("0.100000000000000000000h", 360_000_000_000),
            ("0.9223372036854775807h", 3_320_413_933_267),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.830103483285477580700h", 2_988_372_539_827),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse_duration_nanos(text), Ok(nanos), "{text}");
        }
        for text in ["", "5", "s", "1x", "1.2.3s", "-", "5 s", ".s", "1..5s"] {
            assert!(parse_duration_nanos(text).is_err(), "{text}");
        }
        assert!(parse_duration("-1s").is_err());
    }

    #[test]
    fn durations_print_as_go_prints_them() {
        let cases = [
            (0, "0s"),
            (7, "7ns"),
            (1_500, "1.5µs"),
            (500_000_000, "500ms"),
            (1_500_000_000, "1.5s"),
            (60_000_000_000, "1m0s"),
            (3_900_000_000_000, "1h5m0s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(format_duration(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn booleans_and_truthy_words_are_two_grammars() {
        assert_eq!(parse_bool("yes"), None);
        assert_eq!(parse_bool("True"), Some(true));
        assert!(is_truthy(" Yes "));
        assert!(!is_truthy("maybe"));
    }
}
