//! From loaded resources to a snapshot of open components.

mod secrets;
mod single;

use std::{path::PathBuf, sync::Arc, time::Duration};

use outrigger_base_task::TaskSet;
use outrigger_resource_manifest::{
    Component, Configuration, Env, HttpEndpoint as EndpointManifest, ResolveContext, ResolveError, Resolved,
    Resource, ValueSource, resolve_value, resolve_values,
};
use outrigger_wire_names::environment;

use crate::{ClientPem, FailedComponent, Host, HttpEndpoint, Registry, Snapshot};
use secrets::OpenSecrets;
use single::Opened;
pub use single::{ComponentError, Reason};

/// Time that a component has to open, where its manifest names none.
const INIT_TIMEOUT: Duration = Duration::from_secs(5);

/// What opening needs beside the resources.
#[derive(Debug)]
pub struct Opener<'a> {
    /// How each type is opened.
    pub registry: &'a Registry,
    /// Whose components they are.
    pub host: &'a Host,
    /// The settings.
    pub configuration: &'a Configuration,
    /// Owner of the components' tasks.
    pub tasks: &'a TaskSet,
    /// Where components of ours keep files.
    pub data_dir: PathBuf,
}

/// Opens every component among `resources`: secret stores first, because others may need them.
///
/// A failure ends it, unless the manifest of that component says `ignoreErrors`; what was opened is closed then. A
/// component that refers to a secret store that is not there is left out with a warning, as with Dapr, where it waits for
/// that store.
pub async fn open(
    resources: &[Resource],
    opener: &Opener<'_>,
    env: &dyn Env,
) -> Result<Snapshot, ComponentError> {
    let mut snapshot = Snapshot::default();
    match open_all(resources, opener, env, &mut snapshot).await {
        Ok(()) => Ok(snapshot),
        Err(error) => {
            snapshot.close().await;
            Err(error)
        }
    }
}

async fn open_all(
    resources: &[Resource],
    opener: &Opener<'_>,
    env: &dyn Env,
    snapshot: &mut Snapshot,
) -> Result<(), ComponentError> {
    let mut waiting = in_order(resources);
    loop {
        let before = waiting.len();
        let left = open_each(waiting, opener, env, snapshot).await?;
        waiting = left.iter().map(|(component, _)| *component).collect();
        if waiting.is_empty() || waiting.len() == before {
            tell_who_waits(&left);
            break;
        }
    }
    for resource in resources {
        match resource {
            Resource::Subscription(subscription) => snapshot.subscriptions.push(subscription.clone()),
            Resource::HttpEndpoint(manifest) => opener.add_endpoint(manifest, env, snapshot).await,
            _ => {}
        }
    }
    Ok(())
}

/// Opens each of `components`, and gives back those that wait for a secret store which is not open yet.
async fn open_each<'a>(
    components: Vec<&'a Component>,
    opener: &Opener<'_>,
    env: &dyn Env,
    snapshot: &mut Snapshot,
) -> Result<Vec<(&'a Component, ResolveError)>, ComponentError> {
    let mut waiting = Vec::new();
    for component in components {
        match opener.open_one(component, env, snapshot).await {
            Ok(Opened::Ready) => {}
            Ok(Opened::Waits(reason)) => waiting.push((component, reason)),
            Err(error) if component.ignore_errors => {
                tracing::error!("Ignoring error processing component: {error}");
                snapshot.failed.push(FailedComponent {
                    name: component.name.clone(),
                    type_: component.type_.to_string(),
                    is_known: error.reason.is_of_a_known_type(),
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(waiting)
}

/// Dapr's words, then the value that refers and the place.
fn tell_who_waits(waiting: &[(&Component, ResolveError)]) {
    for (component, reason) in waiting {
        let (name, origin) = (&component.name, &component.origin);
        let store = component.secret_store.as_deref().unwrap_or_default();
        tracing::warn!(
            "Component {name} references a secret store that isn't loaded: {store}. The component is left out: {reason} ({origin})"
        );
    }
}

/// Secret stores, then everything else; each group as written.
fn in_order(resources: &[Resource]) -> Vec<&Component> {
    let components = resources.iter().filter_map(|resource| match resource {
        Resource::Component(component) => Some(component),
        _ => None,
    });
    let (mut first, rest): (Vec<_>, Vec<_>) =
        components.partition(|component| component.type_.is_category("secretstores"));
    first.extend(rest);
    first
}

impl Opener<'_> {
    async fn add_endpoint(&self, manifest: &EndpointManifest, env: &dyn Env, snapshot: &mut Snapshot) {
        let secrets = OpenSecrets::new(snapshot);
        let resolved = self.resolve_endpoint(manifest, env, &secrets).await;
        match resolved {
            Ok(endpoint) => {
                tracing::info!("HTTPEndpoint loaded: {}", manifest.log_name());
                snapshot.http_endpoints.push(endpoint);
            }
            Err(error) => tracing::error!("HTTPEndpoint {} cannot be used: {error}", manifest.log_name()),
        }
    }

    async fn resolve_endpoint(
        &self,
        manifest: &EndpointManifest,
        env: &dyn Env,
        secrets: &OpenSecrets,
    ) -> Result<HttpEndpoint, ResolveError> {
        let (new_uuid, pod_name) = (self.new_uuid(), pod_name(env));
        let context = self.resolve_context(env, secrets, &new_uuid, &pod_name);
        let (store, namespace) = (manifest.secret_store.as_deref(), manifest.namespace.as_deref());
        let told = |resolved: Resolved| {
            for problem in &resolved.problems {
                tracing::error!(
                    "HTTPEndpoint {}: {}: {}",
                    manifest.log_name(),
                    problem.property,
                    problem.problem
                );
            }
            resolved.properties
        };
        let headers = told(resolve_values(&manifest.headers, store, namespace, &context).await?);
        let text = async |property, value: &Option<ValueSource>| {
            let Some(value) = value else {
                return Ok::<_, ResolveError>(String::new());
            };
            let mut resolved = told(resolve_value(property, value, store, namespace, &context).await?);
            Ok(resolved.pop().map(|(_, text)| text).unwrap_or_default())
        };
        let tls = match &manifest.client_tls {
            None => None,
            Some(tls) => Some(ClientPem {
                root_ca: text("clientTLS.rootCA", &tls.root_ca).await?,
                certificate: text("clientTLS.certificate", &tls.certificate).await?,
                private_key: text("clientTLS.privateKey", &tls.private_key).await?.into(),
            }),
        };
        Ok(HttpEndpoint {
            name: manifest.name.clone(),
            base_url: manifest.base_url.clone(),
            headers,
            tls,
        })
    }

    fn new_uuid(&self) -> impl Fn() -> String + Send + Sync + use<> {
        let entropy = Arc::clone(&self.host.entropy);
        move || outrigger_base_clock::uuid_v4(&*entropy).to_string()
    }

    fn resolve_context<'c>(
        &'c self,
        env: &'c dyn Env,
        secrets: &'c OpenSecrets,
        new_uuid: &'c (dyn Fn() -> String + Send + Sync),
        pod_name: &'c str,
    ) -> ResolveContext<'c> {
        ResolveContext {
            app_id: &self.host.identity.app_id,
            namespace: &self.host.identity.namespace,
            pod_name,
            default_secret_store: None,
            env,
            secrets,
            new_uuid,
        }
    }
}

/// The name of the pod, where there is one.
fn pod_name(env: &dyn Env) -> String {
    env.var(environment::POD_NAME).unwrap_or_default()
}

#[cfg(test)]
mod tests;
