//! Opening one component.

use std::{fmt, sync::Arc};

use outrigger_base_std::chain;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_pubsub::{Feature, TopicScopes};
use outrigger_block_state::{Capability, KeyError, KeyPrefix};
use outrigger_resource_manifest::{Component, Env, ResolveError, Resolved, resolve};
use outrigger_wire_names::features;

use super::{INIT_TIMEOUT, OpenSecrets, Opener};
use crate::{ComponentInfo, OutboxSettings, PubSub, Secrets, Snapshot, State, registry::Found};

/// Building blocks that have components, as types begin (dapr-runtime.md §10).
const CATEGORIES: [&str; 10] = [
    "bindings",
    "configuration",
    "conversation",
    "crypto",
    "lock",
    "middleware",
    "nameresolution",
    "pubsub",
    "secretstores",
    "state",
];

/// A component that did not open.
#[derive(Debug)]
pub struct ComponentError {
    /// The component's name.
    pub name: String,
    /// The component, as logs name it.
    pub component: String,
    /// Where it was written.
    pub origin: String,
    /// Why.
    pub reason: Reason,
}

/// Why a component did not open.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// There are no components of such a type: no building block has that name.
    #[error("incorrect type {0}")]
    Category(String),
    /// This program does not know the type or its version.
    #[error("couldn't find {0}")]
    Unknown(String),
    /// The configuration refuses the type.
    #[error("component type {0} is denied by the configuration")]
    Denied(String),
    /// A value of its metadata cannot be filled in.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// Its key prefix cannot be used.
    #[error(transparent)]
    Prefix(#[from] KeyError),
    /// It refused.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It took longer than it has.
    #[error("init timeout for component {0} exceeded after {1:?}")]
    Timeout(String, std::time::Duration),
}

impl Reason {
    /// Whether there was something to open.
    pub(super) fn is_of_a_known_type(&self) -> bool {
        !matches!(self, Self::Category(_) | Self::Unknown(_) | Self::Denied(_))
    }
}

/// The form in which Dapr says it, which its users' tools look for; the place is ours.
impl fmt::Display for ComponentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = chain(&self.reason);
        let (component, origin) = (&self.component, &self.origin);
        let kind = match &self.reason {
            Reason::Category(_) => {
                return write!(f, "process component {} error: {reason} ({origin})", self.name);
            }
            Reason::Unknown(_) => "CREATE",
            _ => "INIT",
        };
        write!(
            f,
            "[{kind}_COMPONENT_FAILURE]: initialization error occurred for {component}: {reason} ({origin})"
        )
    }
}

impl std::error::Error for ComponentError {}

/// What became of a component.
pub(super) enum Opened {
    /// It is open.
    Ready,
    /// It refers to what is not open, or not yet.
    Waits(ResolveError),
}

impl Opener<'_> {
    /// Opens a component into `snapshot`.
    pub(super) async fn open_one(
        &self,
        component: &Component,
        env: &dyn Env,
        snapshot: &mut Snapshot,
    ) -> Result<Opened, ComponentError> {
        match self.try_open(component, env, snapshot).await {
            Ok(()) => {
                tracing::info!("Component loaded: {}", component.log_name());
                Ok(Opened::Ready)
            }
            Err(Reason::Resolve(reason)) if reason.retryable() => Ok(Opened::Waits(reason)),
            Err(reason) => {
                let error = ComponentError {
                    name: component.name.clone(),
                    component: component.log_name(),
                    origin: component.origin.to_string(),
                    reason,
                };
                tracing::error!("Failed to init component {}: {error}", component.log_name());
                Err(error)
            }
        }
    }

    async fn try_open(
        &self,
        component: &Component,
        env: &dyn Env,
        snapshot: &mut Snapshot,
    ) -> Result<(), Reason> {
        let type_ = component.type_.to_string();
        if self
            .configuration
            .denied_components
            .iter()
            .any(|denied| denied.eq_ignore_ascii_case(&type_))
        {
            return Err(Reason::Denied(type_));
        }
        if !CATEGORIES.iter().any(|known| component.type_.is_category(known)) {
            return Err(Reason::Category(type_));
        }
        let found = self.registry.find(&component.type_, &component.version);
        let found = found.ok_or_else(|| Reason::Unknown(format!("{type_}/{}", component.version)))?;
        let resolved = self.resolve(component, env, snapshot).await?;
        let timeout = component.init_timeout.unwrap_or(INIT_TIMEOUT);
        let opening = self.open_found(component, found, resolved, snapshot);
        match tokio::time::timeout(timeout, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(Reason::Timeout(component.log_name(), timeout)),
        }
    }

    async fn resolve(
        &self,
        component: &Component,
        env: &dyn Env,
        snapshot: &Snapshot,
    ) -> Result<Resolved, Reason> {
        let (secrets, new_uuid, pod_name) =
            (OpenSecrets::new(snapshot), self.new_uuid(), super::pod_name(env));
        let context = self.resolve_context(env, &secrets, &new_uuid, &pod_name);
        let resolved = resolve(component, &context).await?;
        for problem in &resolved.problems {
            tracing::error!(
                "component {}: property {}: {}",
                component.log_name(),
                problem.property,
                problem.problem
            );
        }
        Ok(resolved)
    }

    async fn open_found(
        &self,
        component: &Component,
        found: Found<'_>,
        resolved: Resolved,
        snapshot: &mut Snapshot,
    ) -> Result<(), Reason> {
        let name: Arc<str> = component.name.as_str().into();
        let mut properties = Properties::default();
        for (key, value) in resolved.properties {
            properties.set(&key, value);
        }
        let context = self.context(&name);
        let capabilities = match found {
            Found::State(open) => {
                refuse_encryption(&properties)?;
                let identity = &self.host.identity;
                let prefix = KeyPrefix::new(
                    properties.get("keyPrefix"),
                    &identity.app_id,
                    &name,
                    identity.namespace(),
                )?;
                let outbox = OutboxSettings::of(&properties);
                let store = open(context, properties).await?;
                let capabilities = store
                    .capabilities()
                    .iter()
                    .copied()
                    .map(state_capability)
                    .collect();
                let state = State {
                    name: name.clone(),
                    store,
                    prefix,
                    outbox,
                };
                snapshot.state.insert(name, state);
                capabilities
            }
            Found::Broker(open) => {
                self.set_consumer_group(&mut properties);
                let scopes = TopicScopes::new(&properties, &self.host.identity.app_id);
                let broker = open(context, properties).await?;
                let capabilities = broker.features().iter().copied().map(broker_feature).collect();
                let prefix = if resolved.uses_namespace {
                    self.host.identity.namespace.clone()
                } else {
                    "".into()
                };
                snapshot.pubsub.insert(
                    name.clone(),
                    PubSub {
                        name,
                        broker,
                        scopes,
                        topic_prefix: prefix,
                    },
                );
                capabilities
            }
            Found::Secret(open) => {
                let store = open(context, properties).await?;
                let capabilities = if store.multiple_keys() {
                    vec![features::MULTIPLE_KEY_VALUES_PER_SECRET]
                } else {
                    Vec::new()
                };
                let rules = &self.configuration.secret_scopes;
                let scope = rules.iter().find(|rule| rule.store_name == *name).cloned();
                snapshot
                    .secrets
                    .insert(name.clone(), Secrets { name, store, scope });
                capabilities
            }
        };
        snapshot.components.push(ComponentInfo {
            name: component.name.clone(),
            type_: component.type_.to_string(),
            version: component.version.clone(),
            capabilities,
        });
        Ok(())
    }

    /// A broker's consumer group is the app, unless its manifest names another (components.md §0.2).
    fn set_consumer_group(&self, properties: &mut Properties) {
        let given = properties
            .get("consumerID")
            .map(str::trim)
            .unwrap_or_default()
            .to_owned();
        let group = if given.is_empty() {
            self.host.identity.app_id.to_string()
        } else {
            given
        };
        properties.set("consumerID", group);
    }

    fn context(&self, name: &Arc<str>) -> Context {
        let identity = &self.host.identity;
        Context {
            name: name.clone(),
            app_id: identity.app_id.clone(),
            namespace: identity.namespace().map(Into::into),
            clock: self.host.clock.clone(),
            entropy: self.host.entropy.clone(),
            tasks: self.tasks.child(name.clone()),
            data_dir: self.data_dir.clone(),
        }
    }
}

/// Values that should be encrypted must not be stored in the clear.
fn refuse_encryption(properties: &Properties) -> Result<(), OpenError> {
    let asked = ["primaryEncryptionKey", "secondaryEncryptionKey"];
    match asked
        .into_iter()
        .find(|name| properties.non_empty(name).is_some())
    {
        Some(name) => Err(OpenError::Unsupported(format!(
            "automatic encryption of state ({name})"
        ))),
        None => Ok(()),
    }
}

fn state_capability(capability: Capability) -> &'static str {
    match capability {
        Capability::ETag => features::ETAG,
        Capability::Transactional => features::TRANSACTIONAL,
        Capability::Ttl => features::TTL,
        Capability::KeysLike => features::KEYS_LIKE,
        Capability::DeleteWithPrefix => features::DELETE_WITH_PREFIX,
        Capability::Actor => features::ACTOR,
    }
}

fn broker_feature(feature: Feature) -> &'static str {
    match feature {
        Feature::MessageTtl => features::MESSAGE_TTL,
        Feature::SubscribeWildcards => features::SUBSCRIBE_WILDCARDS,
        Feature::BulkPublish => features::BULK_PUBLISH,
    }
}
