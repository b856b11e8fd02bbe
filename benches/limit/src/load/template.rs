//! Paths and bodies with places that differ from request to request.
//!
//! `{n}` is the request's running number, `{n:1000}` the same modulo 1,000, `{now}` the wall clock in nanoseconds, and
//! `{fill:100}` a hundred letters. Every other brace stands for itself, so that JSON needs no escapes.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::stats::wall_nanos;

/// Text with places to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Bytes),
    Number { modulo: u64 },
    Now,
}

impl Template {
    /// Reads a template; there is no text that is not one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            let Some((place, length)) = Place::read(rest) else {
                literal.push('{');
                rest = &rest[1..];
                continue;
            };
            rest = &rest[length..];
            match place {
                Place::Fill(count) => literal.extend(std::iter::repeat_n('x', count)),
                Place::Part(part) => {
                    push_text(&mut parts, &mut literal);
                    parts.push(part);
                }
            }
        }
        literal.push_str(rest);
        push_text(&mut parts, &mut literal);
        Self { parts }
    }

    /// A template without places.
    #[must_use]
    pub fn fixed(text: impl Into<Bytes>) -> Self {
        Self {
            parts: vec![Part::Text(text.into())],
        }
    }

    /// The text of request number `number`; nothing is copied where nothing differs.
    #[must_use]
    pub fn render(&self, number: u64) -> Bytes {
        match self.parts.as_slice() {
            [] => Bytes::new(),
            [Part::Text(text)] => text.clone(),
            parts => render(parts, number),
        }
    }
}

fn render(parts: &[Part], number: u64) -> Bytes {
    let mut out = Vec::new();
    let mut digits = String::new();
    for part in parts {
        let value = match part {
            Part::Text(text) => {
                out.extend_from_slice(text);
                continue;
            }
            Part::Number { modulo } => number % modulo,
            Part::Now => wall_nanos(),
        };
        digits.clear();
        // Writing to a string cannot fail.
        let _ = write!(digits, "{value}");
        out.extend_from_slice(digits.as_bytes());
    }
    out.into()
}

fn push_text(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal).into()));
    }
}

enum Place {
    Part(Part),
    Fill(usize),
}

impl Place {
    /// The place that `text` begins with, and its length.
    fn read(text: &str) -> Option<(Self, usize)> {
        let end = text.find('}')?;
        let place = match text[1..end].split_once(':') {
            None if &text[1..end] == "n" => Self::Part(Part::Number { modulo: u64::MAX }),
            None if &text[1..end] == "now" => Self::Part(Part::Now),
            Some(("n", modulo)) => Self::Part(Part::Number {
                modulo: modulo.parse().ok().filter(|modulo| *modulo > 0)?,
            }),
            Some(("fill", count)) => Self::Fill(count.parse().ok()?),
            _ => return None,
        };
        Some((place, end + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rendered(text: &str, number: u64) -> String {
        String::from_utf8(Template::parse(text).render(number).to_vec()).unwrap()
    }

    #[test]
    fn fills_in_the_number() {
        assert_eq!(rendered("/v1.0/state/s/key-{n}", 1_234), "/v1.0/state/s/key-1234");
        assert_eq!(rendered("{n:100}/{n}", 1_234), "34/1234");
        assert_eq!(rendered("{fill:3}", 0), "xxx");
    }

    #[test]
    fn leaves_json_alone() {
        let json = r#"[{"key":"k{n}","value":{"a":{}}}]"#;
        assert_eq!(rendered(json, 7), r#"[{"key":"k7","value":{"a":{}}}]"#);
    }

    #[test]
    fn the_clock_moves() {
        let first: u64 = rendered("{now}", 0).parse().unwrap();
        assert!(rendered("{now}", 0).parse::<u64>().unwrap() >= first && first > 0);
    }

    #[test]
    fn what_is_no_place_stays() {
        for text in ["{n:0}", "{n:x}", "{fill:}", "{", "}{", "{{n", "{other}"] {
            assert_eq!(rendered(text, 5), text);
        }
    }

    proptest! {
        #[test]
        fn never_fails(text in ".{0,200}", number in any::<u64>()) {
            prop_assume!(!text.contains("fill:"));
            let _ = Template::parse(&text).render(number);
        }
    }
}
