//! What a plain scalar means in each dialect.

use super::Dialect;

/// What a scalar means. The text itself is kept beside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number from -2^63 to 2^64-1.
    Int(i128),
    /// A number with a fraction, or one beyond whole numbers; may be infinite or no number at all.
    Float(f64),
    /// Text.
    Text,
}

/// Resolves an untagged plain scalar.
pub(super) fn resolve(text: &str, dialect: Dialect) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if let Some(truth) = boolean(text, dialect) {
        return Scalar::Bool(truth);
    }
    match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-') => number(&text.replace('_', "")),
        Some(b'.') => decimal(text).map_or(Scalar::Text, Scalar::Float),
        _ => Scalar::Text,
    }
}

/// The truth values of a dialect.
fn boolean(text: &str, dialect: Dialect) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ if dialect == Dialect::Plain => None,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// A number with an optional sign: whole (`0x`, `0b`, `0o` and a leading `0` give the base), or decimal.
fn number(text: &str) -> Scalar {
    if let Some(whole) = integer(text) {
        return whole;
    }
    decimal(text).map_or(Scalar::Text, Scalar::Float)
}

fn integer(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (base, digits) = base_of(digits);
    // A second sign would be taken by the parser below.
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) || digits.is_empty() {
        return None;
    }
    let value = sign * i128::from_str_radix(digits, base).ok()?;
    (i128::from(i64::MIN)..=i128::from(u64::MAX))
        .contains(&value)
        .then_some(Scalar::Int(value))
}

/// The base that a number's prefix says, and the digits after it.
fn base_of(digits: &str) -> (u32, &str) {
    const PREFIXES: [(&str, u32); 6] = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)];
    for (prefix, base) in PREFIXES {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return (base, rest);
        }
    }
    match digits.strip_prefix('0') {
        Some(rest) if !rest.is_empty() => (8, rest),
        _ => (10, digits),
    }
}

/// A decimal number; one too large for a double is none.
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let shaped = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|part| !part.is_empty() && digits(part));
    if !shaped {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Writes a double as JSON text the way Go's encoder does: no exponent between 1e-6 and 1e21.
pub(super) fn json_float(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
    }
    format!("{value}")
}

/// Writes a number as a text field takes it: single precision, with an exponent from the seventh digit on.
fn text_float(value: f64) -> String {
    let single = value as f32;
    if !single.is_finite() {
        return match (single.is_nan(), single > 0.0) {
            (true, _) => "NaN".to_owned(),
            (false, true) => "+Inf".to_owned(),
            (false, false) => "-Inf".to_owned(),
        };
    }
    let scientific = format!("{single:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{single}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The text that a text field takes from a value that is no text: `5`, `0.5`, `true`. `None` for text and for null.
pub(crate) fn as_text(value: Scalar) -> Option<String> {
    match value {
        Scalar::Null | Scalar::Text => None,
        Scalar::Bool(truth) => Some(truth.to_string()),
        Scalar::Int(whole) => Some(whole.to_string()),
        Scalar::Float(number) => Some(text_float(number)),
    }
}
