//! What a router asks of an event.

use std::borrow::Cow;

use serde_json::Value;

/// An event as rules see it.
///
/// An event whose bytes are still unparsed can answer [`attribute`](Self::attribute) from its outer level and put
/// [`value`](Self::value) off until a rule looks deeper.
pub trait EventView {
    /// The attribute `name` of the outer level.
    fn attribute(&self, name: &str) -> Attribute<'_>;

    /// The whole event. Asked for at most once for each event that is routed.
    fn value(&self) -> Result<Cow<'_, Value>, Box<dyn std::error::Error + Send + Sync>>;
}

/// One attribute of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute<'e> {
    /// It is not there.
    Missing,
    /// It is a text.
    Text(Cow<'e, str>),
    /// It is something else, null included.
    Other,
}

impl EventView for Value {
    fn attribute(&self, name: &str) -> Attribute<'_> {
        match self.get(name) {
            None => Attribute::Missing,
            Some(Self::String(text)) => Attribute::Text(Cow::Borrowed(text)),
            Some(_) => Attribute::Other,
        }
    }

    fn value(&self) -> Result<Cow<'_, Value>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Cow::Borrowed(self))
    }
}
