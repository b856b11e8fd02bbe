//! What is recorded of a span.

use std::borrow::Cow;

use outrigger_base_clock::Timestamp;

use super::context::{SpanId, TraceContext};

/// A finished span.
#[derive(Debug, Clone)]
pub struct SpanData {
    /// Its identity.
    pub context: TraceContext,
    /// The span it is a child of.
    pub parent: Option<SpanId>,
    /// What was done.
    pub name: Cow<'static, str>,
    /// The side it was seen from.
    pub kind: SpanKind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Facts; a key comes once.
    pub attributes: Vec<(Cow<'static, str>, Value)>,
    /// What happened in between.
    pub events: Vec<Event>,
    /// How it ended.
    pub status: Status,
}

impl SpanData {
    /// Sets an attribute, replacing one of the same key.
    pub fn set(&mut self, key: Cow<'static, str>, value: Value) {
        match self.attributes.iter_mut().find(|(known, _)| *known == key) {
            Some((_, slot)) => *slot = value,
            None => self.attributes.push((key, value)),
        }
    }
}

/// Something that happened during a span.
#[derive(Debug, Clone)]
pub struct Event {
    /// What.
    pub name: Cow<'static, str>,
    /// When.
    pub time: Timestamp,
    /// Facts.
    pub attributes: Vec<(Cow<'static, str>, Value)>,
}

/// The side a span was seen from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SpanKind {
    /// Within a process.
    #[default]
    Internal,
    /// Answering a request.
    Server,
    /// Making a request.
    Client,
    /// Handing a message to a broker.
    Producer,
    /// Taking a message from a broker.
    Consumer,
}

/// How a span ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    /// Nobody said.
    #[default]
    Unset,
    /// Well, and somebody vouches for it.
    Ok,
    /// Not well, and why.
    Error(Cow<'static, str>),
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// An integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// A truth value.
    Bool(bool),
}

impl From<&'static str> for Value {
    fn from(value: &'static str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
