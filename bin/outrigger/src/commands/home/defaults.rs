//! The resources that are there by default: a state store and a broker, both of which live in the user's folder.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::Home;

/// File names of the default resources and what is in them. The places of data are filled in.
const DEFAULTS: [(&str, &str); 2] = [
    ("statestore.yaml", include_str!("defaults/statestore.yaml")),
    ("pubsub.yaml", include_str!("defaults/pubsub.yaml")),
];
/// The state store's file, in the user's folder.
const STATE_FILE: &str = "state.sqlite";
/// The broker's folder, in the user's folder.
const BROKER_DIR: [&str; 2] = ["broker", "pubsub"];

/// What became of one default resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// It was not there and was written.
    New(PathBuf),
    /// It was there and was left alone.
    Kept(PathBuf),
}

/// A default resource that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write the default resource {}", .path.display())]
pub(crate) struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// Writes the default resources that are not there. What is there is never touched, whatever is in it.
pub(crate) fn write_missing(home: &Home) -> Result<Vec<Written>, WriteError> {
    let folder = home.own_resources();
    DEFAULTS
        .iter()
        .map(|(name, template)| {
            let path = folder.join(name);
            match create(&path, &filled(template, home.data())) {
                Ok(true) => Ok(Written::New(path)),
                Ok(false) => Ok(Written::Kept(path)),
                Err(source) => Err(WriteError { path, source }),
            }
        })
        .collect()
}

fn filled(template: &str, data: &Path) -> String {
    let broker = BROKER_DIR
        .iter()
        .fold(data.to_owned(), |path, part| path.join(part));
    template
        .replace("@STATE_FILE@", &quoted(&data.join(STATE_FILE)))
        .replace("@BROKER_DIR@", &quoted(&broker))
}

/// A path as YAML text. JSON's quotes and escapes are YAML's too.
pub(crate) fn quoted(path: &Path) -> String {
    serde_json::Value::String(path.to_string_lossy().into_owned()).to_string()
}

/// Makes a file that is not there; `false` if it is. The file appears whole: another program may read the folder, or
/// write the same file, at the same time.
fn create(path: &Path, content: &str) -> io::Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let result = write_and_link(&draft, path, content);
    // The draft has done its work or has failed; what is left of it is in nobody's way.
    let _ = fs::remove_file(&draft);
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_and_link(draft: &Path, path: &Path, content: &str) -> io::Result<()> {
    let mut file = File::create(draft)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    // A link is refused where the name is taken; a rename would replace it.
    fs::hard_link(draft, path)
}

#[cfg(test)]
mod tests {
    use outrigger_resource_manifest::load;

    use super::*;

    fn home(path: &Path) -> Home {
        Home {
            dapr: path.join("dapr"),
            own: path.join("it's \"mine\""),
        }
    }

    #[test]
    fn they_are_written_once_and_kept_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path());
        let written = write_missing(&home).unwrap();
        assert!(written.iter().all(|one| matches!(one, Written::New(_))));
        let state = home.own_resources().join("statestore.yaml");
        fs::write(&state, "mine").unwrap();
        fs::remove_file(home.own_resources().join("pubsub.yaml")).unwrap();
        let again = write_missing(&home).unwrap();
        assert!(matches!(&again[..], [Written::Kept(_), Written::New(_)]));
        assert_eq!(fs::read_to_string(state).unwrap(), "mine");
        assert_eq!(fs::read_dir(home.own_resources()).unwrap().count(), 2);
    }

    #[test]
    fn they_are_resources_without_a_flaw() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path());
        write_missing(&home).unwrap();
        let report = load(&[home.own_resources()], "app", None).unwrap();
        assert!(
            report.skipped.is_empty() && report.warnings.is_empty(),
            "{report:?}"
        );
        let names: Vec<_> = report
            .components()
            .map(|component| component.name.as_str())
            .collect();
        assert_eq!(names, ["pubsub", "statestore"]);
    }

    /// An embedded app that has no resources meets apps beside sidecars in the same store and at the same broker.
    #[test]
    fn they_are_those_of_embedded_apps() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path());
        write_missing(&home).unwrap();
        let report = load(&[home.own_resources()], "app", None).unwrap();
        for embedded in outrigger_catalog::defaults(home.data()) {
            let written = report.components().find(|one| one.name == embedded.name).unwrap();
            let kind = format!("{}.{}", written.type_.category, written.type_.name);
            assert_eq!(kind, embedded.type_);
            let metadata: Vec<_> = written
                .metadata
                .iter()
                .map(|entry| (entry.name.as_str(), entry.value.as_plain().unwrap().to_owned()))
                .collect();
            assert_eq!(metadata, embedded.metadata);
        }
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path());
        fs::write(home.data(), "a file where a folder should be").unwrap();
        let error = write_missing(&home).unwrap_err();
        assert!(
            error.to_string().ends_with("components/statestore.yaml"),
            "{error}"
        );
    }
}
