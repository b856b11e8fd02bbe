//! Quotes around values of secrets and variables.

/// Takes the quotes off a text that is a Go string literal, and leaves every other text as it is.
///
/// Dapr keeps such values as raw JSON and reads a string out of it, so a password that is stored in quotes reaches
/// the component without them. Whoever has such a store depends on it.
pub(super) fn unquote(text: String) -> String {
    literal(&text).unwrap_or(text)
}

fn literal(text: &str) -> Option<String> {
    let quote = text.chars().next()?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    match quote {
        '`' if !inner.contains('`') => Some(inner.replace('\r', "")),
        '"' => double_quoted(inner),
        // A Go character literal.
        '\'' => single_quoted(inner),
        _ => None,
    }
}

fn double_quoted(inner: &str) -> Option<String> {
    if inner.contains('\n') {
        return None;
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        rest = next(rest, '"', &mut out)?;
    }
    // Escapes can spell bytes that are no text; then the text stays as it is written.
    String::from_utf8(out).ok()
}

fn single_quoted(inner: &str) -> Option<String> {
    if inner.contains('\n') {
        return None;
    }
    let mut out = Vec::new();
    let rest = next(inner, '\'', &mut out)?;
    if !rest.is_empty() {
        return None;
    }
    String::from_utf8(out).ok()
}

/// Takes one character or escape off `text`; `None` if it is not allowed between quotes of this kind.
fn next<'t>(text: &'t str, quote: char, out: &mut Vec<u8>) -> Option<&'t str> {
    let mut chars = text.chars();
    let c = chars.next()?;
    if c == quote {
        return None;
    }
    if c != '\\' {
        push(c, out);
        return Some(chars.as_str());
    }
    let kind = chars.next()?;
    let rest = chars.as_str();
    let simple = match kind {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        '\'' | '"' if kind == quote => quote,
        _ => return numeric(kind, text, rest, out),
    };
    push(simple, out);
    Some(rest)
}

/// An escape by number: `\x41`, `\101`, `\u0041`, `\U00000041`.
fn numeric<'t>(kind: char, text: &'t str, rest: &'t str, out: &mut Vec<u8>) -> Option<&'t str> {
    let (digits, base, tail) = match kind {
        'x' => (rest.get(..2)?, 16, rest.get(2..)?),
        'u' => (rest.get(..4)?, 16, rest.get(4..)?),
        'U' => (rest.get(..8)?, 16, rest.get(8..)?),
        '0'..='7' => (text.get(1..4)?, 8, text.get(4..)?),
        _ => return None,
    };
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let value = u32::from_str_radix(digits, base).ok()?;
    if matches!(kind, 'u' | 'U') {
        push(char::from_u32(value)?, out);
    } else {
        out.push(u8::try_from(value).ok()?);
    }
    Some(tail)
}

fn push(c: char, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::unquote;

    #[test]
    fn go_literals_lose_their_quotes_and_nothing_else_does() {
        let cases = [
            ("plain", "plain"),
            ("\"quoted\"", "quoted"),
            ("\"a\\n\\u0041\\x42\\103\"", "a\nABC"),
            ("`raw\\n`", "raw\\n"),
            ("'x'", "x"),
            ("'xy'", "'xy'"),
            ("\"a\"b\"", "\"a\"b\""),
            ("\"bad \\q\"", "\"bad \\q\""),
            ("\"", "\""),
            ("\"\"", ""),
            ("", ""),
            ("\"it\\'s\"", "\"it\\'s\""),
            ("{\"a\":1}", "{\"a\":1}"),
            ("\"\\xff\"", "\"\\xff\""),
        ];
        for (text, expected) in cases {
            assert_eq!(unquote(text.to_owned()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\"'`\\\\xuU0-9a-fä\n]{0,24}") {
            let _ = unquote(text);
        }
    }
}
