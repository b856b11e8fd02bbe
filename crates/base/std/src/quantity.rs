//! Byte counts as Kubernetes quantities: `4Mi`, `16k`, `1048576`.

/// Why a text is not a byte count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a byte count: expected a number with an optional unit, such as \"4Mi\", \"16k\" or \"1048576\""
)]
pub struct QuantityError {
    /// The text as it was given.
    pub text: String,
}

/// Suffixes of a quantity and what they multiply by.
const SUFFIXES: [(&str, f64); 12] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("m", 1e-3),
    ("", 1.0),
];

/// Reads a Kubernetes quantity in whole bytes, rounded up; it may be negative.
pub fn parse_bytes(text: &str) -> Result<i64, QuantityError> {
    let fail = || QuantityError {
        text: text.to_owned(),
    };
    let trimmed = text.trim();
    let (number, scale) = SUFFIXES
        .iter()
        .find_map(|(suffix, scale)| trimmed.strip_suffix(suffix).map(|number| (number, *scale)))
        .ok_or_else(fail)?;
    let valid = !number.is_empty()
        && number
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    if !valid {
        return Err(fail());
    }
    if scale >= 1.0
        && let Ok(whole) = number.parse::<i64>()
    {
        return whole.checked_mul(scale as i64).ok_or_else(fail);
    }
    let value = (number.parse::<f64>().map_err(|_| fail())? * scale).ceil();
    if value.is_finite() && value.abs() < i64::MAX as f64 {
        Ok(value as i64)
    } else {
        Err(fail())
    }
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn quantities_read_as_kubernetes_reads_them() {
        let cases = [
            ("4Mi", 4_194_304),
            ("1k", 1000),
            ("1Ki", 1024),
            ("12", 12),
            ("0", 0),
            ("-1", -1),
            ("1.5Ki", 1536),
            ("1e3", 1000),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "Mi", "4MB", "four", "inf", "99999999999999999999Gi"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
