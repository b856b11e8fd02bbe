//! From folders of YAML files to the resources of one app.
//!
//! Nothing that is read is lost in silence: every document ends as a resource, or in [`LoadReport::skipped`] with the
//! reason, and every field without effect ends in [`LoadReport::warnings`]. What to log and what to refuse is the
//! caller's choice: a sidecar carries on where Dapr does, a tool for people need not.

mod report;

use std::{collections::HashMap, path::PathBuf};

pub use report::{Duplicate, DuplicateError, LoadReport, SkipReason, Skipped};

use crate::{
    Kind, Origin, Resource,
    decode::{self, Header},
    resource::in_scope,
    source::{self, PathError, SourceFile},
    yaml::{self, Dialect, Document, Position},
};

/// Reads every YAML file directly in each folder of `paths` (or a file itself), and keeps what is for this app.
///
/// `namespace` is the app's own, `None` if it has none: then a manifest's namespace is not looked at. The error is a
/// path that cannot be read at all.
pub fn load(paths: &[PathBuf], app_id: &str, namespace: Option<&str>) -> Result<LoadReport, PathError> {
    Ok(parse(source::read(paths)?, app_id, namespace))
}

/// The same as [`load`], of files that were read already. It never fails, whatever is in them.
pub fn parse(files: Vec<SourceFile>, app_id: &str, namespace: Option<&str>) -> LoadReport {
    let mut loader = Loader {
        app_id,
        namespace: namespace.filter(|namespace| !namespace.is_empty()),
        named: HashMap::new(),
        report: LoadReport::default(),
    };
    for file in files {
        loader.file(file);
    }
    loader.report
}

struct Loader<'a> {
    app_id: &'a str,
    namespace: Option<&'a str>,
    /// Where each kind and name that was kept stands in the report.
    named: HashMap<(Kind, String), usize>,
    report: LoadReport,
}

impl Loader<'_> {
    fn file(&mut self, file: SourceFile) {
        let origin = Origin::of_file(file.path);
        let text = match file.content {
            Ok(text) => text,
            Err(reason) => return self.skip(origin, SkipReason::Unread(reason)),
        };
        for document in yaml::documents(&text, Dialect::Kubernetes) {
            match document {
                Ok(document) => self.document(&document, &origin),
                Err(error) => self.skip(
                    at(&origin, error.document, error.position),
                    SkipReason::Yaml(error),
                ),
            }
        }
    }

    fn document(&mut self, document: &Document, file: &Origin) {
        let origin = at(file, document.number, document.root.position);
        let header = Header::of(document);
        let Some(kind) = header.known() else {
            return self.skip(
                origin,
                SkipReason::UnknownKind {
                    api_version: header.api_version,
                    kind: header.kind,
                },
            );
        };
        let (resource, warnings) = decode::resource(document, kind, &header, &origin);
        match resource {
            Ok(resource) => {
                if self.keep(resource) {
                    self.report.warnings.extend(warnings);
                }
            }
            Err((name, fields)) => {
                self.report.warnings.extend(warnings);
                self.skip(origin, SkipReason::Invalid { kind, name, fields });
            }
        }
    }

    /// Keeps a resource if it is for this app. The order of the checks is Dapr's: a second resource of one name is
    /// a duplicate even if it is out of scope, but never if it is in another namespace.
    fn keep(&mut self, resource: Resource) -> bool {
        let (kind, name, origin) = (
            resource.kind(),
            resource.name().to_owned(),
            resource.origin().clone(),
        );
        if let (Some(ours), Some(theirs)) = (self.namespace, resource.namespace())
            && ours != theirs
        {
            let namespace = theirs.to_owned();
            self.skip(
                origin,
                SkipReason::OtherNamespace {
                    kind,
                    name,
                    namespace,
                },
            );
            return false;
        }
        let in_scope = in_scope(resource.scopes(), self.app_id);
        match self.named.get(&(kind, name.clone())).copied() {
            Some(before) if names_are_unique(kind) => {
                self.report
                    .duplicates
                    .push(Duplicate::of(&resource, &self.report.resources[before]));
                return false;
            }
            Some(before) if in_scope && kind == Kind::Subscription => {
                let replaced = std::mem::replace(&mut self.report.resources[before], resource);
                self.skip(
                    replaced.origin().clone(),
                    SkipReason::Replaced {
                        kind,
                        name,
                        by: origin,
                    },
                );
                return true;
            }
            _ if !in_scope => {
                self.skip(origin, SkipReason::OutOfScope { kind, name });
                return false;
            }
            _ => {}
        }
        self.named.insert((kind, name), self.report.resources.len());
        self.report.resources.push(resource);
        true
    }

    fn skip(&mut self, origin: Origin, reason: SkipReason) {
        self.report.skipped.push(Skipped { origin, reason });
    }
}

/// Whether two resources of this kind and one name are an error. Of subscriptions the later replaces the earlier, and
/// resiliency resources are merged whatever their names.
fn names_are_unique(kind: Kind) -> bool {
    !matches!(kind, Kind::Subscription | Kind::Resiliency)
}

fn at(file: &Origin, document: usize, position: Position) -> Origin {
    Origin {
        file: file.file.clone(),
        document,
        line: position.line,
    }
}
