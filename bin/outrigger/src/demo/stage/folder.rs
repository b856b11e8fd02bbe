//! The folder of one demo: resources, data, the registry of its own little world, and what everybody says.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::commands::quoted;

/// The resources, with the places of their files left open.
const RESOURCES: [(&str, &str); 2] = [
    ("statestore.yaml", include_str!("../resources/statestore.yaml")),
    ("pubsub.yaml", include_str!("../resources/pubsub.yaml")),
];
/// What stands for the file of the state store and for the folder of the broker, quotes included.
const STATE_FILE: &str = "\"@STATE_FILE@\"";
const BROKER_DIR: &str = "\"@BROKER_DIR@\"";
/// Only the owner may look into the folder: the broker and the store are as open as it is.
const FOLDER_MODE: u32 = 0o700;
/// Bytes from the end of a log that are looked at for its last lines.
const TAIL_BYTES: u64 = 16 << 10;

/// A temporary folder, gone with this value unless it is kept.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    /// Makes a folder that only its owner can look into, and writes the resources.
    pub(crate) fn make(keep: bool) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder
            .prefix("outrigger-demo-")
            .permissions(Permissions::from_mode(FOLDER_MODE));
        let mut dir = builder.tempdir()?;
        dir.disable_cleanup(keep);
        let folder = Self(dir);
        for sub in [folder.resources(), folder.data(), folder.run(), folder.logs()] {
            fs::create_dir(sub)?;
        }
        for (name, text) in RESOURCES {
            let text = text
                .replace(STATE_FILE, &quoted(&folder.data().join("shop.db")))
                .replace(BROKER_DIR, &quoted(&folder.data().join("broker")));
            fs::write(folder.resources().join(name), text)?;
        }
        Ok(folder)
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the resources are.
    pub(crate) fn resources(&self) -> PathBuf {
        self.path().join("resources")
    }

    /// Where components keep their files.
    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Where the registry of running apps is: nobody outside of this demo looks there.
    pub(crate) fn run(&self) -> PathBuf {
        self.path().join("run")
    }

    /// Where the logs are.
    pub(crate) fn logs(&self) -> PathBuf {
        self.path().join("logs")
    }

    /// The log of a process.
    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.logs().join(format!("{process}.log"))
    }

    /// The last lines of a log, where there are any.
    pub(crate) fn tail(&self, process: &str, lines: usize) -> Vec<String> {
        // A log that cannot be read has nothing to tell.
        let text = end_of(&self.log(process)).unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..]
            .iter()
            .map(|line| (*line).to_owned())
            .collect()
    }
}

fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_name_places_in_the_folder() {
        let folder = Folder::make(false).unwrap();
        let path = folder.path().to_owned();
        let text = fs::read_to_string(folder.resources().join("pubsub.yaml")).unwrap();
        assert!(
            text.contains(&format!("value: \"{}/data/broker\"", path.display())),
            "{text}"
        );
        for (name, _) in RESOURCES {
            let text = fs::read_to_string(folder.resources().join(name)).unwrap();
            assert!(!text.contains('@'), "{text}");
        }
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn the_tail_of_a_log_is_its_end() {
        let folder = Folder::make(false).unwrap();
        assert!(folder.tail("nobody", 5).is_empty());
        let text: String = (0..9_000).map(|number| format!("{number}\n")).collect();
        fs::write(folder.log("a"), text).unwrap();
        assert_eq!(folder.tail("a", 2), ["8998", "8999"]);
    }
}
