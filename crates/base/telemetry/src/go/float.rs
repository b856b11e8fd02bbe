//! Floats as `strconv.FormatFloat(v, 'g', -1, 64)` writes them, which is what Prometheus' Go client prints.

use std::fmt::Write as _;

/// Exponents from here on are written with an `e` (strconv: "precision 6 for this decision").
const EXPONENT_FROM: i32 = 6;
/// Exponents below this are written with an `e`.
const EXPONENT_BELOW: i32 = -4;

/// Appends `value` in Go's shortest `%g` form, with Prometheus' spelling of the infinities.
pub(crate) fn write_float(out: &mut String, value: f64) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    // The overwhelming case: counts.
    if (0.0..1e6).contains(&value) && value.fract() == 0.0 && !(value == 0.0 && value.is_sign_negative()) {
        let _ = write!(out, "{}", value as u64);
        return;
    }
    // Rust's `{:e}` gives the shortest digits that round-trip, as Go's does; only the layout differs.
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (EXPONENT_BELOW..EXPONENT_FROM).contains(&exponent) {
        let _ = write!(out, "{value}");
        return;
    }
    out.push_str(mantissa);
    out.push('e');
    out.push(if exponent < 0 { '-' } else { '+' });
    let _ = write!(out, "{:02}", exponent.unsigned_abs());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: f64) -> String {
        let mut out = String::new();
        write_float(&mut out, value);
        out
    }

    /// Each right side was printed by Go.
    #[test]
    fn floats_are_laid_out_as_go_does() {
        for (value, want) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (1_048_576.0, "1.048576e+06"),
            (4_294_967_296.0, "4.294967296e+09"),
            (123_456.789, "123456.789"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.5e-7, "-2.5e-07"),
            (1e100, "1e+100"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(text(value), want);
        }
    }

    proptest! {
        #[test]
        fn floats_read_back(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO) {
            prop_assert_eq!(text(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
