//! How an app's key becomes the store's key (components.md §0.4).

/// Stands between the parts of a stored key; an app's own key must not contain it.
pub const SEPARATOR: &str = "||";

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The separator stands in it.
    #[error("input key/keyPrefix '{0}' can't contain '||'")]
    Separator(String),
}

/// The prefix that one component puts before every key of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix(Box<str>);

impl KeyPrefix {
    /// The prefix that the property `keyPrefix` asks for: `appid` (or nothing), `name`, `namespace`, `none`, or a literal.
    pub fn new(
        strategy: Option<&str>,
        app_id: &str,
        component: &str,
        namespace: Option<&str>,
    ) -> Result<Self, KeyError> {
        let strategy = strategy.unwrap_or_default();
        if strategy.contains(SEPARATOR) {
            return Err(KeyError::Separator(strategy.to_owned()));
        }
        let lower = strategy.to_ascii_lowercase();
        let part = match (
            lower.as_str(),
            namespace.filter(|namespace| !namespace.is_empty()),
        ) {
            ("none", _) => String::new(),
            ("name", _) => component.to_owned(),
            ("namespace", Some(namespace)) if !app_id.is_empty() => format!("{namespace}.{app_id}"),
            ("" | "appid" | "namespace", _) => app_id.to_owned(),
            _ => strategy.to_owned(),
        };
        Ok(Self(if part.is_empty() {
            part.into()
        } else {
            format!("{part}{SEPARATOR}").into()
        }))
    }

    /// The store's key for an app's key.
    pub fn apply(&self, key: &str) -> Result<String, KeyError> {
        if key.contains(SEPARATOR) {
            return Err(KeyError::Separator(key.to_owned()));
        }
        let mut full = String::with_capacity(self.0.len() + key.len());
        full.push_str(&self.0);
        full.push_str(key);
        Ok(full)
    }

    /// The app's key for a store's key; a key without the prefix is given back as it is.
    pub fn strip<'k>(&self, key: &'k str) -> &'k str {
        key.strip_prefix(&*self.0).unwrap_or(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_makes_its_key() {
        let key = |strategy: Option<&str>, namespace: Option<&str>| {
            KeyPrefix::new(strategy, "app", "store", namespace)
                .unwrap()
                .apply("k")
                .unwrap()
        };
        assert_eq!(key(None, None), "app||k");
        assert_eq!(key(Some("appid"), Some("ns")), "app||k");
        assert_eq!(key(Some("name"), None), "store||k");
        assert_eq!(key(Some("namespace"), Some("ns")), "ns.app||k");
        assert_eq!(key(Some("namespace"), None), "app||k");
        assert_eq!(key(Some("none"), None), "k");
        assert_eq!(key(Some("Shared"), None), "Shared||k");
        assert_eq!(
            KeyPrefix::new(None, "", "store", None)
                .unwrap()
                .apply("k")
                .unwrap(),
            "k"
        );
    }

    #[test]
    fn the_separator_is_refused_on_both_sides() {
        assert!(KeyPrefix::new(Some("a||b"), "app", "store", None).is_err());
        assert!(
            KeyPrefix::new(None, "app", "store", None)
                .unwrap()
                .apply("a||b")
                .is_err()
        );
    }
}
