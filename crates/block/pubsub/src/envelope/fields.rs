//! The attributes of an event, still in the bytes they came in.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::EnvelopeError;

/// Attributes an usual event has; more grow the list.
const USUAL: usize = 16;

/// One attribute's value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    /// A JSON value as it was written.
    Json(&'a RawValue),
    /// A text from beside the event.
    Text(&'a str),
}

/// Attributes as they came; of one name that comes twice the last value counts.
///
/// Repeated names are found when they are asked for, not when they come: an event of many thousand attributes costs no
/// more than its length.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, Field<'a>)>);

impl<'a> Fields<'a> {
    /// The attributes of a JSON object.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        serde_json::from_slice(bytes).map_err(EnvelopeError::NotAnEvent)
    }

    pub(super) fn get(&self, name: &str) -> Option<Field<'a>> {
        self.0
            .iter()
            .rfind(|(key, _)| key == name)
            .map(|(_, field)| *field)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn set(&mut self, name: impl Into<Cow<'a, str>>, field: Field<'a>) {
        let name = name.into();
        match self.0.iter_mut().rfind(|(key, _)| *key == name) {
            Some(entry) => entry.1 = field,
            None => self.0.push((name, field)),
        }
    }

    /// Every attribute; one that is repeated comes last with the value that counts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Field<'a>)> {
        self.0.iter().map(|(name, field)| (&**name, *field))
    }

    /// The attributes by the bytes of their names, each once.
    pub(super) fn sorted(mut self) -> Self {
        // The sort keeps the order of equal names; of neighbours with one name the later value moves to the earlier place.
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.0.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 = later.1;
            }
            same
        });
        self
    }
}

impl<'a> Field<'a> {
    /// The text, when the value is one.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Json(json) if json.get().starts_with('"') => serde_json::from_str::<Text<'a>>(json.get())
                .ok()
                .map(|text| text.0),
            Self::Json(_) => None,
        }
    }

    pub(super) fn is_null(self) -> bool {
        matches!(self, Self::Json(json) if json.get() == "null")
    }
}

/// A text that borrows where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with the event's attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields(Vec::with_capacity(USUAL));
        while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            fields.0.push((name.0, Field::Json(value)));
        }
        Ok(fields)
    }
}
