//! Strings as Go writes them: `%q` of `fmt`, and the string form of `encoding/json`.

use std::fmt::Write as _;

/// Appends `text` as `fmt.Sprintf("%q", text)` does (`strconv.Quote`).
///
/// A Rust string is valid UTF-8, so Go's `\x` escapes of broken bytes cannot occur. What counts as printable follows
/// this toolchain's Unicode tables, which may know characters that an older Go still escapes.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(c),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            _ => push_beyond_ascii(out, c),
        }
    }
    out.push('"');
}

fn push_beyond_ascii(out: &mut String, c: char) {
    let code = u32::from(c);
    // Writing to a string cannot fail.
    let _ = match code {
        _ if is_printable(c) => out.write_char(c),
        0..0x80 => write!(out, "\\x{code:02x}"),
        0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Letters, marks, numbers, punctuation, symbols and the ASCII space: Go's `strconv.IsPrint`.
///
/// The standard library keeps the same classes for its own escapes but does not offer them as a question. A letter in
/// front keeps a combining mark from being escaped for standing alone.
fn is_printable(c: char) -> bool {
    let mut buffer = [b'a'; 5];
    let len = 1 + c.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..len]).unwrap_or_default();
    text.escape_debug().nth(1) == Some(c)
}

/// Appends `text` as `encoding/json` does, the escapes for HTML included.
pub(crate) fn push_json(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = String::new();
        push_quoted(&mut out, text);
        out
    }

    fn json(text: &str) -> String {
        let mut out = String::new();
        push_json(&mut out, text);
        out
    }

    /// Each right side was printed by Go.
    #[test]
    fn strings_are_quoted_as_go_does() {
        for (text, want) in [
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("é", r#""é""#),
            ("日本 😀", r#""日本 😀""#),
            (
                "\0\x07\x08\t\n\x0b\x0c\r\x1b\x7f\"\\'",
                r#""\x00\a\b\t\n\v\f\r\x1b\x7f\"\\'""#,
            ),
            (
                "\u{a0}\u{ad}\u{200b}\u{2028}\u{feff}\u{fffd}\u{3000}\u{e0001}\u{378}\u{85}\u{301}",
                "\"\\u00a0\\u00ad\\u200b\\u2028\\ufeff\u{fffd}\\u3000\\U000e0001\\u0378\\u0085\u{301}\"",
            ),
        ] {
            assert_eq!(quoted(text), want);
        }
    }

    /// Printed by Go.
    #[test]
    fn json_strings_are_escaped_as_go_does() {
        assert_eq!(
            json("<a&b> \u{2028} é \x01 \x08\x0c\x7f \"q\" \\ \t"),
            "\"\\u003ca\\u0026b\\u003e \\u2028 é \\u0001 \\b\\f\x7f \\\"q\\\" \\\\ \\t\""
        );
    }

    /// Reads the grammar of a Go interpreted string literal, knowing nothing of the writer.
    fn unquote(text: &str) -> Option<String> {
        let mut rest = text.strip_prefix('"')?.strip_suffix('"')?.chars();
        let mut out = String::new();
        while let Some(c) = rest.next() {
            if c == '"' || c == '\n' {
                return None;
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            let digits = match rest.next()? {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                escape => {
                    let at = "abfnrtv\\\"".find(escape)?;
                    out.push(['\x07', '\x08', '\x0c', '\n', '\r', '\t', '\x0b', '\\', '"'][at]);
                    continue;
                }
            };
            let hex: String = rest.by_ref().take(digits).collect();
            out.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
        }
        Some(out)
    }

    proptest! {
        #[test]
        fn quoted_strings_read_back_and_hold_no_control(text in any::<String>()) {
            let quoted = quoted(&text);
            prop_assert_eq!(unquote(&quoted), Some(text));
            prop_assert!(!quoted.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' ')));
        }

        #[test]
        fn json_strings_read_back(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&json(&text)).unwrap(), text);
        }
    }
}
