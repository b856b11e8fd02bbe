//! The user's folders, and the resources that are there by default.

mod defaults;

use std::path::{Path, PathBuf};

use outrigger_resource_manifest::{Env, is_yaml};
use outrigger_wire_names::environment;

pub(crate) use defaults::{Written, quoted, write_missing};

/// The folder of Dapr's CLI, in the home folder and in the folder of an app.
pub(crate) const DAPR_DIR: &str = ".dapr";
/// Our folder in the home folder.
const OWN_DIR: &str = ".outrigger";
/// Where the default resources are, in either folder.
const COMPONENTS_DIR: &str = "components";
/// Where an app keeps resources, in its `.dapr`.
pub(crate) const RESOURCES_DIR: &str = "resources";
/// The default configuration, in either folder.
pub(crate) const CONFIG_FILE: &str = "config.yaml";
/// The user's home folder.
const HOME: &str = "HOME";

/// Where things are by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    /// The folder `.dapr`.
    dapr: PathBuf,
    /// Where our data and our default resources are.
    own: PathBuf,
}

/// There is no home folder.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot find the user's folder: set {HOME}, {} or --runtime-path",
    environment::OUTRIGGER_HOME
)]
pub(crate) struct NoHome;

impl Home {
    /// The folders of this user. `runtime_path` is the folder that holds `.dapr`, which then is our folder too.
    pub(crate) fn find(runtime_path: Option<&Path>, env: &dyn Env) -> Result<Self, NoHome> {
        if let Some(path) = runtime_path {
            let dapr = path.join(DAPR_DIR);
            return Ok(Self {
                own: dapr.clone(),
                dapr,
            });
        }
        let set = |name| env.var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let (home, own) = (set(HOME), set(environment::OUTRIGGER_HOME));
        let own = own.or_else(|| Some(home.as_ref()?.join(OWN_DIR))).ok_or(NoHome)?;
        let dapr = home.map_or_else(|| own.clone(), |home| home.join(DAPR_DIR));
        Ok(Self { dapr, own })
    }

    /// Where our data is.
    pub(crate) fn data(&self) -> &Path {
        &self.own
    }

    /// The folder that our default resources are written to.
    pub(crate) fn own_resources(&self) -> PathBuf {
        self.own.join(COMPONENTS_DIR)
    }

    /// The folder of resources that an app has when it names none: that of Dapr's CLI if there are resources in it,
    /// otherwise our own.
    pub(crate) fn default_resources(&self) -> PathBuf {
        let daprs = self.dapr.join(COMPONENTS_DIR);
        if has_resources(&daprs) {
            daprs
        } else {
            self.own_resources()
        }
    }

    /// The configuration that an app has when it names none, where there is one.
    pub(crate) fn default_config(&self) -> Option<PathBuf> {
        [&self.dapr, &self.own]
            .map(|dir| dir.join(CONFIG_FILE))
            .into_iter()
            .find(|file| file.is_file())
    }
}

/// Whether a folder is there and has a YAML file in it.
pub(crate) fn has_resources(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(|entry| is_yaml(&entry.path())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(pairs: &'static [(&str, &str)]) -> Result<Home, NoHome> {
        let env = move |name: &str| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Home::find(None, &env)
    }

    #[test]
    fn folders_come_from_the_environment() {
        let found = home(&[("HOME", "/home/a")]).unwrap();
        assert_eq!(found.data(), Path::new("/home/a/.outrigger"));
        assert_eq!(found.dapr, Path::new("/home/a/.dapr"));
        let found = home(&[("HOME", "/home/a"), ("OUTRIGGER_HOME", "/data")]).unwrap();
        assert_eq!(found.data(), Path::new("/data"));
        assert_eq!(found.dapr, Path::new("/home/a/.dapr"));
        assert!(home(&[("HOME", "")]).is_err());
    }

    #[test]
    fn a_runtime_path_is_both() {
        let found = Home::find(Some(Path::new("/opt")), &|_: &str| None).unwrap();
        assert_eq!(found.data(), Path::new("/opt/.dapr"));
        assert_eq!(found.own_resources(), Path::new("/opt/.dapr/components"));
    }

    #[test]
    fn daprs_resources_are_used_where_there_are_any() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home {
            dapr: dir.path().join("dapr"),
            own: dir.path().join("own"),
        };
        let daprs = dir.path().join("dapr/components");
        assert_eq!(home.default_resources(), dir.path().join("own/components"));
        std::fs::create_dir_all(&daprs).unwrap();
        assert_eq!(home.default_resources(), dir.path().join("own/components"));
        std::fs::write(daprs.join("a.yaml"), "").unwrap();
        assert_eq!(home.default_resources(), daprs);
        assert_eq!(home.default_config(), None);
        std::fs::write(dir.path().join("dapr/config.yaml"), "").unwrap();
        assert_eq!(home.default_config(), Some(dir.path().join("dapr/config.yaml")));
    }
}
