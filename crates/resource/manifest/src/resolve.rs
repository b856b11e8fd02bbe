//! Fills in what metadata values refer to: secrets, the environment, templates.
//!
//! Where Dapr carries on with an empty value (a refused variable, a secret that is not there), so does this, and says
//! so in [`Resolved::problems`]; where Dapr stops, it is a [`ResolveError`].

mod template;
mod unquote;

use std::{collections::HashMap, fmt, future::Future, pin::Pin};

use outrigger_base_std::BoxError;
use outrigger_wire_names::environment;

use crate::{Component, Env, NameValue, SecretKeyRef, ValueSource};
use template::Templates;
use unquote::unquote;

/// Asks secret stores. The runtime implements it over the stores that it has opened.
pub trait SecretSource: Send + Sync {
    /// Reads one secret.
    fn secret<'a>(&'a self, query: SecretQuery<'a>) -> SecretFuture<'a>;
}

/// Which secret is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretQuery<'a> {
    /// The secret store's name.
    pub store: &'a str,
    /// The secret's name.
    pub name: &'a str,
    /// The namespace of the resource that asks, which stores of a cluster look in.
    pub namespace: Option<&'a str>,
}

/// The values of a secret, by key. It does not implement `Debug`'s usual form of a map, so that none is logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretValues(pub HashMap<String, String>);

/// What [`SecretSource::secret`] returns. Dropping it midway is allowed.
pub type SecretFuture<'a> = Pin<Box<dyn Future<Output = Result<SecretValues, SecretError>> + Send + 'a>>;

/// Why a secret was not read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no such store, or not yet. The resource has to wait for it.
    #[error("the secret store is not loaded")]
    StoreNotLoaded,
    /// The store failed.
    #[error("the secret store failed")]
    Failed(#[source] BoxError),
}

/// What values may refer to.
pub struct ResolveContext<'a> {
    /// The app's id.
    pub app_id: &'a str,
    /// The app's namespace; empty if it has none.
    pub namespace: &'a str,
    /// The pod's name; empty if there is none.
    pub pod_name: &'a str,
    /// The store for `secretKeyRef` where a resource names none: `kubernetes` in a cluster, nothing elsewhere.
    pub default_secret_store: Option<&'a str>,
    /// The environment.
    pub env: &'a dyn Env,
    /// The secret stores.
    pub secrets: &'a dyn SecretSource,
    /// Makes a random UUID as text, a new one on each call.
    pub new_uuid: &'a (dyn Fn() -> String + Send + Sync),
}

/// Values that are filled in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Names and values, in the manifest's order. A name may stand twice; the later one has effect.
    pub properties: Vec<(String, String)>,
    /// Whether a value used `{namespace}`: such a pub/sub component is scoped to its namespace.
    pub uses_namespace: bool,
    /// Values that are empty because what they refer to could not be used.
    pub problems: Vec<ResolveProblem>,
}

/// A value that is empty because what it refers to could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveProblem {
    /// The entry's name.
    pub property: String,
    /// What is wrong; it names variables, secrets and stores, never a value.
    pub problem: String,
}

/// Why a resource cannot be used, or not yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A secret store is not loaded. Try again when it is.
    #[error("the secret store {store:?} that {property} refers to is not loaded")]
    StoreNotLoaded {
        /// The entry's name.
        property: String,
        /// The store.
        store: String,
    },
    /// A value wants the pod's name where there is none.
    #[error("failed to parse metadata: property {property} refers to {{podName}} but podName is not set")]
    NoPodName {
        /// The entry's name.
        property: String,
    },
}

impl ResolveError {
    /// Whether it may be different later.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::StoreNotLoaded { .. })
    }
}

/// Fills in a component's metadata.
pub async fn resolve(component: &Component, context: &ResolveContext<'_>) -> Result<Resolved, ResolveError> {
    let mut resolved = resolve_values(
        &component.metadata,
        component.secret_store.as_deref(),
        component.namespace.as_deref(),
        context,
    )
    .await?;
    let templates = Templates::new(context);
    for (name, value) in &mut resolved.properties {
        resolved.uses_namespace |= templates.fill(name, value)?;
    }
    Ok(resolved)
}

/// Fills in secrets and the environment, but no templates: the headers of an endpoint, for instance.
pub async fn resolve_values(
    values: &[NameValue],
    secret_store: Option<&str>,
    namespace: Option<&str>,
    context: &ResolveContext<'_>,
) -> Result<Resolved, ResolveError> {
    let mut resolver = Resolver {
        context,
        store: secret_store.or(context.default_secret_store),
        namespace,
        secrets: HashMap::new(),
        problems: Vec::new(),
    };
    let mut properties = Vec::with_capacity(values.len());
    for NameValue { name, value } in values {
        let text = resolver.value(name, value).await?;
        properties.push((name.clone(), text));
    }
    Ok(Resolved {
        properties,
        uses_namespace: false,
        problems: resolver.problems,
    })
}

/// Fills in one value: a TLS document of an endpoint, for instance.
pub async fn resolve_value(
    property: &str,
    value: &ValueSource,
    secret_store: Option<&str>,
    namespace: Option<&str>,
    context: &ResolveContext<'_>,
) -> Result<Resolved, ResolveError> {
    let value = NameValue {
        name: property.to_owned(),
        value: value.clone(),
    };
    resolve_values(&[value], secret_store, namespace, context).await
}

struct Resolver<'a> {
    context: &'a ResolveContext<'a>,
    store: Option<&'a str>,
    namespace: Option<&'a str>,
    /// Secrets that were read, by name; each is read once for a resource. `None` could not be read.
    secrets: HashMap<String, Option<SecretValues>>,
    problems: Vec<ResolveProblem>,
}

impl Resolver<'_> {
    async fn value(&mut self, property: &str, value: &ValueSource) -> Result<String, ResolveError> {
        match value {
            ValueSource::Plain(text) => Ok(text.clone()),
            ValueSource::EnvRef(name) => Ok(self.variable(property, name)),
            ValueSource::SecretKeyRef(reference) => self.secret(property, reference).await,
        }
    }

    fn variable(&mut self, property: &str, name: &str) -> String {
        if !is_allowed(name, self.context.env) {
            self.note(
                property,
                format!("the environment variable {name:?} may not be referred to"),
            );
            return String::new();
        }
        match self.context.env.var(name) {
            Some(text) => unquote(text),
            None => {
                self.note(property, format!("the environment variable {name:?} is not set"));
                String::new()
            }
        }
    }

    async fn secret(&mut self, property: &str, reference: &SecretKeyRef) -> Result<String, ResolveError> {
        let Some(store) = self.store else {
            self.note(
                property,
                "the resource names no secret store (auth.secretStore)".to_owned(),
            );
            return Ok(String::new());
        };
        if !self.secrets.contains_key(&reference.name) {
            let values = self.read(property, store, &reference.name).await?;
            self.secrets.insert(reference.name.clone(), values);
        }
        let value = self
            .secrets
            .get(&reference.name)
            .and_then(Option::as_ref)
            .map(|values| values.0.get(&reference.key).cloned());
        match value {
            // That the secret could not be read was noted when it was tried.
            None => Ok(String::new()),
            Some(Some(text)) if !text.is_empty() => Ok(unquote(text)),
            Some(_) => {
                let (name, key) = (&reference.name, &reference.key);
                self.note(
                    property,
                    format!("the secret {name:?} of the store {store:?} has no value for the key {key:?}"),
                );
                Ok(String::new())
            }
        }
    }

    async fn read(
        &mut self,
        property: &str,
        store: &str,
        name: &str,
    ) -> Result<Option<SecretValues>, ResolveError> {
        let query = SecretQuery {
            store,
            name,
            namespace: self.namespace,
        };
        match self.context.secrets.secret(query).await {
            Ok(values) => Ok(Some(values)),
            Err(SecretError::StoreNotLoaded) => Err(ResolveError::StoreNotLoaded {
                property: property.to_owned(),
                store: store.to_owned(),
            }),
            Err(error @ SecretError::Failed(_)) => {
                let why = outrigger_base_std::chain(&error);
                self.note(
                    property,
                    format!("could not read the secret {name:?} of the store {store:?}: {why}"),
                );
                Ok(None)
            }
        }
    }

    fn note(&mut self, property: &str, problem: String) {
        self.problems.push(ResolveProblem {
            property: property.to_owned(),
            problem,
        });
    }
}

/// Whether a manifest may refer to the variable `name`: not to ours, and only to those of the list where there is one.
fn is_allowed(name: &str, env: &dyn Env) -> bool {
    let name = name.to_uppercase();
    let refused = name.is_empty()
        || name == environment::APP_API_TOKEN
        || name.starts_with(environment::RESERVED_PREFIX)
        || name.contains(' ');
    if refused {
        return false;
    }
    match env.var(environment::DAPR_ENV_KEYS) {
        Some(list) if !list.is_empty() => list.split(' ').any(|entry| entry == name),
        _ => true,
    }
}

impl fmt::Debug for SecretValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretValues({} keys)", self.0.len())
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.properties.iter().map(|(name, _)| name).collect();
        f.debug_struct("Resolved")
            .field("properties", &names)
            .field("uses_namespace", &self.uses_namespace)
            .field("problems", &self.problems)
            .finish()
    }
}

impl fmt::Debug for ResolveContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolveContext")
            .field("app_id", &self.app_id)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
