//! Why bytes are no envelope.

/// Why a payload is no event, or an event has no payload to hand on.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The bytes are not one JSON object.
    #[error("the payload is not a CloudEvent in JSON form")]
    NotAnEvent(#[source] serde_json::Error),
    /// An attribute of the event cannot be represented, such as a number beyond every range.
    #[error("the attribute {name:?} of the event cannot be read")]
    Attribute {
        /// The attribute's name.
        name: String,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
    /// `data` is not what `datacontenttype` says, or `data_base64` is not text.
    #[error("unexpected data type encountered in envelope")]
    UnexpectedData,
    /// `data_base64` is not base64.
    #[error("data_base64 of the event cannot be decoded")]
    Base64(#[source] base64::DecodeError),
    /// The metadata `rawPayload` is not a boolean.
    #[error("rawPayload value must be a valid boolean: actual is '{0}'")]
    RawPayload(String),
}
