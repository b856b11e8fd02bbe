//! From the files of `--config` to one configuration.
//!
//! Files are merged in order: mappings entry by entry, everything else as a whole, so the last file's list wins. What
//! no file says has the default. Each file is read on its own first, so that a message names the file that is wrong.

use std::{path::PathBuf, sync::Arc};

use crate::{
    Configuration, Origin,
    decode::{self, field::Decoder, field::Field},
    env::{Env, expand},
    problem::{FieldError, InvalidFields, Issue, Warning},
    source::{self, PathError, Unread},
    yaml::{self, Dialect, Document, Node, YamlError},
};

/// Where settings of free form are: they are replaced as a whole.
const FREE_FORM: [&str; 3] = ["spec", "nameResolution", "configuration"];

/// What the files say.
#[derive(Debug)]
pub struct LoadedConfiguration {
    /// The merged settings.
    pub configuration: Configuration,
    /// Fields without effect and the like.
    pub warnings: Vec<Warning>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A file is not there.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A file was not read.
    #[error("could not read the configuration file {}", .origin.file.display())]
    Unread {
        /// The file.
        origin: Origin,
        /// Why.
        source: Unread,
    },
    /// A file is not YAML.
    #[error("could not parse the configuration file {}", .origin.file.display())]
    Yaml {
        /// The file.
        origin: Origin,
        /// Why.
        source: YamlError,
    },
    /// Fields cannot be used.
    #[error("the configuration is not usable:\n{0}")]
    Invalid(InvalidFields),
}

/// Reads and merges `paths` in order. `$VAR` and `${VAR}` in a file's text are replaced before it is parsed; a variable
/// that is not set is empty.
pub fn load_configuration(
    paths: &[PathBuf],
    env: &dyn Env,
) -> Result<LoadedConfiguration, ConfigurationError> {
    let mut merger = Merger::default();
    for file in source::read(paths)? {
        let origin = Origin::of_file(file.path);
        match file.content {
            Ok(text) => merger.file(&expand(&text, env), &origin)?,
            Err(source) => return Err(ConfigurationError::Unread { origin, source }),
        }
    }
    merger.finish()
}

#[derive(Default)]
struct Merger {
    merged: Option<Arc<Node>>,
    last: Option<Origin>,
    errors: Vec<FieldError>,
    warnings: Vec<Warning>,
}

impl Merger {
    fn file(&mut self, text: &str, file: &Origin) -> Result<(), ConfigurationError> {
        let mut documents = yaml::documents(text, Dialect::Plain).into_iter();
        self.last = Some(file.clone());
        let Some(first) = documents.next() else {
            return Ok(());
        };
        let document = first.map_err(|source| ConfigurationError::Yaml {
            origin: file.clone(),
            source,
        })?;
        if let Some(second) = documents.next() {
            self.warn_of_second(&second, file);
        }
        self.check(&document, file);
        let root = document.root;
        self.merged = Some(match self.merged.take() {
            Some(before) => merge(&before, &root, &mut Vec::new()),
            None => root,
        });
        Ok(())
    }

    /// Reads a file as if it were the only one, for what is wrong in it.
    fn check(&mut self, document: &Document, file: &Origin) {
        let origin = Origin {
            document: document.number,
            line: document.root.position.line,
            ..file.clone()
        };
        let decoder = Decoder::new(origin.clone(), Dialect::Plain);
        decode::configuration(&Field::root(&decoder, &document.root));
        let (errors, warnings) = decoder.finish();
        self.errors.extend(errors);
        self.warnings.extend(warnings);
        self.errors
            .extend(document.repeated_keys.iter().map(|(key, position)| FieldError {
                origin: origin.clone(),
                position: *position,
                path: key.clone(),
                found: "the same key a second time".to_owned(),
                expected: "each key once in its mapping".into(),
            }));
    }

    fn warn_of_second(&mut self, second: &Result<Document, YamlError>, file: &Origin) {
        let (document, position) = match second {
            Ok(document) => (document.number, document.root.position),
            Err(error) => (error.document, error.position),
        };
        self.warnings.push(Warning {
            origin: Origin {
                document,
                line: position.line,
                ..file.clone()
            },
            position,
            path: String::new(),
            issue: Issue::Ignored {
                found: "a further document".to_owned(),
                expected: "one document in a configuration file".into(),
            },
        });
    }

    fn finish(self) -> Result<LoadedConfiguration, ConfigurationError> {
        let origin = self
            .last
            .unwrap_or_else(|| Origin::of_file(std::path::Path::new("")));
        let mut configuration = Configuration {
            origin: origin.clone(),
            ..Configuration::default()
        };
        let mut errors = self.errors;
        if let Some(merged) = &self.merged {
            let decoder = Decoder::new(origin, Dialect::Plain);
            configuration = decode::configuration(&Field::root(&decoder, merged));
            // What the files say together can be wrong only where each is right by itself.
            if errors.is_empty() {
                errors = decoder.finish().0;
            }
        }
        let configuration = decode::checked(configuration, errors).map_err(ConfigurationError::Invalid)?;
        Ok(LoadedConfiguration {
            configuration,
            warnings: self.warnings,
        })
    }
}

/// `over` laid over `under`: mappings entry by entry, everything else replaced; a null leaves what was there.
fn merge(under: &Arc<Node>, over: &Arc<Node>, path: &mut Vec<String>) -> Arc<Node> {
    if over.is_null() {
        return Arc::clone(under);
    }
    let (Some(base), Some(changes)) = (under.entries(), over.entries()) else {
        return Arc::clone(over);
    };
    if *path == FREE_FORM {
        return Arc::clone(over);
    }
    let mut entries = base.to_vec();
    for change in changes {
        match entries.iter_mut().find(|entry| entry.key == change.key) {
            Some(entry) => {
                path.push(change.key.clone());
                entry.value = merge(&entry.value, &change.value, path);
                path.pop();
            }
            None => entries.push(change.clone()),
        }
    }
    Arc::new(Node::mapping(over.position, entries))
}
