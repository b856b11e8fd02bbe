//! Nodes as JSON: a value for free-form settings, a text for metadata values.

use serde_json::{Map, Number, Value};

use super::{Node, NodeKind, Scalar, scalar};

impl Node {
    /// The node as a JSON value. Numbers that JSON cannot hold become null.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            NodeKind::Scalar { text, value } => match value {
                Scalar::Null => Value::Null,
                Scalar::Bool(truth) => Value::Bool(*truth),
                Scalar::Int(whole) => Number::from_i128(*whole).map_or(Value::Null, Value::Number),
                Scalar::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
                Scalar::Text => Value::String(text.clone()),
            },
            NodeKind::Sequence(items) => Value::Array(items.iter().map(|item| item.to_json()).collect()),
            NodeKind::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// The node as compact JSON text, byte for byte as Go's encoder writes it: keys sorted, `<`, `>` and `&` escaped.
    ///
    /// `None` if there is an infinite number in it, or one that is none.
    pub fn to_json_text(&self) -> Option<String> {
        let mut out = String::new();
        self.write_json(&mut out)?;
        Some(out)
    }

    fn write_json(&self, out: &mut String) -> Option<()> {
        match &self.kind {
            NodeKind::Scalar { text, value } => match value {
                Scalar::Null => out.push_str("null"),
                Scalar::Float(number) if !number.is_finite() => return None,
                Scalar::Float(number) => out.push_str(&scalar::json_float(*number)),
                Scalar::Text => write_string(text, out),
                other => out.push_str(&scalar::as_text(*other)?),
            },
            NodeKind::Sequence(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_json(out)?;
                }
                out.push(']');
            }
            NodeKind::Mapping(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by(|a, b| a.key.cmp(&b.key));
                out.push('{');
                for (index, entry) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(&entry.key, out);
                    out.push(':');
                    entry.value.write_json(out)?;
                }
                out.push('}');
            }
        }
        Some(())
    }
}

/// Writes a JSON string with Go's escapes.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}
