//! Single values: texts, truth values, numbers, durations.

use std::{collections::BTreeMap, time::Duration};

use outrigger_base_std::go;

use super::Field;
use crate::yaml::{Dialect, Node, NodeKind, Scalar, as_text};

/// What a duration looks like, for messages.
pub(crate) const DURATION: &str = "a duration such as \"500ms\", \"5s\" or \"1h30m\"";

/// Doubles below this hold whole numbers exactly.
const EXACT_WHOLE: f64 = 9e15;

impl Field<'_> {
    /// A text; numbers and truth values are taken as the text they are.
    pub fn text(&self) -> Option<String> {
        let node = self.node?;
        let text = match (self.decoder.dialect, &node.kind) {
            (Dialect::Kubernetes, _) => plain_text(node),
            (Dialect::Plain, NodeKind::Scalar { text, .. }) => Some(text.clone()),
            (Dialect::Plain, NodeKind::Sequence(_) | NodeKind::Mapping(_)) => None,
        };
        if text.is_none() {
            self.fail("a text");
        }
        text
    }

    /// A text, empty if it is not there.
    pub fn text_or_empty(&self) -> String {
        self.text().unwrap_or_default()
    }

    /// A text that is not empty.
    pub fn some_text(&self) -> Option<String> {
        self.text().filter(|text| !text.is_empty())
    }

    /// A truth value.
    pub fn bool(&self) -> Option<bool> {
        let truth = match &self.node?.kind {
            NodeKind::Scalar {
                value: Scalar::Bool(truth),
                ..
            } => Some(*truth),
            // Configuration files take the old words where a truth value is wanted.
            NodeKind::Scalar {
                text,
                value: Scalar::Text,
            } if self.decoder.dialect == Dialect::Plain => match text.as_str() {
                "y" | "Y" | "yes" | "on" => Some(true),
                "n" | "N" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if truth.is_none() {
            self.fail("true or false");
        }
        truth
    }

    /// A truth value, false if it is not there.
    pub fn flag(&self) -> bool {
        self.bool().unwrap_or(false)
    }

    /// A whole number from `least` to `most`.
    pub fn int(&self, least: i64, most: i64) -> Option<i64> {
        let whole = match &self.node?.kind {
            NodeKind::Scalar {
                value: Scalar::Int(whole),
                ..
            } => i64::try_from(*whole).ok(),
            // `8.0` and `089` are whole as well.
            NodeKind::Scalar {
                value: Scalar::Float(number),
                ..
            } if number.fract() == 0.0 && number.abs() < EXACT_WHOLE => Some(*number as i64),
            _ => None,
        };
        let within = whole.filter(|whole| (least..=most).contains(whole));
        if within.is_none() {
            self.fail(format!("a whole number from {least} to {most}"));
        }
        within
    }

    /// A duration as Go writes it; not negative.
    pub fn duration(&self) -> Option<Duration> {
        let text = self.some_text()?;
        let duration = go::parse_duration(&text).ok();
        if duration.is_none() {
            self.fail(DURATION);
        }
        duration
    }

    /// A list of texts.
    pub fn string_list(&self) -> Vec<String> {
        self.list().iter().filter_map(Self::text).collect()
    }

    /// A mapping from text to text.
    pub fn string_map(&self) -> BTreeMap<String, String> {
        self.map()
            .into_iter()
            .map(|(key, field)| (key, field.text_or_empty()))
            .collect()
    }

    /// A value of any form; null if it is not there.
    pub fn json(&self) -> serde_json::Value {
        self.node.map_or(serde_json::Value::Null, Node::to_json)
    }
}

/// The text of a single value as a text field of a resource takes it.
pub(crate) fn plain_text(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Scalar { text, value } => Some(as_text(*value).unwrap_or_else(|| text.clone())),
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
    }
}
