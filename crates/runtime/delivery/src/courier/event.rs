//! Messages as routing rules see them.

use std::borrow::Cow;

use outrigger_block_pubsub::envelope::Event;
use outrigger_engine_routing::{Attribute, EventView};
use serde_json::Value;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An event whose attributes are read when a rule asks for them.
pub(crate) struct EventText<'e>(pub(crate) &'e Event<'e>);

impl EventView for EventText<'_> {
    fn attribute(&self, name: &str) -> Attribute<'_> {
        match self.0.text(name) {
            Some(text) => Attribute::Text(text),
            None if self.0.has(name) => Attribute::Other,
            None => Attribute::Missing,
        }
    }

    fn value(&self) -> Result<Cow<'_, Value>, BoxError> {
        Ok(Cow::Owned(self.0.to_value()?))
    }
}

/// A raw message of a bulk delivery: to rules it is one text without attributes.
pub(crate) struct RawText<'m>(pub(crate) &'m [u8]);

impl EventView for RawText<'_> {
    fn attribute(&self, _name: &str) -> Attribute<'_> {
        Attribute::Missing
    }

    fn value(&self) -> Result<Cow<'_, Value>, BoxError> {
        Ok(Cow::Owned(String::from_utf8_lossy(self.0).into()))
    }
}
