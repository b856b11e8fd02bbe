//! What is resolved: a service id, and the namespace it lives in when there is one.

use std::{fmt, str::FromStr, sync::Arc};

/// The name of a service: an id, and a namespace when the mesh has them.
///
/// Cloning is cheap. Written as `id` or `namespace/id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    id: Arc<str>,
    namespace: Option<Arc<str>>,
}

/// A [`Name`] that is borrowed, so that looking something up needs no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameRef<'a> {
    /// The service id.
    pub id: &'a str,
    /// The namespace, when there is one.
    pub namespace: Option<&'a str>,
}

/// A text that is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a service name: {reason}; write `id` or `namespace/id`")]
pub struct ParseNameError {
    text: String,
    reason: &'static str,
}

// === impl Name ===

impl Name {
    /// The service `id`, without a namespace.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self {
            id: id.into(),
            namespace: None,
        }
    }

    /// The same service id in `namespace`.
    #[must_use]
    pub fn in_namespace(self, namespace: impl Into<Arc<str>>) -> Self {
        Self {
            namespace: Some(namespace.into()),
            ..self
        }
    }

    /// The service id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The namespace, when there is one.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The same name, borrowed.
    pub fn as_name_ref(&self) -> NameRef<'_> {
        NameRef {
            id: &self.id,
            namespace: self.namespace.as_deref(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_name_ref().fmt(f)
    }
}

impl FromStr for Name {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| ParseNameError {
            text: text.to_owned(),
            reason,
        };
        let (namespace, id) = match text.split_once('/') {
            Some((namespace, id)) => (Some(namespace), id),
            None => (None, text),
        };
        if id.is_empty() {
            return Err(fail("the id is empty"));
        }
        if id.contains('/') {
            return Err(fail("it has more than one slash"));
        }
        match namespace {
            Some("") => Err(fail("the namespace is empty")),
            Some(namespace) => Ok(Self::new(id).in_namespace(namespace)),
            None => Ok(Self::new(id)),
        }
    }
}

// === impl NameRef ===

impl<'a> NameRef<'a> {
    /// The service `id`, without a namespace.
    pub const fn new(id: &'a str) -> Self {
        Self { id, namespace: None }
    }

    /// The same service id in `namespace`.
    #[must_use]
    pub const fn in_namespace(self, namespace: &'a str) -> Self {
        Self {
            namespace: Some(namespace),
            ..self
        }
    }

    /// A copy that owns its text.
    pub fn to_name(self) -> Name {
        Name {
            id: self.id.into(),
            namespace: self.namespace.map(Into::into),
        }
    }
}

impl fmt::Display for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.id),
            None => f.write_str(self.id),
        }
    }
}

impl<'a> From<&'a Name> for NameRef<'a> {
    fn from(name: &'a Name) -> Self {
        name.as_name_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_it_is_written() {
        for text in ["orders", "shop/orders", "a.b-c"] {
            assert_eq!(text.parse::<Name>().unwrap().to_string(), text);
        }
        let name: Name = "shop/orders".parse().unwrap();
        assert_eq!((name.id(), name.namespace()), ("orders", Some("shop")));
        assert_eq!(NameRef::new("orders").in_namespace("shop").to_name(), name);
    }

    #[test]
    fn a_malformed_name_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "id is empty"),
            ("shop/", "id is empty"),
            ("/orders", "namespace is empty"),
            ("a/b/c", "slash"),
        ] {
            let error = text.parse::<Name>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}
