//! Packing and unpacking [`Any`].

use bytes::Bytes;
use prost::{Message, Name};

use crate::Any;

/// Why an [`Any`] does not give the message that was asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnpackError {
    /// It holds another message.
    #[error("expected a {expected} inside Any, found type URL {found:?}")]
    Type {
        /// Full name of the message that was asked for.
        expected: String,
        /// The type URL that is there.
        found: String,
    },
    /// Its bytes are not that message.
    #[error("cannot decode the {expected} inside Any")]
    Decode {
        /// Full name of the message that was asked for.
        expected: String,
        /// What is wrong with the bytes.
        source: prost::DecodeError,
    },
}

impl Any {
    /// Packs a message under its type URL, `type.googleapis.com/<full name>`.
    pub fn pack<M: Name>(message: &M) -> Self {
        Self {
            type_url: M::type_url(),
            value: Bytes::from(message.encode_to_vec()),
        }
    }

    /// A raw body: no type URL, as apps and sidecars exchange it. Nothing is copied.
    pub fn raw(value: impl Into<Bytes>) -> Self {
        Self {
            type_url: String::new(),
            value: value.into(),
        }
    }

    /// Whether it holds an `M`. Only what follows the last slash of the type URL counts, as protobuf says.
    pub fn is<M: Name>(&self) -> bool {
        self.type_url
            .rsplit_once('/')
            .is_some_and(|(_, name)| name == M::full_name())
    }

    /// Unpacks an `M`. Its `Bytes` fields share the memory of this value.
    ///
    /// # Errors
    /// When it holds another message, or bytes that are not an `M`.
    pub fn unpack<M: Name + Default>(&self) -> Result<M, UnpackError> {
        if !self.is::<M>() {
            return Err(UnpackError::Type {
                expected: M::full_name(),
                found: self.type_url.clone(),
            });
        }
        let decoded = <M as Message>::decode(self.value.clone());
        decoded.map_err(|source| UnpackError::Decode {
            expected: M::full_name(),
            source,
        })
    }
}
