//! Finding peers and being found: the machine's registry first, then what is written down, then multicast.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use outrigger_base_std::go;
use outrigger_discovery::{
    Cache, CacheOptions, Chain, Endpoint, Instance, Name, Register, Registration, Resolve,
    mdns::{IdForm, Mdns, MdnsOptions},
    registry::{Registry, RegistryOptions},
    static_list::StaticList,
};
use outrigger_resource_manifest::Env;
use outrigger_runtime_host::Identity;
use outrigger_wire_names::environment;

/// Domain of Dapr's multicast records.
const DOMAIN: &str = "local.";
/// Where a user's runtime files are by convention.
const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";

/// The folder of the machine-local registry: the environment's, or the user's own.
pub fn registry_dir(env: &dyn Env) -> PathBuf {
    if let Some(dir) = env
        .var(environment::OUTRIGGER_RUN_DIR)
        .filter(|dir| !dir.is_empty())
    {
        return PathBuf::from(dir).join("registry");
    }
    let base = env
        .var(XDG_RUNTIME_DIR)
        .filter(|dir| Path::new(dir).is_dir())
        .map(PathBuf::from);
    match base {
        Some(base) => base.join("outrigger").join("registry"),
        None => std::env::temp_dir()
            .join(format!("outrigger-{}", user_id()))
            .join("registry"),
    }
}

/// Whether the environment leaves multicast on, as it is by default.
pub fn multicast(env: &dyn Env) -> bool {
    let text = env.var(environment::OUTRIGGER_MULTICAST).unwrap_or_default();
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "on" => true,
        "off" => false,
        other => go::parse_bool(other).unwrap_or_else(|| {
            let name = environment::OUTRIGGER_MULTICAST;
            tracing::warn!("{name} is {other:?}; expected on or off. Multicast is on");
            true
        }),
    }
}

/// The user of this process, by the owner of its entry in `/proc`.
fn user_id() -> u32 {
    std::fs::metadata("/proc/self").map_or(0, |entry| entry.uid())
}

/// Whom a node asks for peers, and whom it tells of itself.
pub(crate) struct Discovery {
    pub(crate) resolver: Arc<dyn Resolve>,
    registry: Option<Registry>,
    mdns: Option<Mdns>,
}

impl Discovery {
    pub(crate) fn new(
        identity: &Identity,
        registry_dir: Option<&Path>,
        multicast: bool,
        peers: &BTreeMap<String, Vec<SocketAddr>>,
    ) -> Self {
        let registry = registry_dir.and_then(open_registry);
        let mdns = multicast.then(|| {
            let form = IdForm::new(DOMAIN, &identity.host_name, std::process::id());
            Mdns::open(form, MdnsOptions::default())
        });
        let mut chain = Chain::new();
        if let Some(registry) = &registry {
            chain = chain.with("registry", registry.clone());
        }
        if !peers.is_empty() {
            chain = chain.with("static", static_list(peers));
        }
        if let Some(mdns) = &mdns {
            chain = chain.with("mdns", mdns.clone());
        }
        Self {
            resolver: Arc::new(Cache::new(chain, CacheOptions::default())),
            registry,
            mdns,
        }
    }

    /// Tells of this node. A registrar that fails is logged: the others may do.
    pub(crate) async fn announce(&self, identity: &Identity, address: IpAddr, port: u16) -> Registration {
        let mut name = Name::new(identity.app_id.clone());
        let plain = name.clone();
        if let Some(namespace) = identity.namespace() {
            name = name.in_namespace(namespace);
        }
        let endpoint = Endpoint::new(SocketAddr::new(address, port));
        let mut all = Vec::new();
        if let Some(registry) = &self.registry {
            all.push(register(registry, Instance::new(name, endpoint.clone())).await);
        }
        if let Some(mdns) = &self.mdns {
            // Dapr's records know no namespace.
            all.push(register(mdns, Instance::new(plain, endpoint)).await);
        }
        Registration::all(all)
    }
}

async fn register(registrar: &dyn Register, instance: Instance) -> Registration {
    match registrar.register(&instance).await {
        Ok(registration) => registration,
        Err(error) => {
            tracing::warn!("cannot announce this app: {}", outrigger_base_std::chain(&error));
            Registration::inert()
        }
    }
}

fn open_registry(dir: &Path) -> Option<Registry> {
    match Registry::open(dir, RegistryOptions::default()) {
        Ok(registry) => Some(registry),
        Err(error) => {
            tracing::warn!(
                "cannot use the machine-local registry at {}: {error}",
                dir.display()
            );
            None
        }
    }
}

fn static_list(peers: &BTreeMap<String, Vec<SocketAddr>>) -> StaticList {
    let mut list = StaticList::new();
    for (id, addresses) in peers {
        let name = match id.split_once('/') {
            Some((namespace, id)) => Name::new(id).in_namespace(namespace),
            None => Name::new(id.as_str()),
        };
        list.add(&name, addresses.iter().copied().map(Endpoint::new));
    }
    list
}
