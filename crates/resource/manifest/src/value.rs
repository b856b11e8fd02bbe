//! The common value form of resources: a name with a plain value, a reference to a secret, or one to the environment.

use std::fmt;

/// One entry of a component's metadata or of an endpoint's headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameValue {
    /// The property's name, as written.
    pub name: String,
    /// Where its value comes from.
    pub value: ValueSource,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum ValueSource {
    /// The value itself. Any YAML value is allowed: what is not a string is its compact JSON text.
    ///
    /// An entry that names no source at all is the empty text.
    Plain(String),
    /// An entry of a secret store.
    SecretKeyRef(SecretKeyRef),
    /// The name of an environment variable.
    EnvRef(String),
}

/// A secret and the key within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKeyRef {
    /// The secret's name.
    pub name: String,
    /// The key within the secret. The reader puts `name` here when the manifest leaves it out, as flat stores want.
    pub key: String,
}

impl ValueSource {
    /// The text, if the manifest holds the value itself.
    pub fn as_plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::SecretKeyRef(_) | Self::EnvRef(_) => None,
        }
    }
}

/// Plain values are often passwords, so they are never shown; references are only names.
impl fmt::Debug for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(…)"),
            Self::SecretKeyRef(reference) => fmt::Debug::fmt(reference, f),
            Self::EnvRef(name) => f.debug_tuple("EnvRef").field(name).finish(),
        }
    }
}
