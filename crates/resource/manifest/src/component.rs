//! `Component`: one configured instance of a building block's driver.

use std::{fmt, time::Duration};

use crate::{NameValue, Origin};

/// A component as its manifest describes it; values are not resolved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// `metadata.name`: the name applications use.
    pub name: String,
    /// `metadata.namespace`, if the manifest gives one that is not empty.
    pub namespace: Option<String>,
    /// `spec.type`, split at its first dot.
    pub type_: ComponentType,
    /// `spec.version`, empty when the component's default is wanted.
    pub version: String,
    /// `spec.metadata`, in the manifest's order.
    pub metadata: Vec<NameValue>,
    /// `spec.ignoreErrors`: a failure to start this component does not stop the runtime.
    pub ignore_errors: bool,
    /// `spec.initTimeout`; `None` leaves it to the runtime's default.
    pub init_timeout: Option<Duration>,
    /// `auth.secretStore`: the store that `secretKeyRef` entries are read from.
    pub secret_store: Option<String>,
    /// The apps that may use it; empty is every app.
    pub scopes: Vec<String>,
    /// Where it was written.
    pub origin: Origin,
}

impl Component {
    /// The name with type and version, as logs and errors show it: `orders (state.redis/v1)`.
    pub fn log_name(&self) -> String {
        if self.version.is_empty() {
            format!("{} ({})", self.name, self.type_)
        } else {
            format!("{} ({}/{})", self.name, self.type_, self.version)
        }
    }

    /// The source of the metadata entry `name`, matched without regard to case; the first one wins.
    pub fn metadata_entry(&self, name: &str) -> Option<&NameValue> {
        self.metadata
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// Whether `app_id` may use it.
    pub fn in_scope_of(&self, app_id: &str) -> bool {
        crate::resource::in_scope(&self.scopes, app_id)
    }

    /// Whether two manifests ask for the same thing, wherever they are written and whatever namespace they name.
    ///
    /// This is the comparison a reload makes to find out what changed.
    pub fn same_definition(&self, other: &Self) -> bool {
        let normal = |component: &Self| Self {
            namespace: None,
            origin: other.origin.clone(),
            ..component.clone()
        };
        normal(self) == normal(other)
    }
}

/// `category.name`: `state.redis`, `bindings.azure.eventhubs`, `middleware.http.uppercase`.
///
/// The text is kept as written; comparison is the caller's and is without regard to case in registries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ComponentType {
    /// What comes before the first dot: `state`.
    pub category: String,
    /// What comes after the first dot: `redis`. Empty when there is no dot.
    pub name: String,
}

impl ComponentType {
    /// Splits `text` at its first dot.
    pub fn parse(text: &str) -> Self {
        let (category, name) = text.split_once('.').unwrap_or((text, ""));
        Self {
            category: category.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Whether the category is `category`, without regard to case.
    pub fn is_category(&self, category: &str) -> bool {
        self.category.eq_ignore_ascii_case(category)
    }
}

impl fmt::Display for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.category)?;
        if !self.name.is_empty() {
            write!(f, ".{}", self.name)?;
        }
        Ok(())
    }
}
