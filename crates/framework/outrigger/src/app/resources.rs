//! The resources of an embedded app.

use std::{
    env,
    path::{Path, PathBuf},
};

use outrigger_resource_manifest::{
    Component, ComponentType, NameValue, Origin, Resource, ValueSource, is_yaml,
};
use outrigger_runtime_node::{Loaded, load};
use outrigger_wire_names::{app as names, environment};

use super::{settings::Settings, start_error};
use crate::Error;

/// What stands where a file would in messages about components given in code.
const IN_CODE: &str = "App::component";
/// What stands there for default components.
const BY_DEFAULT: &str = "default resources";
/// Our folder in the user's home folder, and where resources are in it.
const OWN_DIR: &str = ".outrigger";
const COMPONENTS_DIR: &str = "components";
/// The default configuration, in our folder.
const CONFIG_FILE: &str = "config.yaml";
/// Where components of ours keep files that name no place, in our folder.
const DATA_DIR: &str = "data";
/// Where the home folder is by convention.
const HOME: &str = "HOME";

/// A component given in code.
pub(super) fn component(
    name: &str,
    component_type: &str,
    metadata: impl IntoIterator<Item = (String, String)>,
) -> Component {
    of_parts(name, component_type, metadata, IN_CODE)
}

fn of_parts(
    name: &str,
    component_type: &str,
    metadata: impl IntoIterator<Item = (String, String)>,
    origin: &'static str,
) -> Component {
    let entry = |(name, value)| NameValue {
        name,
        value: ValueSource::Plain(value),
    };
    Component {
        name: name.to_owned(),
        namespace: None,
        type_: ComponentType::parse(component_type),
        version: String::new(),
        metadata: metadata.into_iter().map(entry).collect(),
        ignore_errors: false,
        init_timeout: None,
        secret_store: None,
        scopes: Vec::new(),
        origin: Origin::of_file(Path::new(origin)),
    }
}

impl Settings {
    /// Everything that the app has: from its files, from code, or by default.
    pub(super) fn loaded(&self, namespace: Option<&str>) -> Result<Loaded, Error> {
        let mut folders = self.paths(&self.resources, names::OUTRIGGER_RESOURCES_PATH);
        let mut configurations = self.paths(&self.configurations, names::OUTRIGGER_CONFIG);
        let by_default = folders.is_empty() && self.components.is_empty();
        let built_in = by_default
            .then(|| self.find_defaults(&mut folders, &mut configurations))
            .flatten();
        let mut loaded = load(&configurations, &folders, &self.app_id, namespace, &*self.env)
            .map_err(|error| start_error("load the resources", error))?;
        for component in &self.components {
            add(&mut loaded, component.clone())?;
        }
        if let Some(own) = built_in {
            add_defaults(&mut loaded, &own)?;
        }
        for (id, addresses) in &self.peers {
            let known = loaded.static_peers.entry(id.clone()).or_default();
            known.extend_from_slice(addresses);
        }
        if loaded.configuration.api_logging.enabled {
            tracing::warn!("spec.logging.apiLogging has no effect: an embedded runtime serves no API");
        }
        Ok(loaded)
    }

    /// Adds what is in the user's folder; where there are no resources, the folder for the built-in ones is given back.
    fn find_defaults(
        &self,
        folders: &mut Vec<PathBuf>,
        configurations: &mut Vec<PathBuf>,
    ) -> Option<PathBuf> {
        let Some(own) = self.own_dir() else {
            tracing::warn!(
                "there are no default resources without a home folder: set {HOME} or {}",
                environment::OUTRIGGER_HOME
            );
            return None;
        };
        let (components, configuration) = (own.join(COMPONENTS_DIR), own.join(CONFIG_FILE));
        if configurations.is_empty() && configuration.is_file() {
            configurations.push(configuration);
        }
        if has_resources(&components) {
            folders.push(components);
            return None;
        }
        Some(own)
    }

    /// The paths given, or else those in a variable, with colons between them.
    fn paths(&self, given: &[PathBuf], variable: &str) -> Vec<PathBuf> {
        if !given.is_empty() {
            return given.to_vec();
        }
        let named = self.var(variable);
        let named = named.iter().flat_map(env::split_paths);
        named.filter(|path| path != Path::new("")).collect()
    }

    /// Where components of ours keep files that name no place.
    pub(super) fn data_dir(&self) -> PathBuf {
        let own = self.own_dir();
        own.unwrap_or_else(|| env::temp_dir().join("outrigger"))
            .join(DATA_DIR)
    }

    /// The user's folder. There is no other: what anybody may write into is no place to take components from.
    fn own_dir(&self) -> Option<PathBuf> {
        let set = |name| self.var(name).map(PathBuf::from);
        set(environment::OUTRIGGER_HOME).or_else(|| Some(set(HOME)?.join(OWN_DIR)))
    }
}

fn add_defaults(loaded: &mut Loaded, own: &Path) -> Result<(), Error> {
    // A store makes its file, not the folder that it is in.
    std::fs::create_dir_all(own).map_err(|error| {
        start_error(
            format!("make the folder {} for default resources", own.display()),
            error,
        )
    })?;
    for component in outrigger_catalog::defaults(own) {
        let metadata = component.metadata.into_iter();
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
        add(
            loaded,
            of_parts(component.name, component.type_, metadata, BY_DEFAULT),
        )?;
    }
    Ok(())
}

fn add(loaded: &mut Loaded, component: Component) -> Result<(), Error> {
    let same = loaded.resources.iter().find_map(|resource| match resource {
        Resource::Component(other) if other.name == component.name => Some(other),
        _ => None,
    });
    if let Some(other) = same {
        return Err(start_error(
            "load the resources",
            format!(
                "the component {:?} is given in code and in {}: leave one out",
                component.name, other.origin
            ),
        ));
    }
    loaded.resources.push(Resource::Component(component));
    Ok(())
}

fn has_resources(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder);
    entries.is_ok_and(|entries| entries.flatten().any(|entry| is_yaml(&entry.path())))
}
